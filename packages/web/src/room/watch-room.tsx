import { Asides, connectRoom, Watcher, type WatcherState, type WatcherWay } from '@onair/client/room';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { t, type WordKey } from '../words/words.ts';
import { createBeside } from './beside.ts';
import { BesidePanel, FloatingSigns } from './beside-panel.tsx';
import { Notices, PasswordForm, refusalWord, Stage } from './notices.tsx';
import './room.css';

/** What to say when there will be no picture. */
const END_WORDS: Readonly<Partial<Record<WatcherState, WordKey>>> = {
  full: 'room.noPlace',
  unplayable: 'room.unplayable',
};

/** The page of those who watch. */
export function WatchRoom({ room }: { readonly room: string }): JSX.Element {
  const watcher = useRef<Watcher | undefined>(undefined);
  const password = useSignal<string | undefined>(undefined);
  const stream = useSignal<MediaStream | undefined>(undefined);
  const state = useSignal<WatcherState>('waiting');
  const refusal = useSignal<WordKey | undefined>(undefined);
  const lost = useSignal(false);
  const way = useSignal<WatcherWay | undefined>(undefined);
  const recorded = useSignal(false);
  const beside = useMemo(createBeside, []);

  useEffect(() => {
    const link = connectRoom(
      location.origin,
      { room, password: password.value },
      {
        entered: (welcome) => {
          lost.value = false;
          refusal.value = undefined;
          recorded.value = welcome.stage.record;
          asides.entered(welcome);
          made.entered(welcome);
        },
        message: (message) => {
          asides.hear(message);
          void made.hear(message);
        },
        left: (id) => {
          asides.left(id);
          made.left(id);
        },
        staged: ({ record }) => {
          recorded.value = record;
        },
        refused: (reason) => {
          refusal.value = refusalWord(reason) ?? refusal.value;
        },
        lost: () => {
          lost.value = true;
        },
      },
    );
    const asides = new Asides({
      link,
      talks: false,
      said: beside.said,
      reacted: beside.reacted,
      files: beside.filesChanged,
    });
    beside.asides.value = asides;
    const made = new Watcher({
      link,
      changed: (next, from) => {
        state.value = next;
        way.value = from;
      },
      linked: (id, peer) => asides.attach(id, peer),
      unlinked: (id, peer) => asides.detach(id, peer),
      show: (next) => {
        stream.value = next;
      },
    });
    watcher.current = made;
    return () => {
      made.close();
      asides.close();
      beside.asides.value = undefined;
      link.close();
    };
  }, [password.value]);

  const none = END_WORDS[state.value];
  return (
    <Frame place="elsewhere" title={t('room.watch.title', { room })}>
      <section class="room">
        <Stage
          id="remote-video"
          stream={stream.value}
          muted={false}
          way={way.value}
          over={<FloatingSigns beside={beside} />}
        >
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
        <Notices
          words={[
            lost.value ? 'room.warn.socket' : undefined,
            none,
            refusal.value,
            recorded.value ? 'room.recording' : undefined,
          ]}
        />
        {refusal.value === 'room.refused.password' && (
          <PasswordForm
            enter={(word) => {
              password.value = word;
            }}
          />
        )}
        <h1>{t('room.watch.title', { room })}</h1>
        <p>
          <a href="/rooms">{t('rooms.title')}</a>
        </p>
        <BesidePanel beside={beside} />
      </section>
    </Frame>
  );
}
