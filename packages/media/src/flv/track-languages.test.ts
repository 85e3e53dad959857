import { expect, it } from 'vitest';
import type { AmfObject } from '../amf/index.ts';
import type { Track } from '../model/sample.ts';
import { languageProperties, trackLanguages } from './track-languages.ts';

it('reads the languages of every track by our ids', () => {
  const metadata: AmfObject = {
    audiolanguage: 'ja',
    audioTrackIdInfoMap: { 1: { language: 'en-US' }, 2: { channels: 2 }, x: { language: 'fr' } },
    videoTrackIdInfoMap: { 0: { language: 'de' } },
  };
  expect([...trackLanguages(metadata)]).toEqual([
    [2, 'ja'],
    [1, 'de'],
    [4, 'en-US'],
  ]);
});

it('writes what it reads', () => {
  const tracks = [
    { id: 1 },
    { id: 2, language: 'ja' },
    { id: 3, language: 'de' },
    { id: 4, language: 'en-US' },
    { id: 6 },
  ] as Track[];
  const written = languageProperties(tracks);
  expect([...trackLanguages(written)]).toEqual([
    [2, 'ja'],
    [3, 'de'],
    [4, 'en-US'],
  ]);
  expect(languageProperties([{ id: 1 }, { id: 2 }] as Track[])).toEqual({});
});

it.each([[undefined], [{ language: 5 }], [{ language: '"><script>' }], [{ language: 'e' }]])(
  'takes nothing from %j',
  (metadata) => {
    const object = metadata === undefined ? undefined : (metadata as AmfObject);
    expect(trackLanguages(object).size).toBe(0);
  },
);

it('takes nothing from maps that are none', () => {
  for (const map of [null, 1, 'x', []]) {
    expect(trackLanguages({ audioTrackIdInfoMap: map } as AmfObject).size).toBe(0);
  }
});
