import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { DeviceFields } from '../studio/device-fields.tsx';
import { type DeviceChoice, devicesAllowed, openDevices, watchDevices } from '../studio/devices.ts';
import { Preview } from '../studio/preview.tsx';
import { Roles } from '../studio/roles.tsx';
import { t } from '../words/words.ts';
import { Report } from './report.ts';
import '../studio/studio.css';

/** A recorder's code, or its link, which ends in it. */
const CODE = /^(?:.*#)?([A-Za-z0-9_-]{16,64})$/;

function codeOf(text: string): string | undefined {
  return CODE.exec(text.trim())?.[1];
}

/** Shows this device's picture to a recorder, which calls. */
export function Reporter(): JSX.Element {
  const choice = useSignal<DeviceChoice>({ source: 'camera', camera: '', microphone: '' });
  const typed = useSignal(location.hash.slice(1));
  const media = useSignal<MediaStream | undefined>(undefined);
  const report = useSignal<Report | undefined>(undefined);
  const fault = useSignal<string | undefined>(undefined);
  const code = codeOf(typed.value);

  const stop = (): void => {
    report.peek()?.close();
    report.value = undefined;
    for (const track of media.peek()?.getTracks() ?? []) track.stop();
    media.value = undefined;
  };
  useEffect(watchDevices, []);
  useEffect(() => {
    window.addEventListener('pagehide', stop);
    return () => {
      window.removeEventListener('pagehide', stop);
      stop();
    };
  }, []);
  // Only at a press: whoever makes somebody open a link shall not have the picture of that room.
  const open = async (): Promise<void> => {
    if (code === undefined) return;
    fault.value = undefined;
    try {
      const next = await openDevices(choice.peek());
      const old = media.peek();
      media.value = next;
      if (report.peek() === undefined) report.value = new Report(code, next);
      else await report.peek()!.show(next);
      for (const track of old?.getTracks() ?? []) track.stop();
    } catch (error) {
      fault.value = t('studio.denied', { why: error instanceof Error ? error.message || error.name : '' });
    }
  };
  const choose = (change: Partial<DeviceChoice>): void => {
    choice.value = { ...choice.peek(), ...change };
    if (media.peek() !== undefined) void open();
  };
  const state = report.value?.state.value;
  return (
    <Frame place="elsewhere" title={t('reporter.title')}>
      <div class="studio">
        <Roles here="reporter" />
        <h1>{t('reporter.title')}</h1>
        <Preview
          media={media.value}
          mirrored={choice.value.source === 'camera' && choice.value.camera !== 'environment'}
          live={state === 'shown'}
          hint={t('studio.preview.none')}
        />
        <div class="studio-side">
          {devicesAllowed() ? (
            <DeviceFields choice={choice.value} live={report.value !== undefined} choose={choose} />
          ) : (
            <p class="notice">
              <Icon name="alert" />
              {t('studio.insecure')}
            </p>
          )}
          <label class="studio-field">
            {t('reporter.code')}
            <input
              type="text"
              autocomplete="off"
              spellcheck={false}
              value={typed.value}
              disabled={report.value !== undefined}
              onInput={(event) => {
                typed.value = event.currentTarget.value;
              }}
            />
          </label>
          {fault.value !== undefined && (
            <p class="notice" role="alert">
              <Icon name="alert" />
              {fault.value}
            </p>
          )}
          <div class="studio-row">
            {report.value === undefined ? (
              <button
                type="button"
                class="button button-main"
                disabled={!devicesAllowed() || code === undefined}
                onClick={() => void open()}
              >
                <Icon name="camera" small />
                {t('studio.open')}
              </button>
            ) : (
              <button type="button" class="button studio-red" onClick={stop}>
                <Icon name="stop" />
                {t('reporter.stop')}
              </button>
            )}
          </div>
          <p role="status" class={state === 'broken' ? 'studio-word studio-word-amber' : 'studio-word'}>
            {state !== undefined && <Icon name={state === 'shown' ? 'check' : 'hourglass'} />}
            {t(
              state === undefined
                ? code === undefined
                  ? 'reporter.none'
                  : 'reporter.closed'
                : `reporter.${state}`,
            )}
          </p>
        </div>
      </div>
    </Frame>
  );
}
