import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { info, serverNow } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { t } from '../words/words.ts';
import { DeviceFields } from './device-fields.tsx';
import { type DeviceChoice, devicesAllowed, openDevices, watchDevices } from './devices.ts';
import { Feed } from './feed.ts';
import { Health, Result } from './health.tsx';
import { Pairing } from './pairing.tsx';
import { Preview } from './preview.tsx';
import type { Reporters } from './reporters.ts';
import { Roles } from './roles.tsx';
import './studio.css';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** A name that is most likely free. */
function freshName(): string {
  return `studio-${Math.random().toString(36).slice(2, 6)}`;
}

/** Goes live from the page: devices or reporters, one red button, and what becomes of the recordings. */
export function Studio(): JSX.Element {
  const choice = useSignal<DeviceChoice>({ source: 'camera', camera: '', microphone: '' });
  const feeds = useSignal<readonly Feed[]>([]);
  const reporters = useSignal<Reporters | undefined>(undefined);
  const fault = useSignal<string | undefined>(undefined);
  const name = useSignal(freshName());
  const key = useSignal('');
  const made = useRef(0);
  const remote = reporters.value !== undefined;
  const running = feeds.value.some(({ recording }) => recording);
  const sending = feeds.value.some((feed) => feed.sending);
  const taken = feeds.value.some(({ take }) => take.value !== undefined);

  useEffect(watchDevices, []);
  useEffect(
    () => () => {
      reporters.peek()?.close();
      for (const feed of feeds.peek()) feed.close();
    },
    [],
  );
  useEffect(() => {
    if (!sending) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [sending]);

  const add = (media: MediaStream, from?: string): Feed => {
    const feed = new Feed(++made.current, media, from);
    feeds.value = [...feeds.peek(), feed];
    return feed;
  };
  const record = (feed: Feed): void => {
    try {
      feed.record(name.peek(), key.peek().trim());
    } catch (error) {
      fault.value = t('studio.denied', { why: error instanceof Error ? error.message : '' });
    }
  };
  /** Nothing of the other kind stays. */
  const clear = (): void => {
    reporters.peek()?.close();
    reporters.value = undefined;
    for (const feed of feeds.peek()) feed.close();
    feeds.value = [];
    made.current = 0;
  };
  const openLocal = async (): Promise<void> => {
    fault.value = undefined;
    try {
      const next = await openDevices(choice.peek());
      const [feed] = feeds.peek();
      if (reporters.peek() === undefined && feed !== undefined) feed.show(next);
      else {
        clear();
        add(next);
      }
      // Who ends the sharing of a screen in the browser's own bar ends the recording.
      next.getVideoTracks()[0]?.addEventListener('ended', () => feeds.peek()[0]?.take.peek()?.stop());
    } catch (error) {
      fault.value = t('studio.denied', { why: error instanceof Error ? error.message || error.name : '' });
    }
  };
  const openRemote = async (): Promise<void> => {
    fault.value = undefined;
    clear();
    const { Reporters } = await import('./reporters.ts');
    reporters.value = new Reporters({
      joined: (from, media) => {
        const recorded = feeds.peek().some(({ recording }) => recording);
        const feed = add(media, from);
        if (recorded) record(feed);
      },
      left: (from) => {
        const gone = feeds.peek().filter((feed) => feed.from === from && feed.media.peek() !== undefined);
        for (const feed of gone) {
          feed.close();
          feed.media.value = undefined;
        }
        feeds.value = feeds.peek().filter(({ media, take }) => (media.peek() ?? take.peek()) !== undefined);
      },
    });
  };
  const choose = (change: Partial<DeviceChoice>): void => {
    choice.value = { ...choice.peek(), ...change };
    if (feeds.peek().length > 0) void openLocal();
  };
  const begin = (): void => {
    if (!NAME.test(name.peek())) return;
    fault.value = typeof MediaRecorder === 'undefined' ? t('studio.unsupported') : undefined;
    if (fault.peek() === undefined) for (const feed of feeds.peek()) record(feed);
  };
  const stop = (): void => {
    for (const { take } of feeds.peek()) take.peek()?.stop();
  };
  const again = (): void => {
    for (const { take } of feeds.peek()) take.value = undefined;
    feeds.value = feeds.peek().filter(({ media }) => media.peek() !== undefined);
    name.value = freshName();
  };
  const hint = t(reporters.value === undefined ? 'studio.preview.none' : 'recorder.preview.none');
  return (
    <Frame place="studio" title={t('nav.studio')}>
      <div class="studio">
        <Roles here="recorder" />
        <h1>{t('studio.title')}</h1>
        <div class="studio-stages">
          {feeds.value.map((feed) => (
            <Preview
              key={feed.number}
              media={feed.media.value}
              mirrored={feed.from === undefined && choice.value.source === 'camera'}
              live={feed.recording}
              hint={hint}
            />
          ))}
          {feeds.value.length === 0 && (
            <Preview media={undefined} mirrored={false} live={false} hint={hint} />
          )}
        </div>
        <div class="studio-side">
          {reporters.value !== undefined ? (
            <Pairing
              address={reporters.value.address}
              state={reporters.value.state.value}
              count={feeds.value.filter(({ media }) => media.value !== undefined).length}
            />
          ) : devicesAllowed() ? (
            <DeviceFields choice={choice.value} live={running} choose={choose} />
          ) : (
            <p class="notice">
              <Icon name="alert" />
              {t('studio.insecure')}
            </p>
          )}
          <label class="studio-field">
            {t('studio.name')}
            <input
              type="text"
              value={name.value}
              disabled={taken}
              pattern="[A-Za-z0-9_\-]{1,64}"
              required
              onInput={(event) => {
                name.value = event.currentTarget.value;
              }}
            />
          </label>
          {info.value?.keyNeeded === true && (
            <label class="studio-field">
              {t('studio.key')}
              <input
                type="password"
                autocomplete="off"
                value={key.value}
                disabled={taken}
                onInput={(event) => {
                  key.value = event.currentTarget.value;
                }}
              />
            </label>
          )}
          {fault.value !== undefined && (
            <p class="notice" role="alert">
              <Icon name="alert" />
              {fault.value}
            </p>
          )}
          <div class="studio-row">
            {!taken && (
              <>
                <button
                  type="button"
                  class={feeds.value.length === 0 && !remote ? 'button button-main' : 'button'}
                  disabled={!devicesAllowed()}
                  onClick={() => void openLocal()}
                >
                  <Icon name="camera" small />
                  {t('studio.open')}
                </button>
                <button type="button" class="button" disabled={remote} onClick={() => void openRemote()}>
                  <Icon name="share" small />
                  {t('recorder.open')}
                </button>
              </>
            )}
            {running ? (
              <button type="button" class="button studio-red" onClick={stop}>
                <Icon name="stop" />
                {t('studio.stop')}
              </button>
            ) : !taken ? (
              <button
                type="button"
                class="button studio-red"
                disabled={feeds.value.length === 0 || !NAME.test(name.value)}
                onClick={begin}
              >
                <span class="studio-dot" />
                {t('studio.start')}
              </button>
            ) : (
              !sending && (
                <button type="button" class="button" onClick={again}>
                  {t('studio.again')}
                </button>
              )
            )}
          </div>
          {!taken && (
            <p class="muted small" role="status">
              {t(
                feeds.value.length > 0
                  ? 'studio.health.idle'
                  : remote
                    ? 'recorder.closed'
                    : 'studio.health.closed',
              )}
            </p>
          )}
          {feeds.value.map(({ number, take }) => (
            <Fragment key={number}>
              {take.value !== undefined && (
                <>
                  <Health take={take.value} now={serverNow.value} />
                  <Result take={take.value} />
                </>
              )}
            </Fragment>
          ))}
        </div>
      </div>
    </Frame>
  );
}
