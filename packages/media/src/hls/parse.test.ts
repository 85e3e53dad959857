import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { live } from '../../../../test/kit/playlists.ts';
import { ParseError } from '../model/errors.ts';
import { MAX_LINE_LENGTH, MAX_PLAYLIST_LENGTH } from './lines.ts';
import { parseMediaPlaylist, parseMultivariantPlaylist, parsePlaylist } from './parse.ts';
import { writeMediaPlaylist } from './write.ts';

const code = (input: string | Uint8Array): string => {
  try {
    parsePlaylist(input);
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return 'none';
};

const SIMPLE = '#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.009,\nhttp://media.example.com/first.ts\n';

describe('parseMediaPlaylist', () => {
  it('reads the simple playlist of RFC 8216 §8.1', () => {
    const text = [
      '#EXTM3U',
      '#EXT-X-TARGETDURATION:10',
      '#EXT-X-VERSION:3',
      '#EXTINF:9.009,',
      'http://media.example.com/first.ts',
      '#EXTINF:9.009,',
      'http://media.example.com/second.ts',
      '#EXTINF:3.003,',
      'http://media.example.com/third.ts',
      '#EXT-X-ENDLIST',
    ];
    for (const end of ['\n', '\r\n']) {
      const playlist = parseMediaPlaylist(text.join(end));
      expect(playlist).toMatchObject({ version: 3, targetDuration: 10, mediaSequence: 0, endList: true });
      expect(playlist.segments.map(({ duration }) => duration)).toEqual([9.009, 9.009, 3.003]);
      expect(playlist.pending).toBeUndefined();
    }
  });

  it('reads the encrypted playlist of RFC 8216 §8.3', () => {
    const playlist = parseMediaPlaylist(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:3',
        '#EXT-X-MEDIA-SEQUENCE:7794',
        '#EXT-X-TARGETDURATION:15',
        '#EXT-X-KEY:METHOD=AES-128,URI="https://priv.example.com/key.php?r=52"',
        '#EXTINF:2.833,',
        'http://media.example.com/fileSequence52-A.ts',
        '#EXT-X-KEY:METHOD=AES-128,URI="https://priv.example.com/key.php?r=53"',
        '#EXTINF:15.0,',
        'http://media.example.com/fileSequence53-A.ts',
      ].join('\n'),
    );
    expect(playlist.segments.map(({ key }) => key?.uri?.slice(-2))).toEqual(['52', '53']);
  });

  it('takes bytes as well as text, passes over comments and unknown tags', () => {
    const text = '#EXTM3U\n# a comment ü\n#EXT-X-FUTURE:X=1\n#EXT-X-TARGETDURATION:1\n\n#EXTINF:1,t,\nä.ts';
    expect(parseMediaPlaylist(new TextEncoder().encode(text)).segments[0]).toMatchObject({
      uri: 'ä.ts',
      title: 't,',
    });
  });

  it('reads dates in every form of zone', () => {
    const dates = [
      '2010-02-19T14:54:23.031+08:00',
      '2010-02-19T06:54:23.031Z',
      '2010-02-19T14:54:23,031+0800',
    ];
    for (const date of [...dates, '2010-02-19T14:54:23.031+08']) {
      const text = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-PROGRAM-DATE-TIME:${date}\n#EXTINF:1,\na`;
      expect(parseMediaPlaylist(text).segments[0]!.programDateTime).toBe(
        Date.UTC(2010, 1, 19, 6, 54, 23, 31),
      );
    }
  });

  it.each([
    ['nothing', '', 'HLS_HEADER'],
    ['another first line', '#EXTM3U8\n#EXT-X-TARGETDURATION:1', 'HLS_HEADER'],
    ['a byte order mark', `\ufeff${SIMPLE}`, 'HLS_HEADER'],
    ['a NUL', `${SIMPLE}\0`, 'HLS_HEADER'],
    ['an escape character', `${SIMPLE}#\u001b[31m`, 'HLS_HEADER'],
    ['a C1 control character', `${SIMPLE}#\u0085`, 'HLS_HEADER'],
    ['a lone carriage return', `${SIMPLE}#a\rb\n`, 'HLS_HEADER'],
    ['a target duration twice', `${SIMPLE}#EXT-X-TARGETDURATION:10\n`, 'HLS_TAG'],
    ['#EXTM3U twice', `${SIMPLE}#EXTM3U\n`, 'HLS_TAG'],
    ['tags of both kinds', `${SIMPLE}#EXT-X-STREAM-INF:BANDWIDTH=1\na\n`, 'HLS_TAG'],
    ['a media sequence behind a segment', `${SIMPLE}#EXT-X-MEDIA-SEQUENCE:1\n`, 'HLS_TAG'],
    ['a discontinuity sequence behind a segment', `${SIMPLE}#EXT-X-DISCONTINUITY-SEQUENCE:1\n`, 'HLS_TAG'],
    ['no target duration', '#EXTM3U\n#EXTINF:1,\na\n', 'HLS_TAG'],
    ['an address without a duration', `${SIMPLE}second.ts\n`, 'HLS_SYNTAX'],
    ['a duration without an address', `${SIMPLE}#EXTINF:1,\n`, 'HLS_SYNTAX'],
    ['two durations', `${SIMPLE}#EXTINF:1,\n#EXTINF:1,\na\n`, 'HLS_SYNTAX'],
    ['a duration without its comma', '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1\na\n', 'HLS_SYNTAX'],
    ['a negative duration', '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:-1,\na\n', 'HLS_SYNTAX'],
    ['a number above 2^53', '#EXTM3U\n#EXT-X-TARGETDURATION:9007199254740993\n', 'HLS_SYNTAX'],
    ['a hexadecimal number', '#EXTM3U\n#EXT-X-TARGETDURATION:0x10\n', 'HLS_SYNTAX'],
    ['a date that is none', `${SIMPLE}#EXT-X-PROGRAM-DATE-TIME:2026-13-40T00:00:00Z\n`, 'HLS_SYNTAX'],
    ['white space in an address', '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na b\n', 'HLS_SYNTAX'],
    ['an attribute twice', `${SIMPLE}#EXT-X-MAP:URI="a",URI="b"\n`, 'HLS_ATTRIBUTE'],
    ['an open quote', `${SIMPLE}#EXT-X-MAP:URI="a\n`, 'HLS_ATTRIBUTE'],
    ['a value without quotes', `${SIMPLE}#EXT-X-MAP:URI=a\n`, 'HLS_ATTRIBUTE'],
    ['a missing attribute', `${SIMPLE}#EXT-X-PART:URI="a"\n`, 'HLS_ATTRIBUTE'],
    ['white space between attributes', `${SIMPLE}#EXT-X-PART:URI="a", DURATION=1\n`, 'HLS_ATTRIBUTE'],
    ['a comma at the end', `${SIMPLE}#EXT-X-PART:URI="a",DURATION=1,\n`, 'HLS_ATTRIBUTE'],
    ['a key without an address', `${SIMPLE}#EXT-X-KEY:METHOD=AES-128\n`, 'HLS_ATTRIBUTE'],
    ['a line without end', `${SIMPLE}#${'a'.repeat(MAX_LINE_LENGTH)}\n`, 'HLS_LIMIT'],
    ['a gigantic playlist', `#EXTM3U\n${'\n'.repeat(MAX_PLAYLIST_LENGTH)}`, 'HLS_LIMIT'],
    ['a playlist of empty lines', `#EXTM3U\n${'\n'.repeat(300_000)}`, 'HLS_LIMIT'],
    [
      'many attributes',
      `${SIMPLE}#EXT-X-MAP:${Array.from({ length: 80 }, (_, i) => `A${i}=1`).join(',')}`,
      'HLS_LIMIT',
    ],
  ])('refuses %s', (_, text, expected) => {
    expect(code(text)).toBe(expected);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(code(Uint8Array.of(0x23, 0x45, 0xff))).toBe('HLS_HEADER');
  });

  it('tells the kinds apart', () => {
    expect(() => parseMultivariantPlaylist(SIMPLE)).toThrow(expect.objectContaining({ code: 'HLS_TAG' }));
    const multivariant = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n';
    expect(() => parseMediaPlaylist(multivariant)).toThrow(expect.objectContaining({ code: 'HLS_TAG' }));
    expect(code('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=2\na')).toBe(
      'HLS_SYNTAX',
    );
    expect(code('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n')).toBe('HLS_SYNTAX');
    expect(code('#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a"\nb')).toBe('HLS_SYNTAX');
    expect(code('#EXTM3U\n#EXT-X-MEDIA:TYPE=SMELL,GROUP-ID="a",NAME="a"')).toBe('HLS_ATTRIBUTE');
    expect(code('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1:1\na')).toBe('HLS_ATTRIBUTE');
  });

  it('never throws anything but its own error', () => {
    const good = writeMediaPlaylist(live(1, 6, 2));
    const words = good.split(/([:,="\n])/);
    const scrambled = fc.array(
      fc.constantFrom(...words, '#EXT-X-SKIP:', '#EXT-X-DATERANGE:', '\0', '9'.repeat(30)),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(scrambled, (pieces) => {
        code(`#EXTM3U\n#EXT-X-TARGETDURATION:1\n${pieces.join('')}`);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(
        fc.nat(good.length),
        fc.nat(20),
        fc.string({ unit: 'binary', maxLength: 5 }),
        (at, cut, put) => {
          code(good.slice(0, at) + put + good.slice(at + cut));
        },
      ),
      { numRuns: 2000 },
    );
    for (let cut = 0; cut < good.length; cut++) code(good.slice(0, cut));
  });

  it('needs time in proportion to the text', () => {
    const line = `#EXT-X-MAP:${Array.from({ length: 2000 }, (_, i) => `A${i}=1`).join(',')}\n`;
    const started = performance.now();
    expect(code(`#EXTM3U\n${line.repeat(900)}`)).toBe('HLS_LIMIT');
    expect(
      code(`#EXTM3U\n#EXT-X-TARGETDURATION:1\n${'#EXT-X-PART:URI="a",DURATION=1\n'.repeat(100_000)}`),
    ).toBe('none');
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
