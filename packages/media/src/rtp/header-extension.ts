import { RTP_HEADER_BYTES } from './packet.ts';

/** Header extension that names the section of a packet. RFC 9143 §15. */
export const MID_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';
/** Header extension that names the layer of a packet. RFC 8852 §3.1. */
export const STREAM_ID_URI = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';

/** Header extension that names the layer of which a packet is sent again. RFC 8852 §3.2. */
export const REPAIRED_STREAM_ID_URI = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';

/** Mark of a header extension whose elements have one byte of head. RFC 8285 §4.2. */
const ONE_BYTE = 0xbede;
/** The same for two bytes of head, without the four bits that are the application's. RFC 8285 §4.3. */
const TWO_BYTE = 0x100;
/** Largest id that fits the one-byte form. RFC 8285 §4.2. */
export const MAX_SHORT_EXTENSION_ID = 14;

/**
 * Data of one element of a packet's header extension, in either form; a view. Undefined if the packet has none, or if it
 * is cut off. Senders may change the form from packet to packet (RFC 8285 §4.1.2).
 * @param id 1 to 255, as the offer has it; above 14 the two-byte form alone can have it.
 */
export function headerExtension(packet: Uint8Array, id: number): Uint8Array | undefined {
  if (packet.length < RTP_HEADER_BYTES || (packet[0]! & 0x10) === 0) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  let at = RTP_HEADER_BYTES + 4 * (packet[0]! & 15);
  if (at + 4 > packet.length) return undefined;
  const profile = view.getUint16(at);
  const short = profile === ONE_BYTE;
  if (!short && profile >> 4 !== TWO_BYTE) return undefined;
  const end = at + 4 + 4 * view.getUint16(at + 2);
  if (end > packet.length) return undefined;
  at += 4;
  while (at < end) {
    const head = packet[at++]!;
    // Padding.
    if (head === 0) continue;
    // Nothing behind the reserved id is looked at.
    if (short && head >> 4 === 15) return undefined;
    if (!short && at === end) return undefined;
    const length = short ? (head & 15) + 1 : packet[at++]!;
    if (at + length > end) return undefined;
    if ((short ? head >> 4 : head) === id) return packet.subarray(at, at + length);
    at += length;
  }
  return undefined;
}
