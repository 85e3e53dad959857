import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { WORD_PARTS } from '../../vite-words.ts';
import catalogue from './catalogue.json' with { type: 'json' };
import { chooseLanguage, LANGUAGES, language, pickLanguage, t, type WordKey } from './words.ts';

const SOURCES = fileURLToPath(new URL('..', import.meta.url));
const entries = Object.entries(catalogue) as [WordKey, string[]][];
const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();

afterEach(() => {
  language.value = 'en';
});

function sources(folder: string): string {
  return readdirSync(folder)
    .map((entry) => {
      const path = join(folder, entry);
      if (statSync(path).isDirectory()) return sources(path);
      return /\.tsx?$/.test(entry) && !entry.includes('.test.') ? readFileSync(path, 'utf8') : '';
    })
    .join('\n');
}

/** A file and what it imports of the pages' own sources, also later. */
function closure(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const [, target] of readFileSync(path, 'utf8').matchAll(/(?:from |import\()'(\.[^']+\.tsx?)'/g)) {
    closure(resolve(dirname(path), target!), seen);
  }
  return seen;
}

it('has every text in every language, with the same values in it', () => {
  for (const [key, texts] of entries) {
    expect(texts, key).toHaveLength(LANGUAGES.length);
    for (const text of texts) {
      expect(text.trim(), key).not.toBe('');
      expect(holes(text), key).toEqual(holes(texts[0]!));
    }
  }
});

it('has no text that no page uses', () => {
  const code = sources(SOURCES);
  const patterns = [...code.matchAll(/`([a-z]+(?:\.[a-z]+)*\.)\$\{[^}]+\}((?:\.[a-z]+)?)`/g)].map(
    ([, before, after]) => ({ before: before!, after: after! }),
  );
  const unused = entries
    .map(([key]) => key)
    .filter(
      (key) =>
        !code.includes(`'${key}'`) &&
        !patterns.some(({ before, after }) => key.startsWith(before) && key.endsWith(after)),
    );
  expect(unused).toEqual([]);
});

it('gives each page the parts of the catalogue that it speaks of', () => {
  const mains = readdirSync(SOURCES, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('main.tsx'));
  expect(mains.length).toBeGreaterThan(10);
  const faults: string[] = [];
  for (const main of mains) {
    const code = [...closure(join(SOURCES, main))].map((path) => readFileSync(path, 'utf8')).join('\n');
    for (const [part, begins] of Object.entries(WORD_PARTS)) {
      const speaks = entries.some(
        ([key]) => begins.includes(key.split('.', 1)[0]!) && code.includes(`'${key}'`),
      );
      if (speaks !== code.includes(`'virtual:words/en/${part}'`)) faults.push(`${main}: ${part} ${speaks}`);
    }
  }
  expect(faults).toEqual([]);
});

it('fills values in and leaves unknown holes visible', () => {
  expect(t('waiting.text', { server: 'rtmp://h/live', key: 'test' })).toBe(
    'Publish to rtmp://h/live with key test.',
  );
  expect(t('waiting.title')).toBe('Waiting for {name}');
});

it('speaks the chosen language', async () => {
  await chooseLanguage('ja');
  expect(t('state.live')).toBe('放送中');
  await chooseLanguage('zh');
  expect(t('state.live')).toBe('直播中');
});

it('picks the first wish that it can fulfil', () => {
  expect(pickLanguage(['de-DE', 'zh-TW', 'ja'])).toBe('zh');
  expect(pickLanguage(['ja-JP'])).toBe('ja');
  expect(pickLanguage([])).toBe('en');
});
