import { useSignalEffect } from '@preact/signals';
import { type ComponentChildren, type JSX, render } from 'preact';
import '../styles/base.css';
import { live, loadInfo, runClock } from '../api/live.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { chooseTheme, THEMES, type Theme, theme } from '../theme/theme.ts';
import {
  chooseLanguage,
  LANGUAGE_NAMES,
  LANGUAGES,
  type Language,
  language,
  t,
  type WordKey,
} from '../words/words.ts';
import './frame.css';

/** A place of the navigation. */
export type Place = 'home' | 'studio' | 'dashboard' | 'inspect' | 'elsewhere';

const PLACES: readonly {
  readonly place: Place;
  readonly href: string;
  readonly icon: IconName;
  readonly word: WordKey;
}[] = [
  { place: 'home', href: '/', icon: 'live', word: 'nav.home' },
  { place: 'studio', href: '/studio', icon: 'camera', word: 'nav.studio' },
  { place: 'dashboard', href: '/dashboard', icon: 'gauge', word: 'nav.dashboard' },
  { place: 'inspect', href: '/inspect', icon: 'lens', word: 'nav.inspect' },
];

const THEME_ICONS: Readonly<Record<Theme, IconName>> = { auto: 'screen', dark: 'moon', light: 'sun' };

function Navigation({ place }: { readonly place: Place }): JSX.Element {
  return (
    <nav class="tabs" aria-label={t('nav')}>
      {PLACES.map((entry) => (
        <a key={entry.place} href={entry.href} aria-current={entry.place === place ? 'page' : undefined}>
          <Icon name={entry.icon} />
          {t(entry.word)}
        </a>
      ))}
    </nav>
  );
}

function LanguageSwitch(): JSX.Element {
  return (
    <label class="language">
      <Icon name="language" />
      <span class="out-of-sight">{t('language')}</span>
      <select
        value={language.value}
        onChange={(event) => void chooseLanguage(event.currentTarget.value as Language)}
      >
        {LANGUAGES.map((code) => (
          <option key={code} value={code} lang={code}>
            {LANGUAGE_NAMES[code]}
          </option>
        ))}
      </select>
    </label>
  );
}

function ThemeSwitch(): JSX.Element {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'auto';
  const label = t('theme', { now: t(`theme.${theme.value}`) });
  return (
    <button
      type="button"
      class="button button-plain button-icon"
      title={label}
      aria-label={label}
      onClick={() => chooseTheme(next)}
    >
      <Icon name={THEME_ICONS[theme.value]} />
    </button>
  );
}

function LinkNotice(): JSX.Element {
  return (
    <div role="status" class="link-notice">
      {live().link.value === 'lost' && (
        <p class="notice">
          <Icon name="offline" />
          {t('link.lost')}
        </p>
      )}
    </div>
  );
}

/** What every page stands in: head with navigation and switches, the notice of a lost server, the content. */
export function Frame({
  place,
  wide = false,
  title,
  children,
}: {
  readonly place: Place;
  /** The content goes from edge to edge. */
  readonly wide?: boolean;
  /** Stands in the window's title. */
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  useTitle(title);
  const onAir = live().streams.value?.some((stream) => stream.state === 'live');
  return (
    <>
      <a class="skip" href="#content">
        {t('nav.skip')}
      </a>
      <header class="head">
        <a class="brand" href="/" aria-label={t('nav.brand')}>
          <svg viewBox="0 0 32 32" aria-hidden="true" class={onAir ? 'brand-live' : undefined}>
            <circle class="brand-ring" cx="16" cy="16" r="11" />
            <circle class="brand-core" cx="16" cy="16" r="4.5" />
          </svg>
          onair
        </a>
        <Navigation place={place} />
        <div class="head-end">
          <LanguageSwitch />
          <ThemeSwitch />
        </div>
      </header>
      <LinkNotice />
      <main id="content" class={wide ? 'content content-wide' : 'content'} tabindex={-1}>
        {children}
      </main>
    </>
  );
}

/** Keep the window's title and the document's language right. */
export function useTitle(title: string): void {
  document.title = title === 'onair' ? title : `${title} · onair`;
  useSignalEffect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-Hans' : language.value;
  });
}

/** Start a page: fill `#page`, learn what the server is, keep the clock going. */
export function start(page: JSX.Element): void {
  void loadInfo();
  runClock();
  const root = document.getElementById('page');
  if (root !== null) render(page, root);
}
