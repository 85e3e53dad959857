import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../model/index.ts';
import { parseAacConfig } from './aac.ts';
import { parseAc3Header, parseEac3Header } from './ac3.ts';
import { parseAdtsHeader } from './adts.ts';
import { av1Parameters, canonicalAv1 } from './av1.ts';
import { parseAv1Sequence } from './av1-sequence.ts';
import { flacBlocks, flacFrameSize } from './flac.ts';
import { hasH264BSlice } from './h264.ts';
import { avcParameters } from './h264-config.ts';
import { parseH264Sps } from './h264-sps.ts';
import { hevcParameters } from './hevc.ts';
import { parseHevcSps } from './hevc-sps.ts';
import { splitMp3Frames } from './mp3.ts';
import { annexBToLengthPrefixed } from './nal.ts';
import { opusPacketFrames, parseOpusConfig, parseOpusHead } from './opus.ts';
import { isKeyframe } from './parameters.ts';
import { findUserData, parseSei } from './sei.ts';
import { vp8Parameters } from './vp8.ts';
import { parseVpConfig, vp9Parameters } from './vp9.ts';
import { vvcParameters } from './vvc.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

type Parser = (bytes: Uint8Array) => unknown;
const uuid = new Uint8Array(16);

/** Each parser with a start of input that gets it past its first checks. */
const PARSERS: readonly (readonly [name: string, parse: Parser, prefix: string])[] = [
  ['AAC', parseAacConfig, '12'],
  ['AAC with described channels', parseAacConfig, '1180'],
  ['AC-3', parseAc3Header, '0b77'],
  ['E-AC-3', parseEac3Header, '0b7700'],
  ['ADTS', parseAdtsHeader, 'fff1'],
  ['AV1 record', av1Parameters, '81000c000a'],
  ['AV1 unit', canonicalAv1, '1200'],
  ['AV1 sequence', parseAv1Sequence, '00'],
  ['FLAC', flacBlocks, '664c6143'],
  ['FLAC frame', flacFrameSize, 'fff8'],
  ['H.264 record', avcParameters, '01640029ffe1002767640029'],
  ['H.264 SPS', parseH264Sps, '67640029'],
  ['H.264 slices', hasH264BSlice, '0000000565'],
  ['HEVC record', hevcParameters, '0101600000009000000000003cf000fcfdf8f800000f'],
  ['HEVC SPS', parseHevcSps, '42010101600000030090000003000003003ca00a080b9f79'],
  ['MP3', splitMp3Frames, 'fffb90'],
  ['byte stream', annexBToLengthPrefixed, '00000001'],
  ['Opus packet', opusPacketFrames, 'ff'],
  ['OpusHead', parseOpusHead, '4f7075734865616401'],
  ['dOps', parseOpusConfig, '00'],
  ['SEI', parseSei, '06'],
  ['SEI in a unit', (bytes) => findUserData('h264', bytes, uuid), '0000000806'],
  ['VP8', vp8Parameters, '000000'],
  ['VP9', vp9Parameters, '8249834200'],
  ['vpcC', parseVpConfig, '00'],
  ['VVC record', vvcParameters, 'ff'],
  ...(['h264', 'hevc', 'vvc', 'av1', 'vp8', 'vp9'] as const).map(
    (codec) =>
      [`key frame of ${codec}`, (bytes: Uint8Array) => isKeyframe(codec, bytes), '00000002'] as const,
  ),
];

/** Runs the parser; anything but a value or a ParseError fails the test. */
function survive(parse: Parser, bytes: Uint8Array): void {
  try {
    parse(bytes);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    expect(error.clause).not.toBe('');
  }
}

describe('hostile input gives a value or a ParseError', () => {
  for (const [name, parse, prefix] of PARSERS) {
    it(name, () => {
      const tail = fc.oneof(
        fc.uint8Array({ maxLength: 80 }),
        fc.uint8Array({ maxLength: 80 }).map((bytes) => bytes.map((byte) => (byte < 128 ? 0 : 0xff))),
      );
      fc.assert(
        fc.property(tail, fc.boolean(), (bytes, bare) => {
          survive(parse, bare ? bytes : Uint8Array.of(...hex(prefix), ...bytes));
        }),
        { numRuns: 150 },
      );
    });
  }

  it('long runs of one byte', () => {
    for (const [, parse, prefix] of PARSERS) {
      for (const fill of [0, 1, 3, 0xff]) {
        survive(parse, Uint8Array.of(...hex(prefix), ...new Uint8Array(20_000).fill(fill)));
      }
    }
  });
});
