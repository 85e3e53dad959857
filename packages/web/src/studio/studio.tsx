import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { info, serverNow } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { t } from '../words/words.ts';
import {
  type DeviceChoice,
  devices,
  devicesAllowed,
  openDevices,
  type PictureSource,
  watchDevices,
} from './devices.ts';
import { Health, Result } from './health.tsx';
import { LevelMeter } from './level-meter.tsx';
import './studio.css';
import { Take } from './take.ts';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** A name that is most likely free. */
function freshName(): string {
  return `studio-${Math.random().toString(36).slice(2, 6)}`;
}

/** Goes live from the page: devices, one red button, and what becomes of the recording. */
export function Studio(): JSX.Element {
  const choice = useSignal<DeviceChoice>({ source: 'camera', camera: '', microphone: '' });
  const media = useSignal<MediaStream | undefined>(undefined);
  const fault = useSignal<string | undefined>(undefined);
  const name = useSignal(freshName());
  const key = useSignal('');
  const take = useSignal<Take | undefined>(undefined);
  const running = take.value?.recording.value === true;
  const state = take.value?.status.value.state;
  const sending = take.value !== undefined && state !== 'done' && state !== 'failed';

  useEffect(watchDevices, []);
  useEffect(() => () => close(media.peek()), []);
  useEffect(() => {
    if (!sending) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [sending]);

  const open = async (): Promise<void> => {
    fault.value = undefined;
    try {
      const next = await openDevices(choice.peek());
      close(media.peek());
      // Who ends the sharing of a screen in the browser's own bar ends the recording.
      next.getVideoTracks()[0]?.addEventListener('ended', () => take.peek()?.stop());
      media.value = next;
    } catch (error) {
      fault.value = t('studio.denied', { why: error instanceof Error ? error.message || error.name : '' });
    }
  };
  const choose = (change: Partial<DeviceChoice>): void => {
    choice.value = { ...choice.peek(), ...change };
    if (media.peek() !== undefined) void open();
  };
  const begin = (): void => {
    const source = media.peek();
    if (source === undefined || !NAME.test(name.peek())) return;
    fault.value = typeof MediaRecorder === 'undefined' ? t('studio.unsupported') : undefined;
    if (fault.peek() !== undefined) return;
    try {
      take.value = new Take(source, `live/${name.peek()}`, key.peek().trim());
    } catch (error) {
      fault.value = t('studio.denied', { why: error instanceof Error ? error.message : '' });
    }
  };
  const again = (): void => {
    take.value = undefined;
    name.value = freshName();
  };
  return (
    <Frame place="studio" title={t('nav.studio')}>
      <div class="studio">
        <h1>{t('studio.title')}</h1>
        <Preview media={media.value} source={choice.value.source} live={running} />
        <div class="studio-side">
          {devicesAllowed() ? (
            <Devices choice={choice.value} disabled={running} choose={choose} />
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
              disabled={take.value !== undefined}
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
                disabled={take.value !== undefined}
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
            {take.value === undefined && (
              <button
                type="button"
                class={media.value === undefined ? 'button button-main' : 'button'}
                disabled={!devicesAllowed()}
                onClick={() => void open()}
              >
                <Icon name="camera" small />
                {t('studio.open')}
              </button>
            )}
            {running ? (
              <button type="button" class="button studio-red" onClick={() => take.value?.stop()}>
                <Icon name="stop" />
                {t('studio.stop')}
              </button>
            ) : take.value === undefined ? (
              <button
                type="button"
                class="button studio-red"
                disabled={media.value === undefined || !NAME.test(name.value)}
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
          {take.value === undefined && (
            <p class="muted small" role="status">
              {t(media.value === undefined ? 'studio.health.closed' : 'studio.health.idle')}
            </p>
          )}
          {take.value !== undefined && (
            <>
              <Health take={take.value} now={serverNow.value} />
              <Result take={take.value} />
            </>
          )}
        </div>
      </div>
    </Frame>
  );
}

function close(media: MediaStream | undefined): void {
  for (const track of media?.getTracks() ?? []) track.stop();
}

function Preview({
  media,
  source,
  live,
}: {
  readonly media: MediaStream | undefined;
  readonly source: PictureSource;
  readonly live: boolean;
}): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = media ?? null;
  }, [media]);
  return (
    <div class={live ? 'studio-stage studio-live' : 'studio-stage'}>
      <video
        ref={video}
        class={source === 'camera' ? 'studio-video' : 'studio-video studio-plain'}
        autoPlay
        muted
        playsInline
        aria-label={t('studio.preview')}
      />
      {media !== undefined && <LevelMeter media={media} />}
    </div>
  );
}

function Devices({
  choice,
  disabled,
  choose,
}: {
  readonly choice: DeviceChoice;
  readonly disabled: boolean;
  choose(change: Partial<DeviceChoice>): void;
}): JSX.Element {
  const cameras = devices.value.filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId !== '');
  const microphones = devices.value.filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '');
  const phone = matchMedia('(pointer: coarse)').matches;
  const sources: readonly (readonly [PictureSource, string])[] = [
    ['camera', t('studio.camera')],
    ['screen', t('studio.screen')],
    ['none', t('studio.soundOnly')],
  ];
  return (
    <fieldset class="studio-devices" disabled={disabled}>
      <label class="studio-field">
        {t('studio.source')}
        <select
          value={choice.source}
          onChange={(event) => choose({ source: event.currentTarget.value as PictureSource })}
        >
          {sources.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {choice.source === 'camera' && cameras.length > 0 && (
        <label class="studio-field">
          {t('studio.camera')}
          <select value={choice.camera} onChange={(event) => choose({ camera: event.currentTarget.value })}>
            <option value="">{t('studio.automatic')}</option>
            {phone && (
              <>
                <option value="user">{t('studio.front')}</option>
                <option value="environment">{t('studio.back')}</option>
              </>
            )}
            {cameras.map(({ deviceId, label }, i) => (
              <option key={deviceId} value={deviceId}>
                {label || `${t('studio.camera')} ${i + 1}`}
              </option>
            ))}
          </select>
        </label>
      )}
      <label class="studio-field">
        {t('studio.microphone')}
        <select
          value={choice.microphone}
          onChange={(event) => choose({ microphone: event.currentTarget.value })}
        >
          <option value="">{t('studio.automatic')}</option>
          {microphones.map(({ deviceId, label }, i) => (
            <option key={deviceId} value={deviceId}>
              {label || `${t('studio.microphone')} ${i + 1}`}
            </option>
          ))}
          {choice.source !== 'none' && <option value="none">{t('studio.none')}</option>}
        </select>
      </label>
    </fieldset>
  );
}
