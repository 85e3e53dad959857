import type { RtpPacket } from './packet.ts';

/** Bytes of a retransmission in front of the payload: the number that the packet had. RFC 4588 §4. */
export const RTX_HEADER_BYTES = 2;

/**
 * The packet that a retransmission repeats, with the number that it had; its payload is a view. Undefined for padding, by
 * which senders find out how much they may send.
 * @param payloadType of the packets that are repeated. @param ssrc of their source.
 */
export function readRtx(again: RtpPacket, payloadType: number, ssrc: number): RtpPacket | undefined {
  const { payload } = again;
  if (payload.length <= RTX_HEADER_BYTES) return undefined;
  const sequence = (payload[0]! << 8) | payload[1]!;
  return { ...again, payloadType, ssrc, sequence, payload: payload.subarray(RTX_HEADER_BYTES) };
}

/** The payload of the retransmission of a packet. @param sequence number that it had, 16 bits. */
export function writeRtxPayload(sequence: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RTX_HEADER_BYTES + payload.length);
  bytes[0] = sequence >> 8;
  bytes[1] = sequence;
  bytes.set(payload, RTX_HEADER_BYTES);
  return bytes;
}
