import { readPcr } from './clock.ts';

/** Bytes of a transport packet. ISO/IEC 13818-1 §2.4.3.2. */
export const PACKET_BYTES = 188;
/** First byte of every packet. */
export const SYNC_BYTE = 0x47;
/** Bytes of a packet behind its header. */
export const PACKET_ROOM = PACKET_BYTES - 4;
/** PID of the program association section. ISO/IEC 13818-1 Table 2-3. */
export const PAT_PID = 0;
/** PID of packets without meaning. */
export const NULL_PID = 0x1fff;
/** Number of PIDs there are. */
export const PID_COUNT = 0x2000;

/** One transport packet, taken apart. */
export interface TsPacket {
  readonly pid: number;
  /** transport_error_indicator: something on the way could not correct it. */
  readonly error: boolean;
  /** payload_unit_start_indicator. */
  readonly start: boolean;
  /** transport_scrambling_control is not zero. */
  readonly scrambled: boolean;
  readonly continuity: number;
  /** discontinuity_indicator of the adaptation field. */
  readonly discontinuity: boolean;
  /** random_access_indicator. */
  readonly randomAccess: boolean;
  /** 27 MHz ticks. */
  readonly pcr: number | undefined;
  readonly hasPayload: boolean;
  /** A view of the packet; empty without payload. */
  readonly payload: Uint8Array;
}

/**
 * Takes the packet at `at` apart; there are 188 bytes and the first is the sync byte.
 * @returns a word that says what is wrong if the adaptation field contradicts the header.
 */
export function readPacket(bytes: Uint8Array, at: number): TsPacket | string {
  const second = bytes[at + 1]!;
  const fourth = bytes[at + 3]!;
  const hasPayload = (fourth & 0x10) !== 0;
  let from = at + 4;
  let discontinuity = false;
  let randomAccess = false;
  let pcr: number | undefined;
  if ((fourth & 0x30) === 0) return 'adaptation_field_control is 0';
  if ((fourth & 0x20) !== 0) {
    const length = bytes[from]!;
    if (length > (hasPayload ? PACKET_ROOM - 2 : PACKET_ROOM - 1))
      return `an adaptation field of ${length} bytes`;
    if (length > 0) {
      const flags = bytes[from + 1]!;
      discontinuity = (flags & 0x80) !== 0;
      randomAccess = (flags & 0x40) !== 0;
      if ((flags & 0x10) !== 0) {
        if (length < 7) return `a PCR in an adaptation field of ${length} bytes`;
        pcr = readPcr(bytes, from + 2);
      }
    }
    from += 1 + length;
  }
  return {
    pid: ((second & 0x1f) << 8) | bytes[at + 2]!,
    error: (second & 0x80) !== 0,
    start: (second & 0x40) !== 0,
    scrambled: (fourth & 0xc0) !== 0,
    continuity: fourth & 15,
    discontinuity,
    randomAccess,
    pcr,
    hasPayload,
    payload: bytes.subarray(hasPayload ? from : at + PACKET_BYTES, at + PACKET_BYTES),
  };
}
