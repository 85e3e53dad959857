import { ParseError } from '../model/errors.ts';

/** How access units of one codec travel in RTP payloads. */
export interface PayloadFormat {
  /** Ticks per second of the RTP clock. */
  readonly clockRate: number;
  /** True if every packet is an access unit of its own and the marker means something else. */
  readonly packetIsUnit: boolean;
  /**
   * The payloads of one access unit, all with one timestamp; the last has the marker.
   * Payloads may be views into `unit`.
   * @param unit in canonical framing. @param maxBytes longest payload; at least 64.
   * @throws ParseError where the unit is malformed.
   */
  split(unit: Uint8Array, maxBytes: number): Uint8Array[];
  /**
   * The access unit of payloads that came in order and without loss: the inverse of `split`. A new buffer.
   * @throws ParseError `RTP_PAYLOAD`
   */
  join(payloads: readonly Uint8Array[]): Uint8Array;
}

/** Longest access unit that is put together, in bytes. */
export const MAX_UNIT_BYTES = 8 * 1024 * 1024;

/** The error for a payload that breaks its format. */
export function malformedPayload(clause: string, what: string): ParseError {
  return new ParseError('RTP_PAYLOAD', clause, what);
}
