import type { JSX } from 'preact';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { t } from '../words/words.ts';
import './missing.css';

/** Says that nothing has this address, and where to go. */
export function Missing(): JSX.Element {
  return (
    <Frame place="elsewhere" title={t('missing.title')}>
      <div class="missing">
        <h1>{t('missing.title')}</h1>
        <p class="muted">{t('missing.text')}</p>
        <code class="mono">{decodeURI(location.pathname)}</code>
        <a class="button button-main" href="/">
          <Icon name="live" />
          {t('missing.home')}
        </a>
      </div>
    </Frame>
  );
}
