import type { AudioParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { BitReader } from './bit-reader.ts';

/** What the head of an AC-3 or Enhanced AC-3 syncframe tells. ETSI TS 102 366 §4.4 and §E.1.3. */
export interface Ac3Header {
  /** Hertz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** PCM frames: 256 for each audio block. */
  readonly frameSize: number;
}

const CLAUSE = 'ETSI TS 102 366 §4.4';
const ENHANCED_CLAUSE = 'ETSI TS 102 366 §E.1.3';
const SYNC_WORD = 0x0b77;
const RATES: readonly number[] = [48_000, 44_100, 32_000];
/** Full-band channels by acmod. */
const CHANNELS: readonly number[] = [2, 1, 2, 3, 3, 4, 4, 5];
const BLOCK_FRAMES = 256;

/** Reads the head of an AC-3 syncframe. @throws ParseError `FRAME_MALFORMED` or `BITS_OUT_OF_RANGE` */
export function parseAc3Header(frame: Uint8Array): Ac3Header {
  const bits = new BitReader(frame, CLAUSE);
  checkSync(bits, CLAUSE);
  bits.skip(16); // crc1
  const sampleRate = RATES[bits.u(2)];
  bits.skip(6); // frmsizecod
  const bsid = bits.u(5);
  if (sampleRate === undefined || bsid > 10) throw malformed(CLAUSE, `a reserved rate, or bsid ${bsid}`);
  bits.skip(3); // bsmod
  const acmod = bits.u(3);
  if ((acmod & 1) === 1 && acmod !== 1) bits.skip(2); // cmixlev
  if ((acmod & 4) === 4) bits.skip(2); // surmixlev
  if (acmod === 2) bits.skip(2); // dsurmod
  return { sampleRate, channels: CHANNELS[acmod]! + bits.u(1), frameSize: 6 * BLOCK_FRAMES };
}

/** Bit rates by frmsizecod without its last bit, kbit/s. */
const BIT_RATES: readonly number[] = [
  32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
];

/** Bytes of an AC-3 syncframe, told by its head. ETSI TS 102 366 Table 4.13. @throws ParseError `FRAME_MALFORMED` */
export function ac3FrameBytes(frame: Uint8Array): number {
  const bits = new BitReader(frame, CLAUSE);
  checkSync(bits, CLAUSE);
  bits.skip(16); // crc1
  const rate = RATES[bits.u(2)];
  const code = bits.u(6);
  const kbps = BIT_RATES[code >> 1];
  if (rate === undefined || kbps === undefined) throw malformed(CLAUSE, `a reserved rate, or size ${code}`);
  const words = Math.floor((kbps * 1000 * 6 * BLOCK_FRAMES) / (16 * rate));
  return 2 * (rate === 44_100 ? words + (code & 1) : words);
}

/**
 * Bytes of an Enhanced AC-3 access unit: the frame of the first substream and those that belong to it, as far as they
 * are there. @throws ParseError `FRAME_MALFORMED` or `BITS_OUT_OF_RANGE`
 */
export function eac3UnitBytes(unit: Uint8Array): number {
  let at = parseEac3Syncframe(unit).bytes;
  for (let i = 0; i < MAX_SUBSTREAMS && at + EAC3_HEAD_BYTES <= unit.length; i++) {
    if (unit[at] !== SYNC_WORD >> 8) break;
    const next = parseEac3Syncframe(unit.subarray(at));
    if (next.primary) break;
    at += next.bytes;
  }
  return at;
}

/** Bytes in which a head of Enhanced AC-3 tells whose it is. */
const EAC3_HEAD_BYTES = 6;
/** Substreams beside the first: 7 independent ones and 8 that depend on it. ETSI TS 102 366 §E.1.3.1.2. */
const MAX_SUBSTREAMS = 15;

/** One syncframe of Enhanced AC-3. */
interface Eac3Syncframe extends Ac3Header {
  readonly bytes: number;
  /** True for the first independent substream, which carries the time. */
  readonly primary: boolean;
}

function parseEac3Syncframe(frame: Uint8Array): Eac3Syncframe {
  const bits = new BitReader(frame, ENHANCED_CLAUSE);
  checkSync(bits, ENHANCED_CLAUSE);
  const type = bits.u(2);
  const substream = bits.u(3);
  const bytes = (bits.u(11) + 1) * 2;
  const rateCode = bits.u(2);
  const second = bits.u(2);
  const rate = rateCode === 3 ? RATES[second] : RATES[rateCode];
  if (rate === undefined || type === 3) throw malformed(ENHANCED_CLAUSE, 'a reserved rate or stream type');
  const blocks = rateCode === 3 ? 6 : [1, 2, 3, 6][second]!;
  const acmod = bits.u(3);
  return {
    sampleRate: rateCode === 3 ? rate / 2 : rate,
    channels: CHANNELS[acmod]! + bits.u(1),
    frameSize: blocks * BLOCK_FRAMES,
    bytes,
    primary: type !== 1 && substream === 0,
  };
}

/**
 * Reads an Enhanced AC-3 access unit: one or more syncframes. Channels are those of the first.
 * @throws ParseError `FRAME_MALFORMED` or `BITS_OUT_OF_RANGE`
 */
export function parseEac3Header(unit: Uint8Array): Ac3Header {
  const { sampleRate, channels, frameSize, bytes } = parseEac3Syncframe(unit);
  let total = frameSize;
  for (let at = bytes; at + 6 <= unit.length; ) {
    const next = parseEac3Syncframe(unit.subarray(at));
    if (next.primary) total += next.frameSize;
    at += next.bytes;
  }
  return { sampleRate, channels, frameSize: total };
}

/** Track parameters from any frame of AC-3 (`ac-3`) or Enhanced AC-3 (`ec-3`). */
export function ac3Parameters(codec: 'ac3' | 'eac3', frame: Uint8Array): AudioParameters {
  const header = codec === 'ac3' ? parseAc3Header(frame) : parseEac3Header(frame);
  return {
    kind: 'audio',
    codec,
    description: new Uint8Array(0),
    codecString: codec === 'ac3' ? 'ac-3' : 'ec-3',
    ...header,
  };
}

function checkSync(bits: BitReader, clause: string): void {
  if (bits.u(16) !== SYNC_WORD) throw malformed(clause, 'no sync word');
}

function malformed(clause: string, what: string): ParseError {
  return new ParseError('FRAME_MALFORMED', clause, what);
}
