import { type PublisherState, WhipPublisher } from '@onair/client/publisher';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { api, info } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { CopyField } from '../parts/copy-field.tsx';
import { Icon } from '../parts/icon.tsx';
import { devicesAllowed, openDevices } from '../studio/devices.ts';
import '../studio/studio.css';
import { t } from '../words/words.ts';
import { rememberedUser, rememberUser, USER } from './user.ts';

/** Who may not publish without a key signs in first, as in the original. */
async function demandSignIn(): Promise<void> {
  const { admin } = await api.whoAmI();
  if (!admin) location.replace('/login?next=/live');
}

function stateText(state: PublisherState): string {
  if (state.kind === 'reconnecting') return t('cast.state.reconnecting', { why: state.reason });
  if (state.kind === 'failed') return t('cast.state.failed', { why: state.detail || state.code });
  return t(`cast.state.${state.kind}`);
}

/** Camera first, then on air: what is cast here is seen at `/watch/USER`, and viewers pass it on. */
export function CastPage(): JSX.Element {
  const user = useSignal(rememberedUser());
  const key = useSignal('');
  const media = useSignal<MediaStream | undefined>(undefined);
  const state = useSignal<PublisherState>({ kind: 'idle' });
  const speaking = useSignal(false);
  const fault = useSignal<string | undefined>(undefined);
  const publisher = useRef<WhipPublisher | undefined>(undefined);
  const video = useRef<HTMLVideoElement>(null);
  const keyNeeded = info.value?.keyNeeded === true;

  useEffect(() => {
    if (keyNeeded) void demandSignIn().catch(() => undefined); // the server is away: it is asked when it publishes
  }, [keyNeeded]);
  useEffect(() => {
    const leave = (): void => publisher.current?.stop();
    addEventListener('pagehide', leave);
    return () => {
      removeEventListener('pagehide', leave);
      leave();
      for (const track of media.peek()?.getTracks() ?? []) track.stop();
    };
  }, []);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = media.value ?? null;
  }, [media.value]);

  const videoStart = async (): Promise<void> => {
    fault.value = undefined;
    try {
      const opened = await openDevices({ source: 'camera', camera: '', microphone: '' });
      for (const track of opened.getAudioTracks()) track.enabled = speaking.peek();
      media.value = opened;
    } catch (error) {
      fault.value = t('studio.denied', { why: error instanceof Error ? error.message || error.name : '' });
    }
  };
  const liveStart = (): void => {
    const stream = media.peek();
    if (stream === undefined || !USER.test(user.peek())) return;
    rememberUser(user.peek());
    const secret = key.peek().trim();
    publisher.current = new WhipPublisher({
      url: `/live/${user.peek()}`,
      ...(secret === '' ? {} : { key: secret }),
      onState: (now) => {
        state.value = now;
      },
    });
    publisher.current.start(stream);
  };
  const liveStop = (): void => {
    publisher.current?.stop();
    publisher.current = undefined;
  };
  const speak = (): void => {
    speaking.value = !speaking.peek();
    for (const track of media.peek()?.getAudioTracks() ?? []) track.enabled = speaking.peek();
  };

  const live = state.value.kind !== 'idle' && state.value.kind !== 'failed';
  const path = `/watch/${user.value}`;
  return (
    <Frame place="studio" title={t('cast.title')}>
      <div class="studio">
        <h1>{t('cast.title')}</h1>
        <div class={state.value.kind === 'live' ? 'studio-stage studio-live' : 'studio-stage'}>
          <video
            ref={video}
            class="studio-video"
            autoPlay
            muted
            playsInline
            aria-label={t('studio.preview')}
          />
        </div>
        <div class="studio-side">
          {!devicesAllowed() && (
            <p class="notice">
              <Icon name="alert" />
              {t('studio.insecure')}
            </p>
          )}
          <label class="studio-field">
            {t('cast.user')}
            <input
              type="text"
              value={user.value}
              disabled={live}
              pattern="[A-Za-z0-9_\-]{1,64}"
              required
              onInput={(event) => {
                user.value = event.currentTarget.value;
              }}
            />
          </label>
          {keyNeeded && (
            <label class="studio-field">
              {t('studio.key')}
              <input
                type="password"
                autocomplete="off"
                value={key.value}
                disabled={live}
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
            <button
              type="button"
              id="video-start"
              class={media.value === undefined ? 'button button-main' : 'button'}
              disabled={!devicesAllowed() || media.value !== undefined}
              onClick={() => void videoStart()}
            >
              <Icon name="camera" small />
              {t('cast.videoStart')}
            </button>
            {live ? (
              <button type="button" id="live-stop" class="button studio-red" onClick={liveStop}>
                <Icon name="stop" />
                {t('cast.liveStop')}
              </button>
            ) : (
              <button
                type="button"
                id="live-start"
                class="button studio-red"
                disabled={media.value === undefined || !USER.test(user.value)}
                onClick={liveStart}
              >
                <span class="studio-dot" />
                {t('cast.liveStart')}
              </button>
            )}
            <button
              type="button"
              id="speak"
              class={speaking.value ? 'button button-main' : 'button'}
              aria-pressed={speaking.value}
              disabled={media.value === undefined}
              onClick={speak}
            >
              <Icon name="live" small />
              {t('cast.speak')}
            </button>
          </div>
          <p class="muted small" role="status">
            {stateText(state.value)}
          </p>
          {USER.test(user.value) && (
            <CopyField label={t('studio.address')} text={`${location.origin}${path}`} />
          )}
        </div>
      </div>
    </Frame>
  );
}
