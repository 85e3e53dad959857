import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/index.ts';
import { aacCodecString, aacParameters, parseAacConfig, writeAacConfig } from './aac.ts';
import { ac3FrameBytes, eac3UnitBytes, parseAc3Header, parseEac3Header } from './ac3.ts';
import { parseAdtsHeader, writeAdtsHeader } from './adts.ts';
import { BitWriter } from './bit-writer.ts';
import { flacBlocks, flacFrameSize, flacParameters, flacStreamHeader } from './flac.ts';
import { parseMp3Header, splitMp3Frames } from './mp3.ts';
import {
  opusPacketFrames,
  opusParameters,
  parseOpusConfig,
  parseOpusHead,
  writeOpusConfig,
  writeOpusHead,
} from './opus.ts';
import { audioFrames, audioParameters, frameParameters } from './parameters.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const parseError = (code: string): unknown => expect.objectContaining({ name: 'ParseError', code });

describe('AudioSpecificConfig', () => {
  const table: readonly (readonly [
    name: string,
    bytes: string,
    codec: string,
    rate: number,
    channels: number,
    frame: number,
  ])[] = [
    ['AAC-LC 44.1 kHz stereo', '1210', 'mp4a.40.2', 44_100, 2, 1024],
    ['AAC-LC 48 kHz 5.1', '11b0', 'mp4a.40.2', 48_000, 6, 1024],
    ['AAC-LC 48 kHz 7.1', '11b8', 'mp4a.40.2', 48_000, 8, 1024],
    ['AAC-LC with an explicit 44.1 kHz', '1780562210', 'mp4a.40.2', 44_100, 2, 1024],
    ['AAC-LC, extension says no SBR', '121056e500', 'mp4a.40.2', 44_100, 2, 1024],
    ['HE-AAC, hierarchical', '2b920800', 'mp4a.40.5', 44_100, 2, 2048],
    ['HE-AAC, compatible', '139056e5a0', 'mp4a.40.5', 44_100, 2, 2048],
    ['HE-AAC v2, compatible', '138856e5a54880', 'mp4a.40.29', 44_100, 2, 2048],
    ['HE-AAC v2, hierarchical', 'eb8a0800', 'mp4a.40.29', 44_100, 2, 2048],
    ['AAC-LC with 960 frames', '1214', 'mp4a.40.2', 44_100, 2, 960],
  ];
  for (const [name, bytes, codecString, sampleRate, channels, frameSize] of table) {
    it(`reads ${name}`, () => {
      expect(aacParameters(hex(bytes))).toEqual({
        kind: 'audio',
        codec: 'aac',
        description: hex(bytes),
        codecString,
        sampleRate,
        channels,
        frameSize,
      });
    });
  }

  it('writes what it reads', () => {
    for (const bytes of ['1210', '11b0', '1214', '2b920800', 'eb8a0800']) {
      expect(writeAacConfig(parseAacConfig(hex(bytes)))).toEqual(hex(bytes));
    }
  });

  it('counts the channels of a program config element', () => {
    const bits = new BitWriter().u(5, 2).u(4, 3).u(4, 0).u(3, 0); // AAC-LC, 48 kHz, channels described
    bits.u(4, 0).u(2, 1).u(4, 3).u(4, 2).u(4, 1).u(4, 1).u(2, 1).u(3, 0).u(4, 0).u(3, 0);
    for (const pair of [false, true, true, true]) bits.flag(pair).u(4, 0); // centre, front, side, back
    bits.u(4, 0).align().u(8, 2).u(16, 0x6869);
    expect(parseAacConfig(bits.finish())).toMatchObject({ channelConfiguration: 0, channels: 8 });
  });

  it('reads low delay, enhanced low delay and USAC', () => {
    const config = (type: number): BitWriter => {
      const bits = new BitWriter();
      return type < 31 ? bits.u(5, type) : bits.u(5, 31).u(6, type - 32);
    };
    expect(parseAacConfig(config(23).u(4, 3).u(4, 2).u(3, 0).finish())).toMatchObject({ coreFrameSize: 512 });
    const eld = parseAacConfig(config(39).u(4, 3).u(4, 1).flag(true).finish());
    expect([eld.coreFrameSize, aacCodecString(eld)]).toEqual([480, 'mp4a.40.39']);
    const usac = aacParameters(config(42).u(4, 3).u(4, 0).u(5, 4).u(3, 3).u(5, 2).finish());
    expect(usac).toMatchObject({
      codecString: 'mp4a.40.42',
      sampleRate: 44_100,
      channels: 2,
      frameSize: 2048,
    });
  });

  it('refuses reserved values and cuts', () => {
    for (const bytes of ['1690', '12f8', '0210', '1200']) {
      expect(() => parseAacConfig(hex(bytes))).toThrow(expect.objectContaining({ name: 'ParseError' }));
    }
    for (const bytes of ['', '12', '2b92']) {
      expect(() => parseAacConfig(hex(bytes))).toThrow(parseError('BITS_OUT_OF_RANGE'));
    }
  });
});

describe('ADTS', () => {
  it('reads what it writes', () => {
    const config = { objectType: 2, sampleRate: 44_100, channelConfiguration: 2 };
    const header = writeAdtsHeader(config, 371);
    expect(header).toEqual(hex('fff150802f5ffc'));
    expect(parseAdtsHeader(concatBytes([hex('00'), header]), 1)).toEqual({
      ...config,
      headerBytes: 7,
      frameBytes: 378,
      rawBlocks: 1,
    });
    expect(parseAdtsHeader(hex('fff05080013ffc')).headerBytes).toBe(9);
  });

  it('refuses what is no header', () => {
    for (const bytes of ['fff15080', 'fff750802f5ffc', 'fff174802f5ffc', 'fff15080001ffc']) {
      expect(() => parseAdtsHeader(hex(bytes))).toThrow(parseError('FRAME_MALFORMED'));
    }
    const config = { objectType: 2, sampleRate: 44_100, channelConfiguration: 2 };
    expect(() => writeAdtsHeader(config, 9000)).toThrow(parseError('FRAME_MALFORMED'));
  });
});

describe('Opus', () => {
  const HEAD = '4f707573486561640102380180bb0000000000';
  const BOX = '000201380000bb80000000';
  const SURROUND = '000601380000bb80ff00010402000401020305';

  it('turns the header of Ogg and FLV into that of MP4 and back', () => {
    expect(writeOpusConfig(parseOpusHead(hex(HEAD)))).toEqual(hex(BOX));
    expect(writeOpusHead(parseOpusConfig(hex(BOX)))).toEqual(hex(HEAD));
    const surround = parseOpusConfig(hex(SURROUND));
    expect(surround).toMatchObject({ channels: 6, outputGain: -256, mappingFamily: 1 });
    expect(parseOpusHead(writeOpusHead(surround))).toEqual(surround);
    expect(writeOpusConfig(surround)).toEqual(hex(SURROUND));
    expect(opusParameters(hex(BOX))).toMatchObject({ codecString: 'opus', sampleRate: 48_000, channels: 2 });
  });

  it('knows the duration of packets', () => {
    // RFC 6716 Table 2: SILK 10 and 60 ms, hybrid 20 ms, CELT 2.5, 5 and 20 ms; then codes 1 to 3
    const packets = ['00', '18', '68', '80', '88', 'fc', 'fd', 'fe', 'ff03', '83b0'];
    expect(packets.map((text) => opusPacketFrames(hex(text)))).toEqual([
      480, 2880, 960, 120, 240, 960, 1920, 1920, 2880, 5760,
    ]);
    for (const text of ['', 'ff', 'ff00', 'ff07']) {
      expect(() => opusPacketFrames(hex(text))).toThrow(parseError('FRAME_MALFORMED'));
    }
  });

  it('refuses headers that cannot be', () => {
    expect(() => parseOpusHead(hex(HEAD.replace('4f', '50')))).toThrow(parseError('CONFIG_MALFORMED'));
    expect(() => parseOpusHead(hex(HEAD.replace('0102', '1102')))).toThrow(parseError('CONFIG_MALFORMED'));
    expect(() => parseOpusConfig(hex('000001380000bb80000000'))).toThrow(parseError('CONFIG_MALFORMED'));
    expect(() => parseOpusConfig(hex('000301380000bb80000000'))).toThrow(parseError('CONFIG_MALFORMED'));
    expect(() => parseOpusConfig(hex(BOX).subarray(0, 10))).toThrow(parseError('BYTES_OUT_OF_RANGE'));
  });
});

describe('MP3', () => {
  it('reads headers of MPEG-1, 2 and 2.5', () => {
    expect(parseMp3Header(hex('fffb9064'))).toEqual({
      sampleRate: 44_100,
      channels: 2,
      frameSize: 1152,
      bytes: 417,
    });
    expect(parseMp3Header(hex('fff370c0'))).toEqual({
      sampleRate: 22_050,
      channels: 1,
      frameSize: 576,
      bytes: 182,
    });
    expect(parseMp3Header(hex('ffe318c4'))).toMatchObject({ sampleRate: 8000, bytes: 72 });
    expect(parseMp3Header(hex('fffb0064')).bytes).toBeUndefined();
    for (const text of ['fffb90', '00fb9064', 'ffeb9064', 'fffd9064', 'fffb9c64', 'fffbf064']) {
      expect(() => parseMp3Header(hex(text))).toThrow(parseError('FRAME_MALFORMED'));
    }
  });

  it('splits packets of several frames', () => {
    const frame = concatBytes([hex('fff370c0'), new Uint8Array(178)]);
    expect(splitMp3Frames(concatBytes([frame, frame, frame]))).toEqual([frame, frame, frame]);
    expect(splitMp3Frames(frame.subarray(0, 100))).toEqual([frame.subarray(0, 100)]);
    const padded = concatBytes([frame, new Uint8Array(9)]);
    expect(splitMp3Frames(padded)).toEqual([padded]);
  });
});

describe('FLAC', () => {
  const BLOCKS = '80000022120012000001060004ff0bb800f0000038407044de84a8b56e9e558a37d978aff114';

  it('reads STREAMINFO in each of its wrappings', () => {
    const blocks = hex(BLOCKS);
    expect(flacBlocks(flacStreamHeader(blocks))).toEqual(blocks);
    expect(flacBlocks(blocks)).toEqual(blocks);
    expect(flacBlocks(blocks.subarray(4))).toEqual(blocks);
    expect(flacParameters(blocks)).toMatchObject({
      codecString: 'flac',
      sampleRate: 48_000,
      channels: 1,
      frameSize: 4608,
    });
    expect(() => flacBlocks(hex('664c6143'))).toThrow(parseError('CONFIG_MALFORMED'));
    expect(() => flacBlocks(new Uint8Array(0))).toThrow(parseError('CONFIG_MALFORMED'));
  });

  it('knows the frames of a block', () => {
    const table = ['fff81a08', 'fff82a08', 'fff85a08', 'fff8ca08', 'fff86a0800bf', 'fff97a08c48005ff'];
    expect(table.map((text) => flacFrameSize(hex(text)))).toEqual([192, 576, 4608, 4096, 192, 1536]);
    expect(() => flacFrameSize(hex('fff80a08'))).toThrow(parseError('FRAME_MALFORMED'));
    expect(() => flacFrameSize(hex('00000000'))).toThrow(parseError('FRAME_MALFORMED'));
  });
});

describe('AC-3', () => {
  it('reads the heads of both kinds', () => {
    expect(parseAc3Header(hex('0b77b50b1e40ebf8'))).toEqual({
      sampleRate: 48_000,
      channels: 6,
      frameSize: 1536,
    });
    expect(parseEac3Header(hex('0b77017f3487c000'))).toEqual({
      sampleRate: 48_000,
      channels: 2,
      frameSize: 1536,
    });
    expect(() => parseAc3Header(hex('0b76b50b1e40ebf8'))).toThrow(parseError('FRAME_MALFORMED'));
    expect(() => parseAc3Header(hex('0b77b50bde40ebf8'))).toThrow(parseError('FRAME_MALFORMED'));
  });

  it('tells the bytes of frames as ffmpeg writes them at every rate', () => {
    const lengths: [string, number][] = [
      ['0b7793e68c4043e106f1', 576],
      ['0b77d6684c4043e106f0', 416],
      ['0b77c7244d4043e106f0', 418],
      ['0b7738900c4043e106f0', 384],
    ];
    for (const [head, bytes] of lengths) expect(ac3FrameBytes(hex(head)), head).toBe(bytes);
    const enhanced: [string, number][] = [
      ['0b77011fb487c0002084', 576],
      ['0b7700cf7487c00020fc', 416],
      ['0b7700bf3487c00020fc', 384],
    ];
    for (const [head, bytes] of enhanced) expect(eac3UnitBytes(hex(head)), head).toBe(bytes);
    expect(() => ac3FrameBytes(hex('0b773890e64043e106f0'))).toThrow(parseError('FRAME_MALFORMED'));
  });

  it('adds up the blocks of the first substream only', () => {
    const syncframe = (type: number, substream: number): Uint8Array => {
      const bits = new BitWriter().u(16, 0x0b77).u(2, type).u(3, substream).u(11, 7);
      return bits.u(2, 0).u(2, 1).u(3, 2).u(1, 0).u(88, 0).finish();
    };
    const unit = concatBytes([syncframe(0, 0), syncframe(1, 0), syncframe(0, 0), syncframe(0, 1)]);
    expect(parseEac3Header(unit)).toMatchObject({ frameSize: 1024, channels: 2 });
    // The first frame and the one that depends on it.
    expect(eac3UnitBytes(unit)).toBe(32);
  });
});

describe('every audio codec', () => {
  it('has one way to parameters and durations', () => {
    expect(audioParameters('aac', hex('1210'))!.codec).toBe('aac');
    expect(audioParameters('mp3', hex(''))).toBeUndefined();
    expect(frameParameters('mp3', hex('fffb9064'))!.codecString).toBe('mp3');
    expect(frameParameters('ac3', hex('0b77b50b1e40ebf8'))!.codecString).toBe('ac-3');
    expect(frameParameters('opus', hex(''))).toBeUndefined();
    expect(audioFrames(audioParameters('opus', hex('000201380000bb80000000'))!, hex('fc'))).toBe(960);
    expect(audioFrames(audioParameters('aac', hex('1210'))!, hex(''))).toBe(1024);
    expect(audioFrames(frameParameters('eac3', hex('0b77017f3487c000'))!, hex('0b77017f3487c000'))).toBe(
      1536,
    );
  });
});
