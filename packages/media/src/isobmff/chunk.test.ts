import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex, sample, TRACKS } from '../../../../test/kit/mp4-tracks.ts';
import { concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Sample } from '../model/sample.ts';
import { chunk } from './chunk.ts';
import { dumpBoxes } from './dump.ts';
import { initSegment } from './init.ts';
import { parseChunks } from './parse-chunks.ts';

const video = TRACKS.h264!;
const audio = TRACKS.aac!;

const one = (samples: readonly Sample[], sequence = 1): Uint8Array =>
  chunk({
    track: samples[0]!.track,
    sequence,
    baseDecodeTime: samples[0]!.dts,
    samples,
    durations: samples.map(() => 3000),
  });

describe('chunk', () => {
  it('writes a video frame as reviewed', async () => {
    const frame = one([sample(video, 2 ** 33 + 5, { cts: -3000, key: true })], 2 ** 32 + 9);
    await expect(dumpBoxes(frame)).toMatchFileSnapshot('golden/chunk-video.txt');
  });

  it('writes audio frames as reviewed', async () => {
    const frames = one([sample(audio, 1024), sample(audio, 2048, { size: 3 })]);
    await expect(dumpBoxes(frames)).toMatchFileSnapshot('golden/chunk-audio.txt');
  });

  it('writes styp, prft and emsg as reviewed', async () => {
    const bytes = chunk({
      track: video,
      sequence: 7,
      baseDecodeTime: 90000,
      samples: [sample(video, 90000), sample(video, 93000, { cts: 6000, key: false })],
      durations: [3000, 3001],
      styp: 'segment',
      prft: { wallMs: 1_700_000_000_250, mediaTime: 90000 },
      emsg: [
        {
          scheme: 'urn:example:event',
          value: 'クイズ🎉',
          timescale: 90000,
          presentationTime: 93000,
          duration: 0xffffffff,
          id: 3,
          data: hex('7b7d'),
        },
      ],
    });
    await expect(dumpBoxes(bytes)).toMatchFileSnapshot('golden/chunk-all.txt');
    const [parsed] = parseChunks(bytes);
    expect(parsed).toMatchObject({
      sequence: 7,
      start: 0,
      end: bytes.length,
      styp: { majorBrand: 'cmfs' },
      prft: { wallMs: 1_700_000_000_250, mediaTime: 90000 },
      events: [{ value: 'クイズ🎉', presentationTime: 93000, id: 3 }],
    });
  });

  it('is read back, chunk after chunk, sample for sample', () => {
    const element = fc.record({
      cts: fc.integer({ min: -90000, max: 900000 }),
      key: fc.boolean(),
      size: fc.integer({ min: 0, max: 40 }),
      fill: fc.nat(255),
      duration: fc.integer({ min: 1, max: 100000 }),
    });
    const input = fc.record({
      start: fc.nat(2 ** 50),
      isVideo: fc.boolean(),
      groups: fc.array(fc.array(element, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(input, ({ start, isVideo, groups }) => {
        const track = isVideo ? video : audio;
        let dts = start;
        const written = groups.map((group) =>
          group.map((item) => {
            const made = sample(track, dts, isVideo ? item : { size: item.size, fill: item.fill });
            dts += item.duration;
            return made;
          }),
        );
        const bytes = concatBytes([
          initSegment(track),
          ...written.map((samples, i) =>
            chunk({
              track,
              sequence: i + 1,
              baseDecodeTime: samples[0]!.dts,
              samples,
              durations: groups[i]!.map((item) => item.duration),
            }),
          ),
        ]);
        const parsed = parseChunks(bytes);
        expect(parsed.map(({ sequence }) => sequence)).toEqual(groups.map((_, i) => i + 1));
        const back = parsed.flatMap(({ tracks }) => tracks[0]!.samples);
        expect(back).toEqual(
          written.flat().map((made, i) => ({
            dts: made.dts,
            pts: made.pts,
            duration: groups.flat()[i]!.duration,
            keyframe: made.keyframe,
            data: made.data,
          })),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('refuses to write what 32 bits cannot hold', () => {
    const huge = { ...sample(video, 0), data: { length: 0x4000_0000 } as Uint8Array };
    expect(() => one([huge])).toThrow(expect.objectContaining({ code: 'MP4_CHUNK_TOO_LARGE' }));
  });
});

describe('parseChunks', () => {
  const good = one([sample(video, 0), sample(video, 3000, { cts: 3000, key: false })]);
  const guarded = (bytes: Uint8Array): void => {
    try {
      parseChunks(bytes);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  };
  const runAt = 68;

  it('refuses every truncation with a typed error, but nothing at all and a lone moof without samples', () => {
    for (let cut = 1; cut < good.length; cut++) {
      expect(() => parseChunks(good.subarray(0, cut)), `cut at ${cut}`).toThrow(ParseError);
    }
    expect(parseChunks(new Uint8Array(0))).toEqual([]);
  });

  it('survives every single byte being changed, and random changes', () => {
    for (let at = 0; at < good.length; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const bent = good.slice();
        bent[at] = value;
        guarded(bent);
      }
    }
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        const bent = good.slice();
        for (const [at, value] of changes) bent[at] = value;
        guarded(bent);
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses a run of 2^32 - 1 samples at once', () => {
    const bent = good.slice();
    const view = new DataView(bent.buffer);
    view.setUint32(runAt + 12, 0xffffffff);
    expect(() => parseChunks(bent)).toThrow(expect.objectContaining({ code: 'MP4_RUN' }));
    view.setUint32(runAt + 8, 0x0100_0001); // no columns: the box length cannot bound the count
    view.setUint32(runAt + 12, 60000);
    expect(() => parseChunks(bent)).toThrow(expect.objectContaining({ code: 'MP4_RUN' }));
    const overlapping = [{ trackId: 1, duration: 1, size: 1, flags: 0 }];
    expect(() => parseChunks(bent, overlapping)).toThrow(expect.objectContaining({ code: 'MP4_RUN' }));
  });

  it('takes the values a foreign fragment leaves to tfhd and trex', () => {
    // tfhd: default size 2; trun: two samples, first-sample-flags, no columns; mdat 4 bytes
    const bytes = hex(
      `00000054 6d6f6f66
       00000010 6d666864 00000000 00000003
       0000003c 74726166
       00000014 74666864 00020010 00000001 00000002
       00000010 74666474 00000000 00000064
       00000010 7472756e 00000004 00000002`.replaceAll(/\s/g, ''),
    );
    const run = concatBytes([bytes, hex('02000000'), hex('0000000c6d646174 01020304')]);
    const view = new DataView(run.buffer);
    view.setUint32(0, 88);
    view.setUint32(24, 64);
    view.setUint32(68, 20);
    const trex = [{ trackId: 1, duration: 50, size: 9, flags: 0x0101_0000 }];
    expect(parseChunks(run, trex)[0]!.tracks[0]!.samples).toEqual([
      { dts: 100, pts: 100, duration: 50, keyframe: true, data: hex('0102') },
      { dts: 150, pts: 150, duration: 50, keyframe: false, data: hex('0304') },
    ]);
  });

  it('reads what another muxer wrote', () => {
    // the overlapping mdat of a second moof is not taken for the first's
    const both = concatBytes([good, one([sample(video, 6000)], 2)]);
    const parsed = parseChunks(both);
    expect(parsed.map((item) => [item.start, item.end])).toEqual([
      [0, good.length],
      [good.length, both.length],
    ]);
  });
});
