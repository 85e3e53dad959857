import { describe, expect, it } from 'vitest';
import { BitWriter } from './bit-writer.ts';
import { h264SliceType, hasH264BSlice, isH264Keyframe } from './h264.ts';
import { avcParameters, buildAvcConfig, parseAvcConfig, writeAvcConfig } from './h264-config.ts';
import { parseH264Sps } from './h264-sps.ts';
import { joinLengthPrefixed } from './nal.ts';
import { findUserData, insertUserData, parseSei } from './sei.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

/** x264 at 1080i, 30000/1001 frames/s, pixels of 3:4, with HRD. */
const INTERLACED =
  '01640029ffe1002767640029ace401e0113f7ff800180020800001f4800075303350007a12000f427231807c58b44801000568fbacb22cfdf8f800';
const BASELINE_SPS = '6742c00dd901419f9f0110000003001000000303c0f142a480';
const BASELINE_PPS = '68cb83cb20';

describe('sequence parameter set', () => {
  it('reads what x264 wrote for interlaced 1080 lines', () => {
    expect(parseH264Sps(parseAvcConfig(hex(INTERLACED)).sps[0]!)).toEqual({
      profileIdc: 100,
      constraints: 0,
      levelIdc: 41,
      id: 0,
      chromaFormatIdc: 1,
      bitDepthLuma: 8,
      bitDepthChroma: 8,
      maxNumRefFrames: 3,
      frameMbsOnly: false,
      width: 1920,
      height: 1080,
      sampleAspectRatio: { width: 3, height: 4 },
      frameRate: 30_000 / 1001,
      maxNumReorderFrames: 1,
    });
  });

  it('reads a Baseline set with emulation prevention in its timing', () => {
    expect(parseH264Sps(hex(BASELINE_SPS))).toMatchObject({
      profileIdc: 66,
      constraints: 0xc0,
      levelIdc: 13,
      frameMbsOnly: true,
      width: 320,
      height: 180,
      sampleAspectRatio: { width: 1, height: 1 },
      frameRate: 30,
      maxNumReorderFrames: 0,
    });
  });

  /** A Baseline set of `width` and `height` macroblocks. */
  const sps = (width: number, height: number, crop?: [number, number, number, number]): Uint8Array => {
    const bits = new BitWriter().u(8, 0x67).u(8, 66).u(8, 0).u(8, 30);
    bits
      .ue(0)
      .ue(0)
      .ue(2)
      .ue(1)
      .u(1, 0)
      .ue(width - 1)
      .ue(height - 1)
      .u(2, 0b11);
    bits.flag(crop !== undefined);
    for (const value of crop ?? []) bits.ue(value);
    return bits.flag(false).flag(true).finish();
  };

  it('takes 8192 x 8192 pixels and no more', () => {
    expect(parseH264Sps(sps(512, 512))).toMatchObject({ width: 8192, height: 8192 });
    for (const [width, height] of [
      [513, 1],
      [1, 513],
      [2 ** 31, 1],
    ] as const) {
      expect(() => parseH264Sps(sps(width, height))).toThrow(
        expect.objectContaining({ code: 'SPS_UNSUPPORTED' }),
      );
    }
  });

  it('crops, but never below one pixel', () => {
    expect(parseH264Sps(sps(2, 2, [1, 2, 3, 4]))).toMatchObject({ width: 26, height: 18 });
    expect(() => parseH264Sps(sps(2, 2, [8, 8, 0, 0]))).toThrow(
      expect.objectContaining({ code: 'SPS_UNSUPPORTED' }),
    );
  });

  it('keeps the picture size where the VUI is cut off', () => {
    const whole = hex(BASELINE_SPS);
    expect(parseH264Sps(whole.subarray(0, 14))).toMatchObject({ width: 320, height: 180 });
    expect(() => parseH264Sps(whole.subarray(0, 6))).toThrow(
      expect.objectContaining({ code: 'BITS_OUT_OF_RANGE' }),
    );
  });

  it('passes over scaling lists', () => {
    const bits = new BitWriter().u(8, 0x67).u(8, 100).u(8, 0).u(8, 30).ue(0);
    bits.ue(1).ue(0).ue(0).flag(false).flag(true); // 4:2:0, 8 bits, scaling matrix
    bits.flag(true);
    for (let i = 0; i < 16; i++) bits.se(i === 0 ? 8 : 0);
    bits.flag(true).se(-8); // falls back to the default list
    for (let i = 2; i < 8; i++) bits.flag(false);
    bits.ue(0).ue(0).ue(0).ue(1).u(1, 0).ue(9).ue(5).u(2, 0b11).flag(false).flag(false).flag(true);
    expect(parseH264Sps(bits.finish())).toMatchObject({ width: 160, height: 96 });
  });
});

describe('decoder configuration record', () => {
  it('reads and writes the same bytes', () => {
    const record = hex(INTERLACED);
    const config = parseAvcConfig(record);
    expect(config).toMatchObject({ profileIdc: 100, constraints: 0, levelIdc: 41, lengthSize: 4 });
    expect(config.extension).toEqual(hex('fdf8f800'));
    expect(writeAvcConfig(config)).toEqual(record);
  });

  it('is built from the sets of a byte stream', () => {
    const config = parseAvcConfig(hex(INTERLACED));
    expect(buildAvcConfig(config.sps, config.pps)).toEqual(hex(INTERLACED));
    const baseline = buildAvcConfig([hex(BASELINE_SPS)], [hex(BASELINE_PPS)]);
    expect(parseAvcConfig(baseline).extension.length).toBe(0);
    expect(avcParameters(baseline)).toMatchObject({ codecString: 'avc1.42c00d', width: 320, height: 180 });
    expect(() => buildAvcConfig([], [])).toThrow(expect.objectContaining({ code: 'CONFIG_MALFORMED' }));
  });

  it('makes parameters with 4-byte lengths, all sets kept', () => {
    const short = hex(INTERLACED);
    short[4] = 0xfd; // two-byte lengths
    const parameters = avcParameters(short);
    expect(parameters.description).toEqual(hex(INTERLACED));
    expect(short[4]).toBe(0xfd);
    expect(parameters).toMatchObject({ codecString: 'avc1.640029', frameRate: 30_000 / 1001 });
  });

  it('refuses other versions, 3-byte lengths, missing sets and any cut', () => {
    const record = hex(INTERLACED);
    for (const [at, value] of [
      [0, 2],
      [4, 0xfe],
      [5, 0xe0],
    ] as const) {
      const broken = record.slice();
      broken[at] = value;
      expect(() => parseAvcConfig(broken)).toThrow(expect.objectContaining({ name: 'ParseError' }));
    }
    for (let end = 0; end < record.length - 4; end++) {
      expect(() => avcParameters(record.subarray(0, end))).toThrow(
        expect.objectContaining({ name: 'ParseError' }),
      );
    }
  });
});

describe('access units', () => {
  // Beginnings of x264's pictures: IDR, P, B, and I and P after recovery points.
  const idr = hex('65888404bffedf');
  const p = hex('419a246c42bffe38');
  const b = hex('419e42785effc1');
  const recoveryPoint = hex('060602111080');

  it('knows slice types', () => {
    expect([idr, p, b, recoveryPoint].map(h264SliceType)).toEqual(['I', 'P', 'B', undefined]);
    expect(hasH264BSlice(joinLengthPrefixed([recoveryPoint, p]))).toBe(false);
    expect(hasH264BSlice(joinLengthPrefixed([recoveryPoint, b]))).toBe(true);
  });

  it('starts at IDR pictures and recovery points', () => {
    expect(isH264Keyframe(joinLengthPrefixed([hex('09f0'), idr]))).toBe(true);
    expect(isH264Keyframe(joinLengthPrefixed([recoveryPoint, p]))).toBe(true);
    expect(isH264Keyframe(joinLengthPrefixed([hex('0600018006010480'), p]))).toBe(true);
    expect(isH264Keyframe(joinLengthPrefixed([hex('06050212348000'), p]))).toBe(false);
    expect(isH264Keyframe(joinLengthPrefixed([p]))).toBe(false);
    expect(isH264Keyframe(new Uint8Array(0))).toBe(false);
    expect(() => isH264Keyframe(hex('0000000565'))).toThrow(
      expect.objectContaining({ code: 'NAL_MALFORMED' }),
    );
  });

  it('carries user data in front of the picture, start codes in it hidden', () => {
    const uuid = hex('000102030405060708090a0b0c0d0e0f');
    const payload = Uint8Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? 1 : 0));
    const unit = joinLengthPrefixed([hex('09f0'), idr]);
    const marked = insertUserData('h264', unit, uuid, payload);
    expect(findUserData('h264', marked, uuid)).toEqual(payload);
    expect(findUserData('h264', unit, uuid)).toBeUndefined();
    expect(findUserData('h264', marked, hex('ff0102030405060708090a0b0c0d0e0f'))).toBeUndefined();
    expect(isH264Keyframe(marked)).toBe(true);
    expect([...marked.subarray(0, 11)]).toEqual([0, 0, 0, 2, 9, 0xf0, ...marked.subarray(6, 10), 6]);
    const hevc = insertUserData('hevc', joinLengthPrefixed([hex('4601'), hex('2601af')]), uuid, payload);
    expect(findUserData('hevc', hevc, uuid)).toEqual(payload);
  });

  it('reads SEI messages up to a cut', () => {
    expect(parseSei(hex('0601c4050401020304ff000580'))).toEqual([
      { type: 6, payload: hex('c4') },
      { type: 5, payload: hex('01020304') },
    ]);
    expect(parseSei(hex(''))).toEqual([]);
  });
});
