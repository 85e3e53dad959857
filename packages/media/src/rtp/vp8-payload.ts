import { concatBytes } from '../bytes/index.ts';
import { malformedPayload, type PayloadFormat } from './payload-format.ts';

const CLAUSE = 'RFC 7741 §4.2';

/** VP8, one partition, without picture ids. RFC 7741. */
export const VP8_PAYLOAD: PayloadFormat = {
  clockRate: 90_000,
  packetIsUnit: false,
  split(unit, maxBytes) {
    const payloads: Uint8Array[] = [];
    const size = Math.ceil(unit.length / Math.ceil(unit.length / (maxBytes - 1)));
    for (let at = 0; at < unit.length; at += size) {
      const part = unit.subarray(at, at + size);
      const payload = new Uint8Array(1 + part.length);
      payload[0] = at === 0 ? 0x10 : 0;
      payload.set(part, 1);
      payloads.push(payload);
    }
    return payloads;
  },
  join(payloads) {
    const parts: Uint8Array[] = [];
    for (const payload of payloads) {
      if (payload.length === 0) continue; // padding only
      const start = descriptorBytes(payload);
      const begins = (payload[0]! & 0x10) !== 0 && (payload[0]! & 7) === 0;
      if (begins !== (parts.length === 0)) throw malformedPayload(CLAUSE, 'a frame without its first packet');
      parts.push(payload.subarray(start));
    }
    return concatBytes(parts);
  },
};

function descriptorBytes(payload: Uint8Array): number {
  let at = 1;
  if ((payload[0]! & 0x80) !== 0) {
    const extension = payload[at++] ?? 0;
    if ((extension & 0x80) !== 0) at += ((payload[at] ?? 0) & 0x80) !== 0 ? 2 : 1;
    if ((extension & 0x40) !== 0) at++;
    if ((extension & 0x30) !== 0) at++;
  }
  if (at >= payload.length) throw malformedPayload(CLAUSE, 'a payload that is all descriptor');
  return at;
}
