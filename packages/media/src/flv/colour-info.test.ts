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

describe('colour beside the bitstream', () => {
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
