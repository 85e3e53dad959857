import { signal } from '@preact/signals';

/** What a person may choose; `auto` follows the system. */
export const THEMES = ['auto', 'dark', 'light'] as const;
/** A choice of colours. */
export type Theme = (typeof THEMES)[number];

const STORED = 'onair.theme';

function remembered(): Theme {
  const chosen = typeof document === 'undefined' ? undefined : document.documentElement.dataset.theme;
  return chosen === 'dark' || chosen === 'light' ? chosen : 'auto';
}

/** The chosen colours. */
export const theme = signal<Theme>(remembered());

/** Use these colours from now on, on this and later pages. */
export function chooseTheme(next: Theme): void {
  theme.value = next;
  if (next === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === 'auto') localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, next);
  } catch {
    // storage is refused: the choice lasts as long as the page
  }
}
