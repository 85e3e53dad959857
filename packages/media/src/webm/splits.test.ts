import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  brief,
  clusterParts,
  type Demuxed,
  demux,
  endless,
  recording,
  simpleBlock,
  vp8Frame,
} from '../../../../test/kit/webm-files.ts';
import { concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { DEFAULT_MAX_BLOCK_BYTES, dumpElements, ElementLister, ID, WebmDemuxer, webmFile } from './index.ts';

const RUNS = 60;

/** All that a demuxer tells, as text: one comparison of strings is cheap. */
function told({ tracks, samples, inits, faults, demuxer }: Demuxed): string {
  const lines = [
    ...inits.map((init) => `init ${init.recording} ${init.segmentOffset}`),
    ...tracks.map(({ id, parameters }) => `track ${id} ${parameters.codec}`),
    ...samples.map((sample) => brief(sample)),
    ...faults.map(({ code, offset }) => `${code} ${offset}`),
    `dropped ${demuxer.dropped}`,
  ];
  return lines.join('\n');
}

const streamed = recording({ clusters: 2, pictures: 2 });
const short = recording({ clusters: 1, pictures: 2 });
const { tracks, samples } = demux([streamed]);
const finished = webmFile(tracks, samples);
/** Two recordings with damage between and in them. */
const damaged = concatBytes([
  short.subarray(0, 300),
  Uint8Array.of(0, 0xff, 0x1f, 0x43, 0xb6),
  finished.subarray(0, -20),
  short,
]);
const FILES: readonly (readonly [string, Uint8Array])[] = [
  ['a recording', streamed],
  ['a finished file', finished],
  ['a damaged one', damaged],
];

describe.each(FILES)('%s gives the same however it is cut', (_, file) => {
  const whole = told(demux([file]));

  it('octet by octet', () => {
    expect(whole.split('\n').length).toBeGreaterThan(15);
    expect(told(demux(Array.from(file, (octet) => Uint8Array.of(octet))))).toBe(whole);
  });

  it('in two at every place', () => {
    for (let at = 1; at < file.length; at++) {
      expect(told(demux([file.subarray(0, at), file.subarray(at)]))).toBe(whole);
    }
  });

  it('in any pieces', () => {
    const cuts = fc.array(fc.integer({ min: 0, max: file.length }), { maxLength: 60 });
    fc.assert(
      fc.property(cuts, (places) => {
        const sorted = [0, ...places.sort((a, b) => a - b), file.length];
        const pieces = sorted.slice(1).map((to, i) => file.slice(sorted[i], to));
        expect(told(demux(pieces))).toBe(whole);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('hostile bytes', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const mutations = fc.array(
    fc.record({
      at: fc.nat(),
      kind: fc.constantFrom<'set' | 'insert' | 'remove'>('set', 'insert', 'remove'),
      octets: fc.array(fc.oneof(octet, fc.constantFrom(0xff, 0x1f, 0xa3, 0xa0, 0x01)), {
        minLength: 1,
        maxLength: 9,
      }),
    }),
    { minLength: 1, maxLength: 12 },
  );
  const mutated = fc.tuple(fc.constantFrom(streamed, finished), mutations).map(([file, changes]) => {
    let bytes = [...file];
    for (const { at, kind, octets } of changes) {
      const place = at % bytes.length;
      const removed = kind === 'insert' ? 0 : octets.length;
      bytes.splice(place, removed, ...(kind === 'remove' ? [] : octets));
      if (bytes.length === 0) bytes = [0];
    }
    return Uint8Array.from(bytes);
  });

  /** Demuxes in pieces; only a ParseError may come out. */
  function survive(bytes: Uint8Array, piece: number): { handed: number; faults: number } {
    let handed = 0;
    let faults = 0;
    const demuxer = new WebmDemuxer({
      onTrack: () => undefined,
      onSample: ({ dts, pts, data }) => {
        expect(Number.isSafeInteger(dts) && Number.isSafeInteger(pts)).toBe(true);
        handed += data.length;
      },
      onFault: (error) => {
        expect(error).toBeInstanceOf(ParseError);
        faults++;
      },
      onCues: () => undefined,
      onTags: () => undefined,
      onSeekHead: () => undefined,
    });
    try {
      for (let at = 0; at < bytes.length; at += piece) {
        demuxer.push(bytes.subarray(at, at + piece));
        expect(demuxer.buffered).toBeLessThanOrEqual(at + piece);
      }
    } catch (error) {
      expect(error).toBeInstanceOf(ParseError);
    }
    demuxer.end();
    return { handed, faults };
  }

  it('end in errors with names, never in more than was sent', () => {
    fc.assert(
      fc.property(mutated, fc.integer({ min: 1, max: 400 }), (bytes, piece) => {
        const { handed, faults } = survive(bytes, piece);
        expect(handed).toBeLessThanOrEqual(bytes.length);
        expect(faults).toBeLessThanOrEqual(bytes.length / 2 + 2);
      }),
      { numRuns: 250 },
    );
  });

  it('give the same however they are cut', () => {
    const outcome = (pieces: readonly Uint8Array[]): string => {
      try {
        return told(demux(pieces));
      } catch (error) {
        if (error instanceof ParseError) return `${error.code} ${error.offset}`;
        throw error;
      }
    };
    fc.assert(
      fc.property(mutated, fc.integer({ min: 1, max: 90 }), (bytes, size) => {
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.slice(i * size, (i + 1) * size),
        );
        expect(outcome(pieces)).toBe(outcome([bytes]));
      }),
      { numRuns: RUNS },
    );
  });

  it('never stop a listing', () => {
    fc.assert(
      fc.property(mutated, (bytes) => {
        expect(dumpElements(bytes).length).toBeGreaterThan(1);
      }),
      { numRuns: RUNS },
    );
  });

  it('cost no more than their length', () => {
    const rubbish = new Uint8Array(500_000);
    let state = 1;
    for (let i = 0; i < rubbish.length; i++) {
      state = (state * 48_271) % 2_147_483_647;
      rubbish[i] = state & 0xff;
    }
    const begun = performance.now();
    for (const fill of [undefined, 0x1f, 0xec, 0x80, 0xa3, 0x00]) {
      const tail = fill === undefined ? rubbish : new Uint8Array(rubbish.length).fill(fill);
      survive(concatBytes([streamed, tail]), 65_536);
    }
    expect(performance.now() - begun).toBeLessThan(15_000);
  });

  it('are not kept beyond one block', () => {
    const lengths: number[] = [];
    const demuxer = new WebmDemuxer({ onTrack: () => undefined, onSample: () => undefined });
    demuxer.push(streamed);
    // a block that says it has 8 MiB, then one that says it has 200 MiB
    for (const size of [0x80_0000, 0xc80_0000]) {
      const header = Uint8Array.of(
        0xa3,
        0x10 | (size >>> 24),
        (size >> 16) & 255,
        (size >> 8) & 255,
        size & 255,
      );
      demuxer.push(header);
      const piece = new Uint8Array(1024 * 1024);
      for (let i = 0; i < 12; i++) {
        demuxer.push(piece);
        lengths.push(demuxer.buffered);
      }
    }
    expect(Math.max(...lengths)).toBeLessThanOrEqual(DEFAULT_MAX_BLOCK_BYTES + 8);
    const rows: string[] = [];
    const lister = new ElementLister({ onRow: ({ name }) => rows.push(name) });
    lister.push(streamed);
    expect(rows.filter((name) => name === 'SimpleBlock')).toHaveLength(12);
  });

  it('one by one in a long block are put together', () => {
    const frame = vp8Frame(true, 100_000);
    for (let i = 10; i < frame.length; i++) frame[i] = i % 251;
    const long = endless(ID.Cluster, ...clusterParts(9, [simpleBlock(1, 0, frame)]));
    const octets = Array.from(long, (value) => Uint8Array.of(value));
    const { samples, faults } = demux([streamed, ...octets]);
    expect(faults).toEqual([]);
    expect(samples.at(-1)!.data).toEqual(frame);
  });
});
