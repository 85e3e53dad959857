import type { RoomRefusal } from '@onair/contracts/rooms';
import type { ComponentChildren, JSX } from 'preact';
import { Icon } from '../parts/icon.tsx';
import { t, type WordKey } from '../words/words.ts';

/** What to tell somebody whom the room refused; undefined for what needs no words. */
export function refusalWord({ code }: RoomRefusal): WordKey | undefined {
  switch (code) {
    case 'ROOM_FULL':
      return 'room.refused.full';
    case 'ROOM_PASSWORD_WRONG':
      return 'room.refused.password';
    case 'TOO_MANY_ATTEMPTS':
      return 'room.refused.attempts';
    case 'ROOM_HAS_TALKER':
      return 'room.refused.talker';
    default:
      return undefined;
  }
}

/** A place where messages of the page appear and are read out. */
export function Notices({ words }: { readonly words: readonly (WordKey | undefined)[] }): JSX.Element {
  return (
    <div role="status" class="room-notices">
      {words.map(
        (word) =>
          word !== undefined && (
            <p key={word} class="notice">
              <Icon name="alert" />
              {t(word)}
            </p>
          ),
      )}
    </div>
  );
}

/** Asks for the password of a locked room. */
export function PasswordForm({ enter }: { readonly enter: (password: string) => void }): JSX.Element {
  return (
    <form
      class="room-password"
      onSubmit={(event) => {
        event.preventDefault();
        enter(String(new FormData(event.currentTarget).get('password') ?? ''));
      }}
    >
      <label>
        {t('room.password')}
        <input type="password" name="password" required maxLength={256} autocomplete="off" />
      </label>
      <button type="submit" class="button button-main">
        <Icon name="key" />
        {t('room.enter')}
      </button>
    </form>
  );
}

/** A video in a box that has its shape before there is a picture. */
export function Stage({
  id,
  stream,
  muted,
  mirrored = false,
  over,
  way,
  children,
}: {
  readonly id: string;
  readonly stream: MediaStream | undefined;
  readonly muted: boolean;
  readonly mirrored?: boolean;
  /** Where the picture comes from, for whoever looks into the page. */
  readonly way?: string | undefined;
  /** Lies over the picture. */
  readonly over?: ComponentChildren;
  /** Stands where the picture will be. */
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="room-stage">
      <video
        id={id}
        data-way={way}
        class={mirrored ? 'room-mirrored' : undefined}
        ref={(video) => {
          if (video === null || video.srcObject === (stream ?? null)) return;
          video.srcObject = stream ?? null;
          // Browsers may refuse sound before a click; then the picture comes without.
          video.play().catch(() => {
            video.muted = true;
            video.play().catch(() => {});
          });
        }}
        autoplay
        playsInline
        muted={muted}
        controls={!muted && stream !== undefined}
        aria-label={t('room.picture')}
      />
      {over}
      {stream === undefined && <div class="room-card">{children}</div>}
    </div>
  );
}
