import { concatBytes } from '../bytes/index.ts';
import type { AudioParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { BitReader } from './bit-reader.ts';

/** STREAMINFO. RFC 9639 §8.2. */
export interface FlacStreamInfo {
  /** PCM frames. */
  readonly minBlockSize: number;
  readonly maxBlockSize: number;
  /** Hertz. */
  readonly sampleRate: number;
  readonly channels: number;
  readonly bitsPerSample: number;
}

const CLAUSE = 'RFC 9639 §8.2';
const STREAMINFO_BYTES = 34;
const MARKER = [0x66, 0x4c, 0x61, 0x43] as const;

/** Reads the 34 bytes of a STREAMINFO block. @throws ParseError `CONFIG_MALFORMED` or `BITS_OUT_OF_RANGE` */
export function parseFlacStreamInfo(block: Uint8Array): FlacStreamInfo {
  const bits = new BitReader(block, CLAUSE);
  const minBlockSize = bits.u(16);
  const maxBlockSize = bits.u(16);
  bits.skip(48); // frame sizes
  const sampleRate = bits.u(20);
  const channels = bits.u(3) + 1;
  const bitsPerSample = bits.u(5) + 1;
  if (sampleRate === 0 || minBlockSize < 16 || maxBlockSize < minBlockSize) {
    throw malformed(`blocks of ${minBlockSize} to ${maxBlockSize} at ${sampleRate} Hz`);
  }
  return { minBlockSize, maxBlockSize, sampleRate, channels, bitsPerSample };
}

/**
 * The metadata blocks of a `dfLa` box (FLAC in ISOBMFF §3.3.2), reduced to STREAMINFO, from any of the forms
 * in use: with the `fLaC` marker, as blocks, or the bare 34 bytes.
 * @throws ParseError `CONFIG_MALFORMED`
 */
export function flacBlocks(header: Uint8Array): Uint8Array {
  const at = MARKER.every((byte, i) => header[i] === byte) ? 4 : 0;
  const bare = header.length === STREAMINFO_BYTES;
  if (!bare && (((header[at] ?? 0xff) & 0x7f) !== 0 || header.length < at + 4 + STREAMINFO_BYTES)) {
    throw malformed('no STREAMINFO block in front');
  }
  const info = bare ? header : header.subarray(at + 4, at + 4 + STREAMINFO_BYTES);
  return concatBytes([Uint8Array.of(0x80, 0, 0, STREAMINFO_BYTES), info]);
}

/** The stream header that FLV and native FLAC files begin with: marker and metadata blocks. */
export function flacStreamHeader(blocks: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.from(MARKER), blocks]);
}

/**
 * PCM frames in a FLAC frame, from its header. RFC 9639 §9.1.
 * @throws ParseError `FRAME_MALFORMED`, `BITS_OUT_OF_RANGE`
 */
export function flacFrameSize(frame: Uint8Array): number {
  const bits = new BitReader(frame.subarray(0, 16), 'RFC 9639 §9.1');
  if (bits.u(15) !== 0x7ffc) throw new ParseError('FRAME_MALFORMED', 'RFC 9639 §9.1', 'no sync code', 0);
  bits.skip(1);
  const code = bits.u(4);
  bits.skip(12); // sample rate, channels, sample size
  if (code === 0) throw new ParseError('FRAME_MALFORMED', 'RFC 9639 §9.1.1', 'a reserved block size', 2);
  if (code === 1) return 192;
  if (code <= 5) return 144 * 2 ** code;
  if (code >= 8) return 2 ** code;
  let coded = bits.u(8); // frame or sample number, coded like UTF-8
  while ((coded & 0xc0) === 0xc0) {
    bits.skip(8);
    coded = (coded << 1) & 0xff;
  }
  return bits.u(code === 6 ? 8 : 16) + 1;
}

/** Track parameters from the metadata blocks of a `dfLa` box, of which they keep a copy. */
export function flacParameters(blocks: Uint8Array): AudioParameters {
  const info = parseFlacStreamInfo(blocks.subarray(4));
  return {
    kind: 'audio',
    codec: 'flac',
    description: blocks.slice(),
    codecString: 'flac',
    sampleRate: info.sampleRate,
    channels: info.channels,
    ...(info.minBlockSize === info.maxBlockSize ? { frameSize: info.minBlockSize } : {}),
  };
}

function malformed(what: string): ParseError {
  return new ParseError('CONFIG_MALFORMED', CLAUSE, what);
}
