import { ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { NtpTime } from './ntp.ts';

/** Most packets in one compound packet that are looked at. */
export const MAX_COMPOUND = 32;
/** Most lost packets that one negative acknowledgement may name. */
export const MAX_NACKED = 512;

const CLAUSE = 'RFC 3550 §6.4';

/** What a receiver tells about one source. RFC 3550 §6.4.1. */
export interface ReportBlock {
  readonly ssrc: number;
  /** Fraction lost since the last report, in 1/256. */
  readonly fractionLost: number;
  /** Signed, 24 bits. */
  readonly lost: number;
  /** Highest sequence number with its cycles, 32 bits. */
  readonly highest: number;
  /** Ticks. */
  readonly jitter: number;
  /** Middle 32 bits of the last sender report's time, 0 for none. */
  readonly lastReport: number;
  /** Since that report, in 1/65,536 s. */
  readonly delay: number;
}

/** One RTCP packet as far as this project listens to it. */
export type Rtcp =
  | {
      readonly kind: 'sender-report';
      readonly ssrc: number;
      readonly ntp: NtpTime;
      readonly timestamp: number;
      readonly packets: number;
      readonly octets: number;
      readonly reports: readonly ReportBlock[];
    }
  | { readonly kind: 'receiver-report'; readonly ssrc: number; readonly reports: readonly ReportBlock[] }
  | { readonly kind: 'bye'; readonly ssrcs: readonly number[] }
  /** RFC 4585 §6.2.1. */
  | { readonly kind: 'nack'; readonly media: number; readonly lost: readonly number[] }
  /** Picture loss (RFC 4585 §6.3.1) or full intra request (RFC 5104 §4.3.1). */
  | { readonly kind: 'keyframe-request'; readonly media: number }
  /** draft-alvestrand-rmcat-remb-03, bits per second. */
  | { readonly kind: 'bitrate'; readonly bitrate: number };

/**
 * Reads a compound packet; kinds that nobody listens to are left out.
 * @throws ParseError `RTCP_PACKET`
 */
export function parseRtcp(bytes: Uint8Array): Rtcp[] {
  const packets: Rtcp[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  for (let count = 0; at < bytes.length; count++) {
    if (count >= MAX_COMPOUND) throw malformed(`more than ${MAX_COMPOUND} packets in one`, at);
    if (at + 4 > bytes.length) throw malformed('a header that is cut off', at);
    if (bytes[at]! >> 6 !== 2) throw malformed(`version ${bytes[at]! >> 6}`, at);
    const end = at + 4 + 4 * view.getUint16(at + 2);
    if (end > bytes.length) throw malformed('a packet longer than what came', at);
    const packet = readOne(view, at, end);
    if (packet !== undefined) packets.push(packet);
    at = end;
  }
  return packets;
}

function readOne(view: DataView, at: number, end: number): Rtcp | undefined {
  const count = view.getUint8(at) & 31;
  const need = (bytes: number): void => {
    if (at + bytes > end) throw malformed('a packet shorter than its kind', at);
  };
  switch (view.getUint8(at + 1)) {
    case 200: {
      need(28 + 24 * count);
      return {
        kind: 'sender-report',
        ssrc: view.getUint32(at + 4),
        ntp: { seconds: view.getUint32(at + 8), fraction: view.getUint32(at + 12) },
        timestamp: view.getUint32(at + 16),
        packets: view.getUint32(at + 20),
        octets: view.getUint32(at + 24),
        reports: readReports(view, at + 28, count),
      };
    }
    case 201:
      need(8 + 24 * count);
      return {
        kind: 'receiver-report',
        ssrc: view.getUint32(at + 4),
        reports: readReports(view, at + 8, count),
      };
    case 203:
      need(4 + 4 * count);
      return { kind: 'bye', ssrcs: Array.from({ length: count }, (_, i) => view.getUint32(at + 4 + 4 * i)) };
    case 205: {
      need(12);
      if (count !== 1) return undefined;
      return { kind: 'nack', media: view.getUint32(at + 8), lost: readNacked(view, at + 12, end) };
    }
    case 206:
      need(12);
      if (count === 1) return { kind: 'keyframe-request', media: view.getUint32(at + 8) };
      if (count === 4 && at + 16 <= end) return { kind: 'keyframe-request', media: view.getUint32(at + 12) };
      return count === 15 ? readBitrate(view, at, end) : undefined;
    default:
      return undefined;
  }
}

function readReports(view: DataView, at: number, count: number): ReportBlock[] {
  return Array.from({ length: count }, (_, i) => {
    const from = at + 24 * i;
    return {
      ssrc: view.getUint32(from),
      fractionLost: view.getUint8(from + 4),
      lost: (view.getInt32(from + 4) << 8) >> 8,
      highest: view.getUint32(from + 8),
      jitter: view.getUint32(from + 12),
      lastReport: view.getUint32(from + 16),
      delay: view.getUint32(from + 20),
    };
  });
}

function readNacked(view: DataView, from: number, end: number): number[] {
  const lost: number[] = [];
  for (let at = from; at + 4 <= end; at += 4) {
    const first = view.getUint16(at);
    const mask = view.getUint16(at + 2);
    lost.push(first);
    for (let bit = 0; bit < 16; bit++) if ((mask & (1 << bit)) !== 0) lost.push((first + bit + 1) & 0xffff);
    if (lost.length > MAX_NACKED) throw malformed(`more than ${MAX_NACKED} packets asked for again`, at);
  }
  return lost;
}

const REMB = 0x52454d42;

function readBitrate(view: DataView, at: number, end: number): Rtcp | undefined {
  if (at + 20 > end || view.getUint32(at + 12) !== REMB) return undefined;
  const exponent = view.getUint8(at + 17) >> 2;
  const mantissa = ((view.getUint8(at + 17) & 3) << 16) | view.getUint16(at + 18);
  return { kind: 'bitrate', bitrate: mantissa * 2 ** exponent };
}

/** A sender report with the source's name behind it (RFC 3550 §6.4.1, §6.5). @param cname ASCII, at most 255 bytes. */
export function writeSenderReport(
  report: {
    readonly ssrc: number;
    readonly ntp: NtpTime;
    readonly timestamp: number;
    readonly packets: number;
    readonly octets: number;
  },
  cname: string,
): Uint8Array {
  const writer = new ByteWriter(64).u8(0x80).u8(200).u16(6).u32(report.ssrc);
  writer
    .u32(report.ntp.seconds)
    .u32(report.ntp.fraction)
    .u32(report.timestamp >>> 0);
  writer.u32(report.packets >>> 0).u32(report.octets >>> 0);
  const padding = 4 - ((2 + cname.length) % 4);
  writer
    .u8(0x81)
    .u8(202)
    .u16((8 + cname.length + 2 + padding) / 4 - 1);
  return writer.u32(report.ssrc).u8(1).u8(cname.length).utf8(cname).zeros(padding).finish();
}

/** A receiver report. RFC 3550 §6.4.2. @param blocks at most 31. */
export function writeReceiverReport(ssrc: number, blocks: readonly ReportBlock[]): Uint8Array {
  const writer = new ByteWriter(32)
    .u8(0x80 | blocks.length)
    .u8(201)
    .u16(1 + 6 * blocks.length)
    .u32(ssrc);
  for (const block of blocks) {
    writer
      .u32(block.ssrc)
      .u8(block.fractionLost)
      .u24(block.lost & 0xffffff)
      .u32(block.highest >>> 0);
    writer
      .u32(Math.min(block.jitter, 0xffff_ffff) >>> 0)
      .u32(block.lastReport)
      .u32(block.delay >>> 0);
  }
  return writer.finish();
}

/** Asks for a key frame: picture loss indication. RFC 4585 §6.3.1. */
export function writePictureLoss(ssrc: number, media: number): Uint8Array {
  return new ByteWriter(12).u8(0x81).u8(206).u16(2).u32(ssrc).u32(media).finish();
}

/** Asks for packets again. RFC 4585 §6.2.1. @param lost 16-bit sequence numbers in rising order (modulo wrap). */
export function writeNack(ssrc: number, media: number, lost: readonly number[]): Uint8Array {
  const pairs: { first: number; mask: number }[] = [];
  for (const sequence of lost) {
    const pair = pairs.at(-1);
    const ahead = pair === undefined ? 0 : (sequence - pair.first) & 0xffff;
    if (pair !== undefined && ahead >= 1 && ahead <= 16) pair.mask |= 1 << (ahead - 1);
    else if (pair === undefined || ahead !== 0) pairs.push({ first: sequence, mask: 0 });
  }
  const writer = new ByteWriter(16)
    .u8(0x81)
    .u8(205)
    .u16(2 + pairs.length)
    .u32(ssrc)
    .u32(media);
  for (const { first, mask } of pairs) writer.u16(first).u16(mask);
  return writer.finish();
}

/** Tells a sender how much it may send, bits per second. draft-alvestrand-rmcat-remb-03 §2.2. */
export function writeBitrate(ssrc: number, media: readonly number[], bitrate: number): Uint8Array {
  let exponent = 0;
  while (bitrate / 2 ** exponent >= 2 ** 18) exponent++;
  const mantissa = Math.floor(bitrate / 2 ** exponent);
  const writer = new ByteWriter(24)
    .u8(0x8f)
    .u8(206)
    .u16(4 + media.length)
    .u32(ssrc)
    .u32(0)
    .u32(REMB);
  writer
    .u8(media.length)
    .u8((exponent << 2) | (mantissa >> 16))
    .u16(mantissa & 0xffff);
  for (const one of media) writer.u32(one);
  return writer.finish();
}

function malformed(what: string, at: number): ParseError {
  return new ParseError('RTCP_PACKET', CLAUSE, what, at);
}
