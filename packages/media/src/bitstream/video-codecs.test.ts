import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/index.ts';
import {
  av1Parameters,
  buildAv1Config,
  canonicalAv1,
  isAv1Keyframe,
  parseAv1Config,
  splitObus,
  writeAv1Config,
} from './av1.ts';
import { parseAv1Sequence } from './av1-sequence.ts';
import { BitWriter } from './bit-writer.ts';
import {
  buildHevcConfig,
  hevcCodecString,
  hevcParameters,
  isHevcKeyframe,
  parseHevcConfig,
  writeHevcConfig,
} from './hevc.ts';
import { parseHevcSps } from './hevc-sps.ts';
import { joinLengthPrefixed } from './nal.ts';
import { isKeyframe, keyframeParameters, videoParameters } from './parameters.ts';
import { isVp8Keyframe, vp8Parameters } from './vp8.ts';
import { isVp9Keyframe, parseVpConfig, vp9Parameters, vpLevelFor, writeVpConfig } from './vp9.ts';
import { isVvcKeyframe, vvcParameters } from './vvc.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const parseError = (code: string): unknown => expect.objectContaining({ name: 'ParseError', code });

/** x265, Main, 320x180, 30 frames/s; SEI left out. */
const HVCC =
  '0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959009' +
  'a10001002b42010101600000030090000003000003003ca00a080b9f796564924caf016808000003000800000300f040a20001000744' +
  '01c172b46240';
/** The same in Main 10. */
const HVCC_10 =
  '0102200000009000000000003cf000fcfdfafa00000f03a00001001840010c01ffff02200000030090000003000003003c959809' +
  'a10001002a42010102200000030090000003000003003ca00a080b9f6d96566924caf0168080000003008000000f04a2000100074401' +
  'c172b46240';

describe('HEVC', () => {
  it('reads, writes and builds the record', () => {
    for (const [text, codecString] of [
      [HVCC, 'hvc1.1.6.L60.90'],
      [HVCC_10, 'hvc1.2.4.L60.90'],
    ] as const) {
      const config = parseHevcConfig(hex(text));
      expect(writeHevcConfig(config)).toEqual(hex(text));
      const [vps, sps, pps] = config.arrays.map((array) => array.nals);
      expect(buildHevcConfig(vps!, sps!, pps!)).toEqual(hex(text));
      expect(hevcParameters(hex(text))).toEqual({
        kind: 'video',
        codec: 'hevc',
        description: hex(text),
        codecString,
        width: 320,
        height: 180,
        frameRate: 30,
      });
    }
  });

  it('reads depth, layers and reordering from the set', () => {
    const sps = parseHevcConfig(hex(HVCC_10)).arrays[1]!.nals[0]!;
    expect(parseHevcSps(sps)).toMatchObject({
      id: 0,
      temporalLayers: 1,
      temporalIdNested: true,
      chromaFormatIdc: 1,
      bitDepthLuma: 10,
      bitDepthChroma: 10,
      maxNumReorder: 2,
    });
  });

  it('writes tier, profile space and constraints into the codec string', () => {
    const profile = parseHevcConfig(hex(HVCC)).profile;
    const other = {
      ...profile,
      profileSpace: 2,
      tier: true,
      levelIdc: 153,
      constraints: hex('b00000010000'),
    };
    expect(hevcCodecString(other)).toBe('hvc1.B1.6.H153.b0.0.0.1');
  });

  it('starts at IDR, BLA and CRA pictures', () => {
    for (const [type, key] of [
      [1, false],
      [9, false],
      [16, true],
      [19, true],
      [20, true],
      [21, true],
      [22, false],
      [32, false],
    ] as const) {
      const unit = joinLengthPrefixed([hex('460110'), Uint8Array.of(type << 1, 1, 0x80)]);
      expect(isHevcKeyframe(unit)).toBe(key);
    }
  });

  it('refuses any cut and 3-byte lengths', () => {
    const record = hex(HVCC);
    for (let end = 0; end < record.length - 10; end++) {
      expect(() => hevcParameters(record.subarray(0, end))).toThrow(
        expect.objectContaining({ name: 'ParseError' }),
      );
    }
    const broken = record.slice();
    broken[21] = 0x0e;
    expect(() => parseHevcConfig(broken)).toThrow(parseError('CONFIG_MALFORMED'));
  });
});

describe('VVC', () => {
  const record = (): BitWriter => {
    const bits = new BitWriter().u(5, 31).u(2, 3).u(1, 1); // 4-byte lengths, profile told
    bits.u(9, 0).u(3, 2).u(2, 0).u(2, 1).u(3, 2).u(5, 31); // two sub-layers
    bits.u(2, 0).u(6, 1).u(7, 1).u(1, 1).u(8, 51).u(2, 0).u(6, 0); // Main 10, high tier, level 3.1
    bits.u(1, 1).u(7, 0).u(8, 48); // level of the sub-layer
    bits.u(8, 1).u(32, 7); // one sub-profile
    return bits
      .u(16, 1280)
      .u(16, 720)
      .u(16, 50 * 256)
      .u(8, 0);
  };

  it('reads size, rate and codec string from the record', () => {
    expect(vvcParameters(record().finish())).toMatchObject({
      codec: 'vvc',
      codecString: 'vvc1.1.H51',
      width: 1280,
      height: 720,
      frameRate: 50,
    });
    expect(() => vvcParameters(hex('fe00'))).toThrow(parseError('CONFIG_MALFORMED'));
  });

  it('starts at IDR and CRA pictures', () => {
    const unit = (type: number): Uint8Array => joinLengthPrefixed([Uint8Array.of(0, type << 3, 0x80)]);
    expect([0, 6, 7, 8, 9, 10, 15].map((type) => isVvcKeyframe(unit(type)))).toEqual([
      false,
      false,
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('AV1', () => {
  const SVT = '81000c000a0b000000043cfecc02f80040';
  const AOM_10 = '81004c000a0b000000043cfeccdaf94040';
  const sequence = hex(SVT).subarray(4);
  const keyFrame = hex('32041b1400a1');

  it('reads and writes the record', () => {
    expect(parseAv1Config(hex(AOM_10))).toMatchObject({
      profile: 0,
      levelIdx: 0,
      bitDepth: 10,
      subsamplingX: true,
    });
    for (const text of [SVT, AOM_10]) expect(writeAv1Config(parseAv1Config(hex(text)))).toEqual(hex(text));
    expect(av1Parameters(hex(AOM_10))).toMatchObject({
      codecString: 'av01.0.00M.10',
      width: 320,
      height: 180,
    });
    expect(() => parseAv1Config(hex('8100'))).toThrow(parseError('CONFIG_MALFORMED'));
  });

  it('takes the size from the key frame where the record has none', () => {
    const bare = hex(SVT).subarray(0, 4);
    expect(av1Parameters(bare)).toMatchObject({ width: 0, height: 0 });
    const unit = concatBytes([sequence, keyFrame]);
    expect(keyframeParameters('av1', unit, bare)).toMatchObject({ width: 320, height: 180 });
    expect(keyframeParameters('av1', unit, undefined)!.description).toEqual(hex(SVT));
    expect(buildAv1Config(keyFrame)).toBeUndefined();
  });

  it('makes units canonical: no delimiters, every size written', () => {
    const unsized = concatBytes([hex('1200'), sequence, hex('30'), hex('1b1400a1')]);
    expect(canonicalAv1(unsized)).toEqual(concatBytes([sequence, keyFrame]));
    const canonical = concatBytes([sequence, keyFrame]);
    expect(canonicalAv1(canonical)).toBe(canonical);
    const long = concatBytes([hex('30'), new Uint8Array(300)]);
    expect(splitObus(canonicalAv1(long))[0]!.payload.length).toBe(300);
  });

  it('knows key frames', () => {
    expect(isAv1Keyframe(concatBytes([sequence, keyFrame]))).toBe(true);
    expect(isAv1Keyframe(hex('320130'))).toBe(false); // inter frame
    expect(isAv1Keyframe(hex('320180'))).toBe(false); // shows an existing frame
    expect(isAv1Keyframe(hex('320100'))).toBe(false); // key frame that is not shown
    expect(isAv1Keyframe(sequence)).toBe(false);
  });

  it('refuses sizes that lie, and the forbidden bit', () => {
    for (const text of ['0aff', '0a05aa', '0affffffffffffffff7f', '8a00']) {
      expect(() => splitObus(hex(text))).toThrow(parseError('FRAME_MALFORMED'));
    }
  });

  it('reads timing, operating points and colour of a long sequence header', () => {
    const bits = new BitWriter().u(3, 2).flag(false).flag(false); // professional profile
    bits.flag(true).u(32, 1001).u(32, 60_000).flag(true).ue(0); // 59.94 pictures/s
    bits.flag(true).u(5, 9).u(32, 1).u(5, 9).u(5, 9); // decoder model with 10-bit delays
    bits.flag(true).u(5, 1); // two operating points with display delays
    for (const level of [9, 5]) {
      bits.u(12, 0).u(5, level);
      if (level > 7) bits.flag(true);
      bits.flag(true).u(10, 1).u(10, 2).flag(false).flag(true).u(4, 3);
    }
    bits.u(4, 11).u(4, 11).u(12, 3839).u(12, 2159);
    bits.flag(true).u(4, 1).u(3, 1).u(3, 0).u(4, 0).flag(true).u(2, 0); // frame ids, tools, order hints
    bits.flag(false).flag(true).flag(false).flag(true).u(3, 6).u(3, 0); // screen content, integer vectors
    bits.flag(true).flag(true).flag(false).flag(true).u(8, 9).u(8, 16).u(8, 9); // 12 bits, colour told
    bits.flag(false).flag(true).flag(false); // limited range, 4:2:2
    expect(parseAv1Sequence(bits.finish())).toEqual({
      profile: 2,
      levelIdx: 9,
      tier: 1,
      bitDepth: 12,
      monochrome: false,
      subsamplingX: true,
      subsamplingY: false,
      chromaSamplePosition: 0,
      width: 3840,
      height: 2160,
      frameRate: 60_000 / 1001,
      colour: { primaries: 9, transfer: 16, matrix: 9, fullRange: false },
    });
  });
});

describe('VP9', () => {
  const KEY = '824983420013f00b360438241c184a000a40';
  const RECORD = '000b820202020000';

  it('reads key frames', () => {
    expect(vp9Parameters(hex(KEY), hex(RECORD))).toMatchObject({
      codecString: 'vp09.00.11.08',
      width: 320,
      height: 180,
      description: hex(RECORD),
    });
    expect(vp9Parameters(hex(KEY))!.description).toEqual(hex('000b820202020000'));
    expect(isVp9Keyframe(hex('86'))).toBe(false);
    expect(isVp9Keyframe(hex('88'))).toBe(false);
    expect(vp9Parameters(hex('86'))).toBeUndefined();
    expect(() => vp9Parameters(hex('8249834300'))).toThrow(parseError('FRAME_MALFORMED'));
    expect(() => vp9Parameters(hex('82498342'))).toThrow(parseError('BITS_OUT_OF_RANGE'));
  });

  it('reads 4:4:4 and 12 bits', () => {
    const bits = new BitWriter().u(2, 2).u(1, 1).u(1, 1).u(1, 0).u(1, 0).u(1, 0).u(2, 2);
    bits.u(24, 0x498342).flag(true).u(3, 2).flag(true).u(3, 0).u(16, 639).u(16, 359);
    expect(vp9Parameters(bits.finish())).toMatchObject({
      codecString: 'vp09.03.21.12',
      width: 640,
      height: 360,
    });
    expect(parseVpConfig(vp9Parameters(bits.finish())!.description)).toMatchObject({
      chromaSubsampling: 3,
      fullRange: true,
    });
  });

  it('reads the record with and without the version of its box', () => {
    expect(parseVpConfig(hex(`01000000${RECORD}`))).toEqual(parseVpConfig(hex(RECORD)));
    expect(writeVpConfig(parseVpConfig(hex(RECORD)))).toEqual(hex(RECORD));
    expect(() => parseVpConfig(hex('0000000202020000'))).toThrow(parseError('CONFIG_MALFORMED'));
    expect([vpLevelFor(1920, 1080), vpLevelFor(8192, 8192)]).toEqual([41, 62]);
  });
});

describe('VP8', () => {
  it('reads key frames', () => {
    const key = hex('f062009d012a4001b4000007');
    expect(vp8Parameters(key)).toMatchObject({ codecString: 'vp8', width: 320, height: 180 });
    expect(isVp8Keyframe(hex('f1'))).toBe(false);
    expect(vp8Parameters(hex('f1'))).toBeUndefined();
    expect(() => vp8Parameters(hex('f0620000000000000000'))).toThrow(parseError('FRAME_MALFORMED'));
    expect(() => vp8Parameters(hex('f062009d012a00000000'))).toThrow(parseError('FRAME_MALFORMED'));
  });
});

describe('every video codec', () => {
  it('has one way to parameters and key frames', () => {
    expect(videoParameters('hevc', hex(HVCC))!.codec).toBe('hevc');
    expect(videoParameters('vp9', hex(''))).toBeUndefined();
    expect(keyframeParameters('h264', hex(''), undefined)).toBeUndefined();
    for (const codec of ['h264', 'hevc', 'vvc', 'av1', 'vp8', 'vp9'] as const) {
      expect(isKeyframe(codec, new Uint8Array(0))).toBe(false);
    }
  });
});
