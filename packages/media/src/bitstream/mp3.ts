import type { AudioParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';

/** Header of an MPEG audio layer III frame. ISO/IEC 11172-3 §2.4.1.3, ISO/IEC 13818-3 §2.4.1. */
export interface Mp3Header {
  /** Hertz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** PCM frames: 1152, or 576 at the low sampling rates. */
  readonly frameSize: number;
  /** Bytes of the whole frame; undefined for free format. */
  readonly bytes: number | undefined;
}

const CLAUSE = 'ISO/IEC 11172-3 §2.4.1.3';
const RATES: readonly number[] = [44_100, 48_000, 32_000];
/** MPEG-1, MPEG-2 and 2.5 as headers say it, with what their sampling rates are less than those of MPEG-1. */
const VERSIONS = [
  [3, 1],
  [2, 2],
  [0, 4],
] as const;
/** kbit/s for MPEG-1 layer III, index 1 to 14. */
const BITRATES_1 = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
/** kbit/s for MPEG-2 and 2.5 layer III, index 1 to 14. */
const BITRATES_2 = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** Reads the header at `at`. @throws ParseError `FRAME_MALFORMED` unless a layer III frame begins there. */
export function parseMp3Header(data: Uint8Array, at = 0): Mp3Header {
  if (at + 4 > data.length) throw malformed('the header is cut off', at);
  const [b0, b1, b2, b3] = [data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!];
  const version = (b1 >> 3) & 3; // 0: MPEG-2.5, 2: MPEG-2, 3: MPEG-1
  if (b0 !== 0xff || b1 < 0xe0 || version === 1) throw malformed('no sync word', at);
  if (((b1 >> 1) & 3) !== 1) throw malformed('a layer other than III', at);
  const rate = RATES[(b2 >> 2) & 3];
  const bitrateIndex = b2 >> 4;
  if (rate === undefined || bitrateIndex === 15) throw malformed('a reserved sampling rate or bit rate', at);
  const mpeg1 = version === 3;
  const sampleRate = mpeg1 ? rate : rate / (version === 2 ? 2 : 4);
  const bitrate = (mpeg1 ? BITRATES_1 : BITRATES_2)[bitrateIndex - 1];
  const frameSize = mpeg1 ? 1152 : 576;
  const padding = (b2 >> 1) & 1;
  return {
    sampleRate,
    channels: b3 >> 6 === 3 ? 1 : 2,
    frameSize,
    bytes: bitrate === undefined ? undefined : Math.floor((frameSize * 125 * bitrate) / sampleRate) + padding,
  };
}

/** Frames of a packet as views; what follows the last header that can be read belongs to the last frame. */
export function splitMp3Frames(packet: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let start = 0;
  for (;;) {
    const { bytes } = parseMp3Header(packet, start);
    const next = bytes === undefined ? packet.length : start + bytes;
    if (next + 4 > packet.length || packet[next] !== 0xff || packet[next + 1]! < 0xe0) {
      frames.push(packet.subarray(start));
      return frames;
    }
    frames.push(packet.subarray(start, next));
    start = next;
  }
}

/** Track parameters from any frame. Codec string is `mp3`, see `docs/codec-registry.md`. */
export function mp3Parameters(frame: Uint8Array): AudioParameters {
  const { sampleRate, channels, frameSize } = parseMp3Header(frame);
  return {
    kind: 'audio',
    codec: 'mp3',
    description: new Uint8Array(0),
    codecString: 'mp3',
    sampleRate,
    channels,
    frameSize,
  };
}

/**
 * A frame without main data, which decodes to silence, at the lowest bit rate.
 * @throws ParseError `FRAME_MALFORMED` for a sampling rate that layer III does not have.
 */
export function writeSilentMp3(
  sampleRate: number,
  channels: number,
): { readonly data: Uint8Array; readonly frameSize: number } {
  for (const [version, divisor] of VERSIONS) {
    const rate = RATES.indexOf(sampleRate * divisor);
    if (rate < 0) continue;
    const head = [0xff, 0xe3 | (version << 3), 0x10 | (rate << 2), channels === 1 ? 0xc0 : 0];
    const { bytes = 0, frameSize } = parseMp3Header(Uint8Array.from(head));
    const data = new Uint8Array(bytes);
    data.set(head);
    return { data, frameSize };
  }
  throw malformed(`${sampleRate} Hz`, 0);
}

function malformed(what: string, at: number): ParseError {
  return new ParseError('FRAME_MALFORMED', CLAUSE, what, at);
}
