import { ParseError } from '../model/errors.ts';
import { AAC_SAMPLE_RATES, type AacConfig } from './aac.ts';

/** adts_fixed_header() and adts_variable_header(). ISO/IEC 13818-7 §6.2, ISO/IEC 14496-3 §1.A.2. */
export interface AdtsHeader {
  /** Audio object type, 1 to 4. */
  readonly objectType: number;
  /** Hertz. */
  readonly sampleRate: number;
  readonly channelConfiguration: number;
  /** Bytes of header and checksum: 7 or 9. */
  readonly headerBytes: number;
  /** Bytes of the whole frame, header included. */
  readonly frameBytes: number;
  /** AAC frames in it, 1 to 4. */
  readonly rawBlocks: number;
}

/** Bytes of a header without checksum. */
export const ADTS_HEADER_BYTES = 7;
const CLAUSE = 'ISO/IEC 14496-3 §1.A.2.2';

/** Reads the header at `at`. @throws ParseError `FRAME_MALFORMED` */
export function parseAdtsHeader(data: Uint8Array, at = 0): AdtsHeader {
  if (at + ADTS_HEADER_BYTES > data.length) throw malformed('the header is cut off', at);
  const byte = (i: number): number => data[at + i]!;
  if (byte(0) !== 0xff || (byte(1) & 0xf6) !== 0xf0) throw malformed('no sync word', at);
  const sampleRate = AAC_SAMPLE_RATES[(byte(2) >> 2) & 15];
  if (sampleRate === undefined) throw malformed('a reserved sampling frequency', at);
  const headerBytes = (byte(1) & 1) === 1 ? ADTS_HEADER_BYTES : ADTS_HEADER_BYTES + 2;
  const frameBytes = ((byte(3) & 3) << 11) | (byte(4) << 3) | (byte(5) >> 5);
  if (frameBytes < headerBytes) throw malformed(`a frame of ${frameBytes} bytes`, at);
  return {
    objectType: (byte(2) >> 6) + 1,
    sampleRate,
    channelConfiguration: ((byte(2) & 1) << 2) | (byte(3) >> 6),
    headerBytes,
    frameBytes,
    rawBlocks: (byte(6) & 3) + 1,
  };
}

/**
 * The header in front of a raw AAC frame. Object types that ADTS cannot name are sent as AAC-LC, which
 * their core is.
 * @param rawBytes bytes of the frame without header, at most 8184.
 */
export function writeAdtsHeader(
  config: Pick<AacConfig, 'objectType' | 'sampleRate' | 'channelConfiguration'>,
  rawBytes: number,
): Uint8Array {
  const rateIndex = AAC_SAMPLE_RATES.indexOf(config.sampleRate);
  const size = rawBytes + ADTS_HEADER_BYTES;
  if (rateIndex < 0 || size > 0x1fff) throw malformed(`${config.sampleRate} Hz, ${size} bytes`, 0);
  const profile = config.objectType >= 1 && config.objectType <= 4 ? config.objectType - 1 : 1;
  const channels = config.channelConfiguration & 7;
  return Uint8Array.of(
    0xff,
    0xf1,
    (profile << 6) | (rateIndex << 2) | (channels >> 2),
    ((channels & 3) << 6) | (size >> 11),
    (size >> 3) & 0xff,
    ((size & 7) << 5) | 0x1f,
    0xfc,
  );
}

function malformed(what: string, at: number): ParseError {
  return new ParseError('FRAME_MALFORMED', CLAUSE, what, at);
}
