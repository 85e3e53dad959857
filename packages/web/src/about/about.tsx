import type { JSX } from 'preact';
import { info } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { t, type WordKey } from '../words/words.ts';
import './about.css';

const PAGES: readonly {
  readonly href: string;
  readonly icon: IconName;
  readonly name: WordKey;
  readonly text: WordKey;
}[] = [
  { href: '/', icon: 'live', name: 'nav.home', text: 'about.home' },
  { href: '/studio', icon: 'camera', name: 'nav.studio', text: 'about.studio' },
  { href: '/live', icon: 'camera', name: 'cast.title', text: 'about.live' },
  { href: '/rooms', icon: 'live', name: 'about.rooms.name', text: 'about.rooms' },
  { href: '/files', icon: 'screen', name: 'files.title', text: 'about.files' },
  { href: '/inspect', icon: 'lens', name: 'nav.inspect', text: 'about.inspect' },
  { href: '/capabilities', icon: 'lens', name: 'about.capabilities.name', text: 'about.capabilities' },
  { href: '/dashboard', icon: 'gauge', name: 'nav.dashboard', text: 'about.dashboard' },
];

/** Says what this server is and what its pages are for. */
export function AboutPage(): JSX.Element {
  const version = info.value?.version;
  return (
    <Frame place="elsewhere" title={t('about.title')}>
      <div class="about">
        <h1>{t('about.title')}</h1>
        <p class="about-lead">{t('about.lead')}</p>
        <p>{t('about.text')}</p>
        <ul class="about-pages">
          {PAGES.map(({ href, icon, name, text }) => (
            <li key={href}>
              <a class="panel" href={href}>
                <Icon name={icon} />
                <strong>{t(name)}</strong>
                <span class="muted small">{t(text)}</span>
              </a>
            </li>
          ))}
        </ul>
        <p class="muted small">
          {version !== undefined && `onair ${version} · `}
          {t('about.licence')}
        </p>
      </div>
    </Frame>
  );
}
