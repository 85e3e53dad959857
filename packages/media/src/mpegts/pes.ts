import { ParseError } from '../model/errors.ts';
import { putTimestamp, readTimestamp } from './clock.ts';
import { STREAM_ID } from './stream-type.ts';

/** Bytes up to and including PES_packet_length. */
export const PES_PREFIX_BYTES = 6;
/** Largest PES_packet_length; longer packets of video say 0. ISO/IEC 13818-1 §2.4.3.7. */
export const MAX_PES_LENGTH = 0xffff;
const CLAUSE = 'ISO/IEC 13818-1 §2.4.3.7';

/** Streams whose packets have no header beyond the length: map, ECM, EMM, directory, DSM-CC and others. */
const PLAIN_STREAMS = new Set<number>([
  0xbc,
  STREAM_ID.padding,
  STREAM_ID.privateStream2,
  0xf0,
  0xf1,
  0xf2,
  0xf8,
  0xff,
]);

/** What stands in front of the payload of a PES packet. */
export interface PesHeader {
  readonly streamId: number;
  /** PES_packet_length; 0 means up to the next packet. */
  readonly length: number;
  /** data_alignment_indicator. */
  readonly aligned: boolean;
  /** 90 kHz, 33 bits. */
  readonly pts: number | undefined;
  /** 90 kHz, 33 bits; undefined where it equals the PTS. */
  readonly dts: number | undefined;
  /** Bytes up to the payload. */
  readonly headerBytes: number;
}

/** Bytes of the header that {@link putPesHeader} writes. */
export function pesHeaderBytes(withDts: boolean): number {
  return withDts ? 19 : 14;
}

/**
 * Writes a PES header with data_alignment_indicator. ISO/IEC 13818-1 §2.4.3.6.
 * @returns position behind it.
 * @param pts 90 kHz, wrapped here. @param dts left out where it equals the PTS.
 * @param payloadBytes bytes behind the header.
 */
export function putPesHeader(
  bytes: Uint8Array,
  at: number,
  streamId: number,
  pts: number,
  dts: number,
  payloadBytes: number,
): number {
  const withDts = dts !== pts;
  const header = pesHeaderBytes(withDts);
  const length = header - PES_PREFIX_BYTES + payloadBytes;
  const told = length > MAX_PES_LENGTH ? 0 : length;
  bytes[at] = 0;
  bytes[at + 1] = 0;
  bytes[at + 2] = 1;
  bytes[at + 3] = streamId;
  bytes[at + 4] = told >> 8;
  bytes[at + 5] = told;
  bytes[at + 6] = 0x84;
  bytes[at + 7] = withDts ? 0xc0 : 0x80;
  bytes[at + 8] = withDts ? 10 : 5;
  putTimestamp(bytes, at + 9, withDts ? 3 : 2, pts);
  if (withDts) putTimestamp(bytes, at + 14, 1, dts);
  return at + header;
}

/**
 * Reads the header at the start of `bytes`.
 * @throws ParseError `TS_PES` if it is none or its lengths and flags contradict one another.
 */
export function readPesHeader(bytes: Uint8Array): PesHeader {
  if (bytes.length < PES_PREFIX_BYTES) throw malformed(`${bytes.length} bytes are no header`);
  if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 1)
    throw malformed('packet_start_code_prefix is missing');
  const streamId = bytes[3]!;
  const length = (bytes[4]! << 8) | bytes[5]!;
  if (PLAIN_STREAMS.has(streamId)) {
    return {
      streamId,
      length,
      aligned: false,
      pts: undefined,
      dts: undefined,
      headerBytes: PES_PREFIX_BYTES,
    };
  }
  if (bytes.length < 9) throw malformed(`${bytes.length} bytes are no header`);
  if (bytes[6]! >> 6 !== 2) throw malformed('the marker bits in front of the flags are wrong');
  const flags = bytes[7]! >> 6;
  const room = bytes[8]!;
  const headerBytes = 9 + room;
  if (flags === 1) throw malformed('a DTS without PTS');
  if (headerBytes > bytes.length) throw malformed(`PES_header_data_length ${room} reaches beyond the packet`);
  if (length !== 0 && headerBytes > PES_PREFIX_BYTES + length) {
    throw malformed(`PES_header_data_length ${room} reaches beyond PES_packet_length ${length}`);
  }
  if (room < (flags === 3 ? 10 : flags === 2 ? 5 : 0))
    throw malformed(`no room for a timestamp in ${room} bytes`);
  const pts = flags === 0 ? undefined : readTimestamp(bytes, 9, flags);
  const dts = flags === 3 ? readTimestamp(bytes, 14, 1) : undefined;
  if ((flags !== 0 && pts === undefined) || (flags === 3 && dts === undefined)) {
    throw malformed('the marker bits of a timestamp are wrong');
  }
  return { streamId, length, aligned: (bytes[6]! & 4) !== 0, pts, dts, headerBytes };
}

function malformed(what: string): ParseError {
  return new ParseError('TS_PES', CLAUSE, what);
}
