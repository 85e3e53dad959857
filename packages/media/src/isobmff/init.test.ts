import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex, TRACKS } from '../../../../test/kit/mp4-tracks.ts';
import type { AudioParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { dumpBoxes } from './dump.ts';
import { initSegment, progressiveHeader } from './init.ts';
import { parseInit } from './parse-init.ts';

describe('initSegment', () => {
  it.each(Object.keys(TRACKS))('%s looks as reviewed', async (codec) => {
    await expect(dumpBoxes(initSegment(TRACKS[codec]!))).toMatchFileSnapshot(`golden/init-${codec}.txt`);
  });

  it('writes pixel shape, colour, bitrate and language where they are known', async () => {
    const track = { ...TRACKS.h264!, language: 'pt-BR' };
    const bytes = initSegment(track, {
      pixelAspect: [4, 3],
      colour: { primaries: 1, transfer: 1, matrix: 1, fullRange: false },
      bitrate: { max: 900_000, average: 500_000 },
    });
    await expect(dumpBoxes(bytes)).toMatchFileSnapshot('golden/init-extras.txt');
    expect(parseInit(bytes).tracks[0]!.language).toBe('pt-BR');
    const german = { ...TRACKS.aac!, language: 'deu' };
    expect(parseInit(initSegment(german)).tracks[0]!.language).toBe('deu');
  });

  it('tells the decoded rate of Opus, whatever the recorder took in', () => {
    const { opus } = TRACKS;
    const parameters = opus!.parameters as AudioParameters;
    const description = hex('00020138 0000ac44 0000 00');
    expect(initSegment({ ...opus!, parameters: { ...parameters, description } })).toEqual(initSegment(opus!));
    expect(description[6]).toBe(0xac);
  });

  it.each(Object.keys(TRACKS))('%s is read back', (codec) => {
    const track = TRACKS[codec]!;
    const { parameters } = track;
    if (parameters.kind === 'data') throw new Error('no data track here');
    const read = parseInit(initSegment(track)).tracks;
    expect(read).toHaveLength(1);
    expect(read[0]).toMatchObject({
      trackId: track.id,
      kind: parameters.kind,
      codec,
      timebase: track.timebase,
      language: undefined,
      defaults: { trackId: track.id },
    });
    if (parameters.kind === 'video') expect(read[0]).toMatchObject({ width: 320, height: 180 });
    else expect(read[0]).toMatchObject({ sampleRate: parameters.sampleRate, channels: parameters.channels });
    if (parameters.description.length > 0) expect(read[0]!.description).toEqual(parameters.description);
  });

  it('puts tracks side by side for progressive files, told apart by track_ID', () => {
    const video = TRACKS.h264!;
    const audio = TRACKS.aac!;
    const read = parseInit(progressiveHeader([video, audio])).tracks;
    expect(read.map(({ trackId, codec }) => [trackId, codec])).toEqual([
      [video.id, 'h264'],
      [audio.id, 'aac'],
    ]);
    expect(read.every((track) => track.defaults?.trackId === track.trackId)).toBe(true);
  });

  it('takes a record that was handed over with version and flags', () => {
    const vp9 = TRACKS.vp9!;
    if (vp9.parameters.kind !== 'video') throw new Error('vp9 is video');
    const full = { ...vp9, parameters: { ...vp9.parameters, description: hex('01000000 000a820101010000') } };
    expect(initSegment(full)).toEqual(initSegment(vp9));
  });

  it('refuses tracks that no decoder could start on', () => {
    const { parameters } = TRACKS.h264!;
    if (parameters.kind !== 'video') throw new Error('h264 is video');
    const bare = { ...TRACKS.h264!, parameters: { ...parameters, description: new Uint8Array(0) } };
    expect(() => initSegment(bare)).toThrow(expect.objectContaining({ code: 'MP4_CODEC_RECORD' }));
    const data = { ...TRACKS.h264!, parameters: { kind: 'data', codec: 'event' } as const };
    expect(() => initSegment(data)).toThrow(expect.objectContaining({ code: 'MP4_CODEC_UNSUPPORTED' }));
  });
});

describe('parseInit', () => {
  const good = initSegment(TRACKS.h264!);
  const guarded = (bytes: Uint8Array): void => {
    try {
      parseInit(bytes);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  };

  it('refuses every truncation with a typed error', () => {
    for (let cut = 0; cut < good.length; cut++) {
      expect(() => parseInit(good.subarray(0, cut))).toThrow(ParseError);
    }
  });

  it('survives every single byte being changed', () => {
    for (let at = 0; at < good.length; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const bent = good.slice();
        bent[at] = value;
        guarded(bent);
      }
    }
  });

  it('survives random changes', () => {
    const inits = Object.values(TRACKS).map((track) => initSegment(track));
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(fc.constantFrom(...inits), fc.array(change, { maxLength: 12 }), (init, changes) => {
        const bent = init.slice();
        for (const [at, value] of changes) bent[at % bent.length] = value;
        guarded(bent);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses more tracks than it takes', () => {
    const text = dumpBoxes(good);
    expect(text).toContain('trak');
    const moovAt = 28;
    const trakAt = moovAt + 8 + 108;
    const trakSize = new DataView(good.buffer).getUint32(trakAt);
    const trak = good.slice(trakAt, trakAt + trakSize);
    const many = new Uint8Array(8 + 17 * trakSize);
    new DataView(many.buffer).setUint32(0, many.length);
    many.set([0x6d, 0x6f, 0x6f, 0x76], 4);
    for (let i = 0; i < 17; i++) many.set(trak, 8 + i * trakSize);
    expect(() => parseInit(many)).toThrow(expect.objectContaining({ code: 'MP4_TRACKS' }));
  });
});
