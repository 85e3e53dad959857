import { bytesSource } from '@onair/media/file';
import { inspect, SENTENCES } from '@onair/media/inspect';
import { afterEach, expect, it } from 'vitest';
import { language } from '../words/words.ts';
import { findingWords } from './finding-words.ts';
import sentences from './sentences.json' with { type: 'json' };

const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!).sort();

afterEach(() => {
  language.value = 'en';
});

it('has every sentence of the inspector in Japanese and Chinese, with the same values in it', () => {
  expect(Object.keys(sentences).sort()).toEqual(Object.keys(SENTENCES).sort());
  for (const [key, english] of Object.entries(SENTENCES)) {
    const texts = sentences[key as keyof typeof SENTENCES];
    expect(texts, key).toHaveLength(2);
    const own = key.endsWith('/once') ? ['track'] : holes(english);
    for (const text of texts) expect(holes(text), key).toEqual(own);
  }
});

it('says a finding in the language of the page', async () => {
  const bytes = Uint8Array.of(0, 0, 0, 16, ...new TextEncoder().encode('ftypisom'), 0, 0, 0, 0, 0, 0, 0, 99);
  const more = Uint8Array.from([...bytes, ...new TextEncoder().encode('mdat')]);
  const { findings } = await inspect(bytesSource(more));
  const [cut] = findings;
  expect(findingWords(cut!)).toEqual({
    text: 'Box "mdat" announces 99 bytes, but the file ends after 8: it is cut off or its size is wrong.',
    lang: 'en',
  });
  language.value = 'ja';
  expect(findingWords(cut!)).toMatchObject({ lang: 'ja' });
  expect(findingWords(cut!).text).toContain('ボックス "mdat" は 99 バイト');
  language.value = 'zh';
  expect(findingWords(cut!).text).toContain('box "mdat" 声明有 99 字节，但文件在 8 字节后结束');
});

it('leaves what parsers say in English, marked as such', () => {
  language.value = 'zh';
  const message = 'the access unit ends within a NAL length.';
  const finding = { severity: 'error', code: 'NAL_MALFORMED', message } as const;
  expect(findingWords(finding)).toEqual({ text: message, lang: 'en' });
});
