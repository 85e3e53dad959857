import { describe, expect, it } from 'vitest';
import { hex } from '../../../../test/kit/mp4-tracks.ts';
import { readBlock, readBlockHeader } from './block.ts';

const lengths = (octets: string): number[] => readBlock(hex(octets)).frames.map((frame) => frame.length);
const bytes = (count: number): string => 'aa'.repeat(count);

describe('block', () => {
  it('reads header and frame', () => {
    expect(readBlock(hex('81 fff6 89 0102'))).toEqual({
      trackNumber: 1,
      relativeTime: -10,
      keyframe: true,
      invisible: true,
      lacing: 'none',
      discardable: true,
      headerBytes: 4,
      frames: [hex('0102')],
    });
    expect(readBlock(hex('4080 7fff 00'))).toMatchObject({
      trackNumber: 128,
      relativeTime: 32_767,
      keyframe: false,
      frames: [new Uint8Array(0)],
    });
  });

  it('takes Xiph lacing: sizes of 800, 500 and the rest', () => {
    // the example of RFC 9559 §10.3.2
    expect(lengths(`81 0000 02 02 ff ff ff 23 ff f5 ${bytes(800 + 500 + 1000)}`)).toEqual([800, 500, 1000]);
    expect(lengths(`81 0000 02 01 ff00 ${bytes(255 + 1)}`)).toEqual([255, 1]);
  });

  it('takes EBML lacing: the first size, then differences', () => {
    // the example of RFC 9559 §10.3.3
    expect(lengths(`81 0000 06 02 4320 5ed3 ${bytes(800 + 500 + 1000)}`)).toEqual([800, 500, 1000]);
    expect(lengths(`81 0000 06 03 82 c0 be ${bytes(2 + 3 + 2 + 4)}`)).toEqual([2, 3, 2, 4]);
  });

  it('takes fixed-size lacing', () => {
    expect(lengths(`81 0000 04 02 ${bytes(2400)}`)).toEqual([800, 800, 800]);
    expect(lengths(`81 0000 04 00 ${bytes(7)}`)).toEqual([7]);
  });

  it('takes the greatest number of frames', () => {
    expect(lengths(`81 0000 04 ff ${bytes(256)}`)).toHaveLength(256);
    expect(lengths(`81 0000 02 ff ${'00'.repeat(255)} aa`)).toHaveLength(256);
  });

  it.each([
    ['nothing', ''],
    ['a track number of more than 8 octets', '00 0000 00'],
    ['a header cut off', '81 0000'],
    ['lacing without a number of frames', '81 0000 02'],
    ['equal frames that do not fit', '81 0000 04 01 aaaaaa'],
    ['a Xiph size that does not end', '81 0000 02 01 ffff'],
    ['a Xiph size beyond the block', '81 0000 02 01 05 aaaa'],
    ['an EBML size cut off', '81 0000 06 01 40'],
    ['an EBML size beyond the block', '81 0000 06 01 85 aaaa'],
    ['an EBML size below zero', '81 0000 06 02 82 80 aaaaaa'],
  ])('refuses %s', (_, octets) => {
    expect(() => readBlock(hex(octets))).toThrow(expect.objectContaining({ code: 'WEBM_BLOCK' }));
  });

  it('looks at a header without its frames', () => {
    expect(readBlockHeader(hex('82 0001 80'))).toMatchObject({
      trackNumber: 2,
      relativeTime: 1,
      keyframe: true,
    });
    expect(readBlockHeader(hex('82 00'))).toBeUndefined();
  });
});
