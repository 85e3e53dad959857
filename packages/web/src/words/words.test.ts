import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
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
