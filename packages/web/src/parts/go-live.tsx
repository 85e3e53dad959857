import type { JSX } from 'preact';
import { info } from '../api/live.ts';
import { t } from '../words/words.ts';
import { CopyField } from './copy-field.tsx';
import './go-live.css';
import { Icon } from './icon.tsx';
import { DEMO_LINE, ffmpegLine, publishTarget } from './publish-ways.ts';

/** The ways to go live, each one copy away. */
export function GoLive({
  app = 'live',
  name = 'test',
}: {
  readonly app?: string;
  readonly name?: string;
}): JSX.Element {
  const target = publishTarget(app, name, location.hostname, info.value);
  return (
    <div class="ways">
      <section class="panel way">
        <h2>
          <Icon name="camera" />
          OBS Studio
        </h2>
        <p class="muted small">{t('golive.obs')}</p>
        <CopyField label={t('golive.server')} text={target.server} />
        <CopyField label={t('golive.key')} text={target.key} />
      </section>
      <section class="panel way">
        <h2>
          <Icon name="terminal" />
          ffmpeg
        </h2>
        <p class="muted small">{t('golive.ffmpeg')}</p>
        <CopyField label={t('golive.command')} text={ffmpegLine(target.url)} wrap />
      </section>
      <section class="panel way">
        <h2>
          <Icon name="bolt" />
          {t('golive.demo.title')}
        </h2>
        <p class="muted small">{t('golive.demo')}</p>
        <CopyField label={t('golive.command')} text={DEMO_LINE} />
      </section>
      {info.value?.keyNeeded === true && (
        <p class="notice ways-notice">
          <Icon name="key" />
          {t('golive.keyNeeded')}
        </p>
      )}
    </div>
  );
}
