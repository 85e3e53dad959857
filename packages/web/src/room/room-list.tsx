import { decodeRoomList, isRoomName, type RoomInfo } from '@onair/contracts/rooms';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { ANSWER_DEADLINE, API } from '../api/api-client.ts';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { Tally } from '../parts/tally.tsx';
import { t } from '../words/words.ts';
import './room.css';
import './room-list.css';

/** How often the list is asked for, ms. */
const ASK_MS = 3000;

/** What the server answers; `denied` if the list is for the operator. */
async function ask(): Promise<readonly RoomInfo[] | 'denied' | undefined> {
  try {
    const answer = await fetch(`${API}/rooms`, {
      cache: 'no-store',
      signal: AbortSignal.timeout(ANSWER_DEADLINE),
    });
    if (answer.status === 401 || answer.status === 403) return 'denied';
    return answer.ok ? decodeRoomList(await answer.json()).rooms : undefined;
  } catch {
    return undefined; // away, or of another version: what is shown stays
  }
}

/** The page of all rooms. */
export function RoomList(): JSX.Element {
  const rooms = useSignal<readonly RoomInfo[] | 'denied' | undefined>(undefined);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let over = false;
    const look = async (): Promise<void> => {
      rooms.value = (await ask()) ?? rooms.value;
      if (!over) timer = setTimeout(() => void look(), ASK_MS);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, []);
  const list = rooms.value;
  return (
    <Frame place="elsewhere" title={t('rooms.title')}>
      <section class="room">
        <h1>{t('rooms.title')}</h1>
        {list === 'denied' && (
          <p class="notice">
            <a href="/signin">{t('rooms.signin')}</a>
          </p>
        )}
        {Array.isArray(list) && list.length === 0 && <p class="muted">{t('rooms.none')}</p>}
        {Array.isArray(list) && list.length > 0 && (
          <ul class="rooms" id="rooms">
            {list.map((room: RoomInfo) => (
              <Row key={room.room} room={room} />
            ))}
          </ul>
        )}
        <form
          class="rooms-open"
          onSubmit={(event) => {
            event.preventDefault();
            const name = String(new FormData(event.currentTarget).get('room')).trim().normalize('NFC');
            if (isRoomName(name)) location.assign(`/talk/${encodeURIComponent(name)}`);
          }}
        >
          <label>
            {t('rooms.name')}
            <input name="room" required maxLength={64} pattern="[\p{L}\p{M}\p{N}_.\-]+" autocomplete="off" />
          </label>
          <button type="submit" class="button button-main">
            <Icon name="camera" />
            {t('rooms.open')}
          </button>
        </form>
      </section>
    </Frame>
  );
}

function Row({ room: { room, members, talking, locked, stage } }: { readonly room: RoomInfo }): JSX.Element {
  return (
    <li>
      <Tally stream={{ state: talking ? 'live' : 'idle' }} />
      <a href={`/room/${encodeURIComponent(room)}`} aria-label={t('rooms.watch', { room })}>
        {room}
      </a>
      <span class="num muted">{t('rooms.members', { count: members })}</span>
      {locked && (
        <span class="rooms-mark">
          <Icon name="key" small />
          {t('rooms.locked')}
        </span>
      )}
      {stage.record && <span class="rooms-mark">{t('room.record')}</span>}
    </li>
  );
}
