import { ParseError } from '../model/errors.ts';

/** Bytes of an RTP header without contributing sources and extension. RFC 3550 §5.1. */
export const RTP_HEADER_BYTES = 12;
/** Longest packet that is taken, in bytes: what fits into one UDP datagram over Ethernet with jumbo frames. */
export const MAX_RTP_BYTES = 9_000;

const CLAUSE = 'RFC 3550 §5.1';

/** Fields of an RTP header. */
export interface RtpHeader {
  readonly marker: boolean;
  /** 0 to 127. */
  readonly payloadType: number;
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits, ticks of the payload's clock. */
  readonly timestamp: number;
  readonly ssrc: number;
}

/** One packet; the payload is a view without padding. */
export interface RtpPacket extends RtpHeader {
  readonly payload: Uint8Array;
}

/** True if a packet of a multiplexed flow is RTCP and not RTP. RFC 5761 §4. */
export function isRtcp(bytes: Uint8Array): boolean {
  const type = bytes[1] ?? 0;
  return type >= 192 && type <= 223;
}

/**
 * Reads a packet. Contributing sources and the header extension are passed over.
 * @throws ParseError `RTP_PACKET`
 */
export function parseRtp(bytes: Uint8Array): RtpPacket {
  if (bytes.length < RTP_HEADER_BYTES || bytes.length > MAX_RTP_BYTES) {
    throw malformed(`a packet of ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = bytes[0]!;
  if (first >> 6 !== 2) throw malformed(`version ${first >> 6}`);
  let start = RTP_HEADER_BYTES + 4 * (first & 15);
  if ((first & 0x10) !== 0) {
    if (start + 4 > bytes.length) throw malformed('the header extension is cut off');
    start += 4 + 4 * view.getUint16(start + 2);
  }
  let end = bytes.length;
  if ((first & 0x20) !== 0) {
    const padding = bytes[end - 1]!;
    if (padding === 0) throw malformed('padding of no bytes');
    end -= padding;
  }
  if (start > end) throw malformed('header and padding are longer than the packet');
  return {
    marker: (bytes[1]! & 0x80) !== 0,
    payloadType: bytes[1]! & 0x7f,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: bytes.subarray(start, end),
  };
}

/** Writes the 12 bytes of a header to `at`. Numbers beyond their width are wrapped. */
export function writeRtpHeader(to: Uint8Array, at: number, header: RtpHeader): void {
  const view = new DataView(to.buffer, to.byteOffset + at, RTP_HEADER_BYTES);
  view.setUint8(0, 0x80);
  view.setUint8(1, (header.marker ? 0x80 : 0) | header.payloadType);
  view.setUint16(2, header.sequence);
  view.setUint32(4, header.timestamp);
  view.setUint32(8, header.ssrc);
}

/** Header extension by which a sender says how long a receiver may hold pictures back. */
export const PLAYOUT_DELAY_URI = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';
/** Bytes that {@link writePlayoutDelay} adds behind the header. */
export const PLAYOUT_DELAY_BYTES = 8;

/**
 * Writes behind a header without extension, and marks in it, that the picture is to be shown between `minMs` and `maxMs`
 * milliseconds after it came: 12 bits each, in steps of 10 ms. RFC 8285 §4.2.
 * @param id 1 to 14, as the offer has it.
 */
export function writePlayoutDelay(
  to: Uint8Array,
  at: number,
  id: number,
  minMs: number,
  maxMs: number,
): void {
  const view = new DataView(to.buffer, to.byteOffset + at, RTP_HEADER_BYTES + PLAYOUT_DELAY_BYTES);
  view.setUint8(0, view.getUint8(0) | 0x10);
  view.setUint32(RTP_HEADER_BYTES, 0xbede_0001);
  view.setUint8(RTP_HEADER_BYTES + 4, (id << 4) | 2);
  const [min, max] = [Math.round(minMs / 10) & 0xfff, Math.round(maxMs / 10) & 0xfff];
  view.setUint16(RTP_HEADER_BYTES + 5, (min << 4) | (max >> 8));
  view.setUint8(RTP_HEADER_BYTES + 7, max & 0xff);
}

/** A whole packet in one buffer. */
export function writeRtp(packet: RtpPacket): Uint8Array {
  const bytes = new Uint8Array(RTP_HEADER_BYTES + packet.payload.length);
  writeRtpHeader(bytes, 0, packet);
  bytes.set(packet.payload, RTP_HEADER_BYTES);
  return bytes;
}

function malformed(what: string): ParseError {
  return new ParseError('RTP_PACKET', CLAUSE, what);
}
