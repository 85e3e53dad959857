import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initSegment } from '../isobmff/index.ts';
import { type Track, type VideoParameters, videoRange } from '../model/index.ts';
import { colourTag, readColourInfo } from './colour-info.ts';
import { scriptBody } from './script.ts';
import { TagDemuxer } from './tag-demuxer.ts';
import { configTag } from './tag-muxer.ts';
import { videoMetadataBody } from './video-message.ts';

const HDR10 = { primaries: 9, transfer: 16, matrix: 9, fullRange: false };
const AV1C = Uint8Array.from(Buffer.from('81000c000a0b000000043cfecc02f80040', 'hex'));
const told = (colorPrimaries: number, transferCharacteristics: number, matrixCoefficients: number) =>
  scriptBody('colorInfo', [
    {
      colorConfig: { bitDepth: 10, colorPrimaries, transferCharacteristics, matrixCoefficients },
      hdrCll: {},
    },
  ]);

function demuxer() {
  const tracks: Track[] = [];
  const one = new TagDemuxer({
    onTrack: (track) => tracks.push(track),
    onSample: () => undefined,
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
  });
  const push = (body: Uint8Array) => one.push({ type: 'video', timestampMs: 0, body });
  const colours = () => tracks.map(({ parameters }) => (parameters as VideoParameters).colour);
  return { tracks, push, colours };
}
const CONFIG = Uint8Array.of(0x90, 0x61, 0x76, 0x30, 0x31, ...AV1C);

/** Values of a real HDR10 mastering display, 1000 cd/m². */
const LIGHT = {
  hdrCll: { maxCLL: 1000, maxFall: 400 },
  hdrMdcv: {
    redX: 0.708,
    redY: 0.292,
    greenX: 0.17,
    greenY: 0.797,
    blueX: 0.131,
    blueY: 0.046,
    whitePointX: 0.3127,
    whitePointY: 0.329,
    maxLuminance: 1000,
    minLuminance: 0.0001,
  },
};

describe('colour beside the bitstream', () => {
  it('brings the light of the content and of its display, whole or not at all', () => {
    const colorConfig = { colorPrimaries: 9, transferCharacteristics: 16, matrixCoefficients: 9 };
    const { push, tracks, colours } = demuxer();
    push(CONFIG);
    push(videoMetadataBody('av1', scriptBody('colorInfo', [{ colorConfig, ...LIGHT }])));
    push(videoMetadataBody('av1', scriptBody('colorInfo', [{ ...LIGHT, colorConfig }])));
    expect(tracks).toHaveLength(2);
    const { hdrMdcv } = LIGHT;
    expect(colours()[1]).toMatchObject({
      light: { maxContent: 1000, maxFrameAverage: 400 },
      mastering: { green: [0.17, 0.797], white: [0.3127, 0.329], maxLuminance: 1000, minLuminance: 0.0001 },
    });
    const boxes = Buffer.from(initSegment(tracks[1]!)).toString('hex');
    const hex = (text: string): string => Buffer.from(text).toString('hex');
    expect(boxes).toContain(
      `${hex('mdcv')}2134 9baa 1996 08fc 8a48 3908 3d13 4042 00989680 00000001`.replaceAll(' ', ''),
    );
    expect(boxes).toContain(`${hex('clli')}03e80190`);
    const other = demuxer();
    for (const tag of [configTag(tracks[1]!)!, colourTag(tracks[1]!)!]) other.push(tag.body);
    expect(other.colours().at(-1)).toEqual(colours()[1]);
    for (const broken of [{ ...hdrMdcv, redX: -1 }, { redX: 1 }, { ...hdrMdcv, maxLuminance: Infinity }, 1]) {
      push(videoMetadataBody('av1', scriptBody('colorInfo', [{ colorConfig, hdrMdcv: broken }])));
      expect(colours().at(-1)).toEqual(HDR10);
    }
  });

  it('belongs to the track, whichever of both comes first, and is told anew only when it changes', () => {
    const first = demuxer();
    first.push(videoMetadataBody('av1', told(9, 16, 9)));
    first.push(CONFIG);
    expect(first.colours()).toEqual([HDR10]);
    const later = demuxer();
    later.push(CONFIG);
    for (let i = 0; i < 3; i++) later.push(videoMetadataBody('av1', told(9, 18, 9)));
    later.push(CONFIG);
    expect(later.colours()).toEqual([undefined, { ...HDR10, transfer: 18 }]);
    later.push(videoMetadataBody('av1', scriptBody('colorInfo', [undefined])));
    later.push(videoMetadataBody('av1', scriptBody('other', [1])));
    expect(later.colours()).toEqual([undefined, { ...HDR10, transfer: 18 }, undefined]);
    expect(later.colours().map(videoRange)).toEqual([undefined, 'HLG', undefined]);
  });

  it('goes out as it came in, of any track, and into the init segment', () => {
    for (const id of [1, 5]) {
      const { push, tracks } = demuxer();
      push(CONFIG);
      push(videoMetadataBody('av1', told(9, 16, 9)));
      const track = { ...tracks.at(-1)!, id };
      const other = demuxer();
      for (const tag of [configTag(track)!, colourTag(track)!]) other.push(tag.body);
      expect(other.colours().at(-1)).toEqual(HDR10);
      expect(other.tracks.at(-1)!.id).toBe(id);
      expect(Buffer.from(initSegment(track)).toString('latin1')).toContain('colrnclx\0\x09\0\x10\0\x09\0');
      expect(colourTag(tracks[0]!)).toBeUndefined();
    }
  });

  it('is unspecified where it is out of range, and nothing where it is none', () => {
    expect(readColourInfo(told(-1, 1, 256))).toEqual({
      primaries: 2,
      transfer: 1,
      matrix: 2,
      fullRange: false,
    });
    expect(readColourInfo(told(2, 2, 1.5))).toBeNull();
    expect(readColourInfo(scriptBody('colorInfo', [{ colorConfig: 1 }]))).toBeNull();
    expect(readColourInfo(Uint8Array.of(1, 2))).toBeUndefined();
    const whole = told(9, 16, 9);
    fc.assert(
      fc.property(fc.nat(whole.length), fc.uint8Array({ maxLength: 40 }), (cut, tail) => {
        expect(() => readColourInfo(Uint8Array.of(...whole.subarray(0, cut), ...tail))).not.toThrow();
      }),
    );
  });
});
