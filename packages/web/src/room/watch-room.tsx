import { connectRoom, Watcher, type WatcherState } from '@onair/client/room';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { t, type WordKey } from '../words/words.ts';
import { Notices, PasswordForm, refusalWord, Stage } from './notices.tsx';
import './room.css';

/** The page of those who watch. */
export function WatchRoom({ room }: { readonly room: string }): JSX.Element {
  const watcher = useRef<Watcher | undefined>(undefined);
  const password = useSignal<string | undefined>(undefined);
  const stream = useSignal<MediaStream | undefined>(undefined);
  const state = useSignal<WatcherState>('waiting');
  const refusal = useSignal<WordKey | undefined>(undefined);
  const lost = useSignal(false);

  useEffect(() => {
    const link = connectRoom(
      location.origin,
      { room, password: password.value },
      {
        entered: (welcome) => {
          lost.value = false;
          refusal.value = undefined;
          made.entered(welcome);
        },
        message: (message) => void made.hear(message),
        left: (id) => made.left(id),
        refused: (reason) => {
          refusal.value = refusalWord(reason) ?? refusal.value;
        },
        lost: () => {
          lost.value = true;
        },
      },
    );
    const made = new Watcher({
      link,
      changed: (next) => {
        state.value = next;
      },
      show: (next) => {
        stream.value = next;
      },
    });
    watcher.current = made;
    return () => {
      made.close();
      link.close();
    };
  }, [password.value]);

  const full = state.value === 'full' ? 'room.noPlace' : undefined;
  return (
    <Frame place="elsewhere" title={t('room.watch.title', { room })}>
      <section class="room">
        <Stage id="remote-video" stream={stream.value} muted={false}>
          <p>{t(state.value === 'connecting' ? 'room.connecting' : 'room.waiting')}</p>
        </Stage>
        <div class="room-bar">
          <button
            type="button"
            class="button"
            id="request"
            disabled={stream.value !== undefined}
            onClick={() => watcher.current?.request()}
          >
            <Icon name="play" />
            {t('room.request')}
          </button>
        </div>
        <Notices words={[lost.value ? 'room.warn.socket' : undefined, full, refusal.value]} />
        {refusal.value === 'room.refused.password' && (
          <PasswordForm
            enter={(word) => {
              password.value = word;
            }}
          />
        )}
        <h1>{t('room.watch.title', { room })}</h1>
      </section>
    </Frame>
  );
}
