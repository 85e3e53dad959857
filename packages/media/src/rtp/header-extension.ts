import { RTP_HEADER_BYTES } from './packet.ts';

/** Header extension that names the section of a packet. RFC 9143 §15. */
export const MID_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';
/** Header extension that names the layer of a packet. RFC 8852 §3.1. */
export const STREAM_ID_URI = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';

/** Mark of a header extension whose elements have one byte of head. RFC 8285 §4.2. */
const ONE_BYTE = 0xbede;

/**
 * Data of one element of a packet's header extension in the one-byte form; a view. Undefined if the packet has none, or
 * if it is cut off.
 * @param id 1 to 14, as the offer has it.
 */
export function headerExtension(packet: Uint8Array, id: number): Uint8Array | undefined {
  if (packet.length < RTP_HEADER_BYTES || (packet[0]! & 0x10) === 0) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  let at = RTP_HEADER_BYTES + 4 * (packet[0]! & 15);
  if (at + 4 > packet.length || view.getUint16(at) !== ONE_BYTE) return undefined;
  const end = at + 4 + 4 * view.getUint16(at + 2);
  if (end > packet.length) return undefined;
  at += 4;
  while (at < end) {
    const head = packet[at++]!;
    // Padding.
    if (head === 0) continue;
    // Nothing behind the reserved id is looked at.
    if (head >> 4 === 15) return undefined;
    const length = (head & 15) + 1;
    if (at + length > end) return undefined;
    if (head >> 4 === id) return packet.subarray(at, at + length);
    at += length;
  }
  return undefined;
}
