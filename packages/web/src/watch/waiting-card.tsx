import type { JSX } from 'preact';
import { info } from '../api/live.ts';
import { CopyField } from '../parts/copy-field.tsx';
import { ffmpegLine, publishTarget } from '../parts/publish-ways.ts';
import { t } from '../words/words.ts';
import type { StreamAddress } from './address.ts';

/** Stands where the picture will be: what is awaited and how to send it. */
export function WaitingCard({
  stream,
  ended,
}: {
  readonly stream: StreamAddress;
  readonly ended: boolean;
}): JSX.Element {
  const target = publishTarget(stream.app, stream.name, location.hostname, info.value);
  return (
    <div class="waiting">
      <div class="waiting-card">
        <h2>
          <span class="waiting-lamp" aria-hidden="true" />
          {ended ? t('waiting.ended', { name: stream.full }) : t('waiting.title', { name: stream.full })}
        </h2>
        <p>{t('waiting.text', { server: target.server, key: target.key })}</p>
        <div class="waiting-fields">
          <CopyField label={t('golive.server')} text={target.server} />
          <CopyField label={t('golive.key')} text={target.key} />
          <CopyField label="ffmpeg" text={ffmpegLine(target.url)} />
        </div>
        {info.value?.keyNeeded === true && <p>{t('golive.keyNeeded')}</p>}
        <p class="waiting-note">{t('waiting.note')}</p>
      </div>
    </div>
  );
}
