import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { live, MULTIVARIANT, segment } from '../../../../test/kit/playlists.ts';
import { checkMediaPlaylist, checkMultivariantPlaylist } from './check.ts';
import type { MediaPlaylist } from './model.ts';
import { parseMediaPlaylist, parseMultivariantPlaylist } from './parse.ts';
import { writeMediaPlaylist, writeMultivariantPlaylist } from './write.ts';

/** Drops fields that are undefined, so that absent and undefined compare equal. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, field) => (field instanceof Map ? [...field] : field)));

describe('writeMediaPlaylist', () => {
  it('writes a low-latency playlist as reviewed', async () => {
    await expect(writeMediaPlaylist(live(7, 6, 2))).toMatchFileSnapshot('golden/live.m3u8');
  });

  it('writes a delta update as reviewed', async () => {
    const whole = live(7, 12, 1);
    const delta: MediaPlaylist = {
      ...whole,
      skip: { skippedSegments: 6 },
      segments: whole.segments.slice(6),
    };
    await expect(writeMediaPlaylist(delta)).toMatchFileSnapshot('golden/delta.m3u8');
    expect(checkMediaPlaylist(delta)).toEqual([]);
  });

  it('writes every tag it knows, and they are read back', async () => {
    const playlist: MediaPlaylist = {
      ...live(4, 4, 1),
      version: 10,
      discontinuitySequence: 3,
      start: { timeOffset: -4.5, precise: true },
      serverControl: { canBlockReload: true, canSkipUntil: 6, canSkipDateRanges: true, partHoldBack: 1.1 },
      segments: [
        segment(4, false, { gap: true, title: 'Lücke' }),
        segment(5, false, {
          discontinuity: true,
          map: { uri: 'b.mp4', byteRange: { length: 700, offset: 0 } },
          key: {
            method: 'SAMPLE-AES',
            uri: 'skd://k',
            iv: '0xab',
            keyFormat: 'com.apple',
            keyFormatVersions: '1',
          },
          byteRange: { length: 1000, offset: 700 },
          parts: [
            {
              uri: 'segment-5.m4s',
              duration: 0.3,
              independent: true,
              gap: true,
              byteRange: { length: 10, offset: 5 },
            },
          ],
        }),
      ],
      pending: { discontinuity: true, programDateTime: 0, map: { uri: 'c.mp4' }, parts: [] },
      preloadHints: [
        { type: 'MAP', uri: 'c.mp4' },
        { type: 'PART', uri: 'p', byteRangeStart: 15, byteRangeLength: 4 },
      ],
      dateRanges: [
        {
          id: 'quiz-1',
          class: 'quiz',
          startDate: Date.UTC(2026, 0, 2, 3, 4, 6, 250),
          endDate: Date.UTC(2026, 0, 2, 3, 4, 7),
          duration: 0.75,
          plannedDuration: 0.8,
          client: new Map([['X-ASK', '"なに?"']]),
        },
      ],
    };
    const text = writeMediaPlaylist(playlist);
    await expect(text).toMatchFileSnapshot('golden/every-tag.m3u8');
    const key = { ...playlist.segments[1]!.key };
    expect(plain(parseMediaPlaylist(text))).toEqual(
      plain({ ...playlist, pending: { ...playlist.pending, key } }),
    );
  });

  it('gives back what it was given, and the text is stable', () => {
    const numbers = fc.record({
      first: fc.nat(2 ** 40),
      count: fc.integer({ min: 3, max: 9 }),
      parts: fc.nat(2),
    });
    fc.assert(
      fc.property(numbers, ({ first, count, parts }) => {
        const playlist = live(first % 1e9, count, parts);
        const text = writeMediaPlaylist(playlist);
        const back = parseMediaPlaylist(text);
        expect(plain(back)).toEqual(plain(playlist));
        expect(writeMediaPlaylist(back)).toBe(text);
        expect(checkMediaPlaylist(back)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('writeMultivariantPlaylist', () => {
  it('writes as reviewed and is read back', async () => {
    const text = writeMultivariantPlaylist(MULTIVARIANT);
    await expect(text).toMatchFileSnapshot('golden/multivariant.m3u8');
    expect(plain(parseMultivariantPlaylist(text))).toEqual(plain(MULTIVARIANT));
    expect(checkMultivariantPlaylist(parseMultivariantPlaylist(text))).toEqual([]);
  });
});
