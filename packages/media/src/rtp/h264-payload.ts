import { H264_NAL, h264NalType, joinLengthPrefixed, splitLengthPrefixed } from '../bitstream/index.ts';
import { concatBytes } from '../bytes/index.ts';
import { malformedPayload, type PayloadFormat } from './payload-format.ts';

const CLAUSE = 'RFC 6184 §5.2';
const STAP_A = 24;
const FU_A = 28;
/** Not sent: they tell a decoder nothing that RTP does not. */
const LEFT_OUT: ReadonlySet<number> = new Set([H264_NAL.aud, H264_NAL.filler]);

/** H.264 in packetization mode 1: single NAL units, STAP-A and FU-A. RFC 6184 §6.3. */
export const H264_PAYLOAD: PayloadFormat = {
  clockRate: 90_000,
  packetIsUnit: false,
  split(unit, maxBytes) {
    const payloads: Uint8Array[] = [];
    let small: Uint8Array[] = [];
    let smallBytes = 1;
    const flush = (): void => {
      if (small.length === 1) payloads.push(small[0]!);
      else if (small.length > 1) payloads.push(aggregate(small, smallBytes));
      small = [];
      smallBytes = 1;
    };
    for (const nal of splitLengthPrefixed(unit)) {
      if (LEFT_OUT.has(h264NalType(nal[0]!))) continue;
      if (nal.length > maxBytes) {
        flush();
        payloads.push(...fragment(nal, maxBytes));
        continue;
      }
      if (smallBytes + 2 + nal.length > maxBytes) flush();
      small.push(nal);
      smallBytes += 2 + nal.length;
    }
    flush();
    return payloads;
  },
  join(payloads) {
    const nals: Uint8Array[] = [];
    let fragments: Uint8Array[] | undefined;
    for (const payload of payloads) {
      const first = payload[0];
      if (first === undefined) continue; // padding only
      const type = h264NalType(first);
      if (type !== FU_A && fragments !== undefined) throw broken('a fragmented NAL unit without end');
      if (type === FU_A) fragments = takeFragment(payload, fragments, nals);
      else if (type === STAP_A) nals.push(...disaggregate(payload));
      else if (type >= 1 && type <= 23) nals.push(payload);
      else throw broken(`payload type ${type}, not allowed in packetization mode 1`);
    }
    if (fragments !== undefined) throw broken('a fragmented NAL unit without end');
    return joinLengthPrefixed(nals);
  },
};

/** §5.7.1; the header takes the highest nal_ref_idc. */
function aggregate(nals: readonly Uint8Array[], bytes: number): Uint8Array {
  const payload = new Uint8Array(bytes);
  const view = new DataView(payload.buffer);
  let at = 1;
  let reference = 0;
  for (const nal of nals) {
    reference = Math.max(reference, nal[0]! & 0x60);
    view.setUint16(at, nal.length);
    payload.set(nal, at + 2);
    at += 2 + nal.length;
  }
  payload[0] = reference | STAP_A;
  return payload;
}

/** §5.8; fragments of about one length. */
function fragment(nal: Uint8Array, maxBytes: number): Uint8Array[] {
  const body = nal.length - 1;
  const count = Math.ceil(body / (maxBytes - 2));
  const size = Math.ceil(body / count);
  const payloads: Uint8Array[] = [];
  for (let at = 1; at < nal.length; at += size) {
    const part = nal.subarray(at, at + size);
    const payload = new Uint8Array(2 + part.length);
    payload[0] = (nal[0]! & 0xe0) | FU_A;
    payload[1] = (at === 1 ? 0x80 : 0) | (at + size >= nal.length ? 0x40 : 0) | (nal[0]! & 0x1f);
    payload.set(part, 2);
    payloads.push(payload);
  }
  return payloads;
}

function disaggregate(payload: Uint8Array): Uint8Array[] {
  const nals: Uint8Array[] = [];
  for (let at = 1; at < payload.length; ) {
    if (at + 2 > payload.length) throw broken('an aggregation that ends within a size');
    const size = payload[at]! * 256 + payload[at + 1]!;
    at += 2;
    if (size === 0 || at + size > payload.length)
      throw broken(`a NAL unit of ${size} bytes in an aggregation`);
    nals.push(payload.subarray(at, at + size));
    at += size;
  }
  return nals;
}

/** Adds a fragment; returns what is gathered so far, or undefined after the last one. */
function takeFragment(
  payload: Uint8Array,
  before: Uint8Array[] | undefined,
  nals: Uint8Array[],
): Uint8Array[] | undefined {
  const header = payload[1];
  if (header === undefined || payload.length < 3) throw broken('an empty fragment');
  const start = (header & 0x80) !== 0;
  if (start === (before !== undefined))
    throw broken(start ? 'a fragment begins twice' : 'a fragment without begin');
  const fragments = before ?? [Uint8Array.of((payload[0]! & 0xe0) | (header & 0x1f))];
  fragments.push(payload.subarray(2));
  if ((header & 0x40) === 0) return fragments;
  nals.push(concatBytes(fragments));
  return undefined;
}

function broken(what: string): Error {
  return malformedPayload(CLAUSE, what);
}
