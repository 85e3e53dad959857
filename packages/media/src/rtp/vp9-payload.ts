import { isVp9Keyframe } from '../bitstream/index.ts';
import { concatBytes } from '../bytes/index.ts';
import { malformedPayload, type PayloadFormat } from './payload-format.ts';

const CLAUSE = 'RFC 9628 §4.2';

/** VP9 with one spatial layer, without picture ids. RFC 9628. */
export const VP9_PAYLOAD: PayloadFormat = {
  clockRate: 90_000,
  packetIsUnit: false,
  split(unit, maxBytes) {
    const payloads: Uint8Array[] = [];
    const size = Math.ceil(unit.length / Math.ceil(unit.length / (maxBytes - 1)));
    const predicted = isVp9Keyframe(unit) ? 0 : 0x40;
    for (let at = 0; at < unit.length; at += size) {
      const part = unit.subarray(at, at + size);
      const payload = new Uint8Array(1 + part.length);
      payload[0] = predicted | (at === 0 ? 8 : 0) | (at + size >= unit.length ? 4 : 0);
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
      if ((payload[0]! & 8) === 0 && parts.length === 0) {
        throw malformedPayload(CLAUSE, 'a frame without its first packet');
      }
      parts.push(payload.subarray(start));
    }
    return concatBytes(parts);
  },
};

function descriptorBytes(payload: Uint8Array): number {
  const first = payload[0]!;
  const flexible = (first & 0x10) !== 0;
  let at = 1;
  if ((first & 0x80) !== 0) at += ((payload[at] ?? 0) & 0x80) !== 0 ? 2 : 1;
  if ((first & 0x20) !== 0) {
    if (((payload[at] ?? 0) & 0x0e) !== 0) throw malformedPayload(CLAUSE, 'more than one spatial layer');
    at += flexible ? 1 : 2;
  }
  if (flexible && (first & 0x40) !== 0) {
    // Up to three references, each with a bit that says whether another follows.
    for (let more = true, count = 0; more && count < 3; count++) more = ((payload[at++] ?? 0) & 1) !== 0;
  }
  if ((first & 2) !== 0) at += structureBytes(payload, at);
  if (at >= payload.length) throw malformedPayload(CLAUSE, 'a payload that is all descriptor');
  return at;
}

/** Length of the scalability structure, §4.2.1. */
function structureBytes(payload: Uint8Array, from: number): number {
  const head = payload[from] ?? 0;
  let at = from + 1;
  if ((head & 0x10) !== 0) at += 4 * ((head >> 5) + 1);
  if ((head & 8) !== 0) {
    const pictures = payload[at++] ?? 0;
    for (let i = 0; i < pictures && at < payload.length; i++) at += 1 + ((payload[at]! >> 2) & 3);
  }
  return at - from;
}
