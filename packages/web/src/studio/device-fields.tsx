import type { JSX } from 'preact';
import { t } from '../words/words.ts';
import { type DeviceChoice, devices, type PictureSource } from './devices.ts';

/** Lets somebody choose what to show and to say. */
export function DeviceFields({
  choice,
  live,
  choose,
}: {
  readonly choice: DeviceChoice;
  /** Pictures cannot come or go while they are sent; others can take their place. */
  readonly live: boolean;
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
    <fieldset class="studio-devices">
      <label class="studio-field">
        {t('studio.source')}
        <select
          value={choice.source}
          onChange={(event) => choose({ source: event.currentTarget.value as PictureSource })}
        >
          {sources.map(([value, text]) => (
            <option
              key={value}
              value={value}
              disabled={live && (value === 'none') !== (choice.source === 'none')}
            >
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
