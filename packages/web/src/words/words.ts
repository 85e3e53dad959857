/// <reference path="./virtual.d.ts" />
import english from 'virtual:words/en';
import { signal } from '@preact/signals';
import type catalogue from './catalogue.json';

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

type Texts = Readonly<Record<string, string>>;
/** What is loaded where a page speaks another language than English. */
const OTHERS: Readonly<Record<Exclude<Language, 'en'>, () => Promise<{ readonly default: Texts }>>> = {
  ja: () => import('virtual:words/ja'),
  zh: () => import('virtual:words/zh'),
};
const texts = new Map<Language, Texts>([['en', english]]);

/** Lets the page speak of more: English texts of a part of the catalogue, which the other languages bring along. */
export function addTexts(more: Texts): void {
  texts.set('en', { ...texts.get('en'), ...more });
}

/** The language that the page speaks now; its texts are loaded. */
export const language = signal<Language>('en');

/** Speaks `next` as soon as its texts are there; the language stays as it is if they cannot be had. */
async function speak(next: Language): Promise<void> {
  try {
    if (next !== 'en' && !texts.has(next)) texts.set(next, (await OTHERS[next]()).default);
    language.value = next;
  } catch {
    // the server is away: another choice, or the next page, tries again
  }
}

// Before anything is drawn, so that no page shows English first.
if (typeof navigator !== 'undefined') await speak(pickLanguage([...remembered(), ...navigator.languages]));

/** Speaks `next` from now on, on this and later pages. */
export async function chooseLanguage(next: Language): Promise<void> {
  await speak(next);
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // storage is refused: the choice lasts as long as the page
  }
}

/** The text `key` in the language of the page, each `{name}` replaced by the value of that name. */
export function t(key: WordKey, values: Readonly<Record<string, string | number>> = {}): string {
  return fill(texts.get(language.value)?.[key] ?? key, values);
}

/** `text` with each `{name}` replaced by the value of that name. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
