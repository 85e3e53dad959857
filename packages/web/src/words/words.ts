import { signal } from '@preact/signals';
import catalogue from './catalogue.json' with { type: 'json' };

/** Languages of the pages, in the order in which the catalogue lists each text. */
export const LANGUAGES = ['en', 'ja', 'zh'] as const;
/** A language of the pages. */
export type Language = (typeof LANGUAGES)[number];
/** Name of a text in the catalogue. */
export type WordKey = keyof typeof catalogue;

/** What each language calls itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  ja: '日本語',
  zh: '简体中文',
};

const STORED = 'onair.language';

/** The first of the wished languages that the catalogue has; English if none is. */
export function pickLanguage(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    const short = wish.slice(0, 2).toLowerCase();
    const found = LANGUAGES.find((language) => language === short);
    if (found !== undefined) return found;
  }
  return 'en';
}

function remembered(): string[] {
  try {
    const stored = localStorage.getItem(STORED);
    return stored === null ? [] : [stored];
  } catch {
    return []; // storage is refused: the browser's own wishes decide
  }
}

/** The language that the page speaks now. */
export const language = signal<Language>(
  typeof navigator === 'undefined' ? 'en' : pickLanguage([...remembered(), ...navigator.languages]),
);

/** Speak `next` from now on, on this and later pages. */
export function chooseLanguage(next: Language): void {
  language.value = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // storage is refused: the choice lasts as long as the page
  }
}

/** The text `key` in the language of the page, each `{name}` replaced by the value of that name. */
export function t(key: WordKey, values: Readonly<Record<string, string | number>> = {}): string {
  const entry: readonly string[] = catalogue[key];
  const text = entry[LANGUAGES.indexOf(language.value)] ?? entry[0] ?? key;
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
