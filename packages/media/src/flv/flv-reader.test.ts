import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../model/index.ts';
import { type FlvItem, FlvReader } from './flv-reader.ts';
import { encodeFlvTag, flvFileHeader, type Tag } from './tag.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

/** Everything in `bytes`, fed in pieces that end at `cuts`. */
function read(bytes: Uint8Array, cuts: readonly number[] = [], maxTagBytes?: number): FlvItem[] {
  const reader = new FlvReader(maxTagBytes === undefined ? {} : { maxTagBytes });
  const items: FlvItem[] = [];
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    reader.push(bytes.subarray(from, to));
    from = to;
    for (let item = reader.next(); item !== undefined; item = reader.next()) items.push(item);
  }
  return items;
}

const TAGS: readonly (readonly [name: string, tag: Tag, bytes: string])[] = [
  [
    'AAC configuration',
    { type: 'audio', timestampMs: 0, body: hex('af001210') },
    '08 000004 000000 00 000000 af001210 0000000f',
  ],
  [
    'a timestamp beyond 24 bits',
    { type: 'video', timestampMs: 0x0123_4567, body: hex('1702000000') },
    '09 000005 234567 01 000000 1702000000 00000010',
  ],
  [
    'the last millisecond before the wrap, nothing in it',
    { type: 'script', timestampMs: 0xffff_ffff, body: hex('') },
    '12 000000 ffffff ff 000000 0000000b',
  ],
];
const stream = (): Uint8Array =>
  hex(`464c56010500000009 00000000 ${TAGS.map(([, , bytes]) => bytes).join('')}`.replaceAll(' ', ''));
const items = [
  { kind: 'header', audio: true, video: true },
  ...TAGS.map(([, tag]) => ({ kind: 'tag', tag })),
];

describe('tags', () => {
  for (const [name, tag, bytes] of TAGS) {
    it(`are written: ${name}`, () => expect(encodeFlvTag(tag)).toEqual(hex(bytes.replaceAll(' ', ''))));
  }

  it('are sent modulo 2^32', () => {
    const body = hex('00');
    const wrapped = encodeFlvTag({ type: 'audio', timestampMs: 2 ** 32 * 5 + 7, body });
    expect(wrapped).toEqual(encodeFlvTag({ type: 'audio', timestampMs: 7, body }));
  });

  it('have 24 bits of size at most', () => {
    const body = new Uint8Array(2 ** 24);
    expect(() => encodeFlvTag({ type: 'video', timestampMs: 0, body })).toThrow(
      expect.objectContaining({ code: 'FLV_TAG_TOO_LARGE' }),
    );
  });

  it('follow a header that tells audio from video', () => {
    expect(flvFileHeader({ audio: true, video: true })).toEqual(stream().subarray(0, 13));
    expect(read(flvFileHeader({ audio: false, video: true }))).toEqual([
      { kind: 'header', audio: false, video: true },
    ]);
  });
});

describe('reader', () => {
  it('reads them whole, byte by byte, and cut at each position', () => {
    const bytes = stream();
    expect(read(bytes)).toEqual(items);
    expect(read(bytes, [...bytes.keys()])).toEqual(items);
    for (let cut = 0; cut <= bytes.length; cut++) expect(read(bytes, [cut])).toEqual(items);
  });

  it('hands out a tag before its trailer has come', () => {
    expect(read(stream().subarray(0, -4))).toEqual(items);
    expect(read(stream().subarray(0, -16)).length).toBe(items.length - 1);
  });

  it('passes over longer file headers and false trailers', () => {
    const bytes = stream();
    const longer = hex(`464c56010500000 00baaaa00000000`.replaceAll(' ', ''));
    expect(read(Uint8Array.of(...longer, ...bytes.subarray(13)))).toEqual(items);
    bytes.fill(0, bytes.length - 4);
    expect(read(bytes)).toEqual(items);
  });

  it('refuses what is no FLV at its first wrong byte', () => {
    for (const text of ['00', '464d', '464c57', '47455420', '464c560105000000080000', '464c5601050000ffff']) {
      expect(() => read(hex(text))).toThrow(expect.objectContaining({ code: 'FLV_SIGNATURE_MISSING' }));
    }
    expect(read(hex('464c'))).toEqual([]);
  });

  it('refuses unknown, encrypted and oversized tags', () => {
    const file = (tag: string): Uint8Array => hex(`464c5601050000000900000000${tag}`);
    for (const [tag, code] of [
      ['0a00000000000000000000', 'FLV_TAG_TYPE_UNKNOWN'],
      ['2900000000000000000000', 'FLV_TAG_ENCRYPTED'],
      ['0900040100000000000000', 'FLV_TAG_TOO_LARGE'],
    ] as const) {
      expect(() => read(file(tag), [], 1024)).toThrow(expect.objectContaining({ code }));
    }
    expect(read(file('0900040000000000000000'), [], 1024)).toEqual([items[0]]);
  });

  it('gives the same for a real file however it is cut', () => {
    const bytes = new Uint8Array(
      readFileSync(new URL('../../fixtures/h264-aac-bframes.flv', import.meta.url)),
    );
    const print = (found: readonly FlvItem[]): string[] =>
      found.map((item) => (item.kind === 'tag' ? `${item.tag.timestampMs} ${item.tag.body}` : 'header'));
    const whole = print(read(bytes)).join('\n');
    const cuts = fc
      .array(fc.nat({ max: bytes.length }), { maxLength: 40 })
      .map((positions) => positions.sort((a, b) => a - b));
    fc.assert(
      fc.property(cuts, (at) => {
        expect(print(read(bytes, at)).join('\n') === whole).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('survives anything with a typed error', () => {
    const input = fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 213 }));
    fc.assert(
      fc.property(input, ([prefixed, bytes, cut]) => {
        const all = prefixed ? Uint8Array.of(...hex('464c560105000000090000000009000003'), ...bytes) : bytes;
        try {
          read(all, [Math.min(cut, all.length)]);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
