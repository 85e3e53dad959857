import { canonicalAv1, isAv1Keyframe, readLeb128, splitObus, writeLeb128 } from '../bitstream/index.ts';
import { concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { malformedPayload, type PayloadFormat } from './payload-format.ts';

const CLAUSE = 'RTP Payload Format For AV1 §4.4';
/** The first element goes on from the packet before; the last one goes on in the next; a sequence begins. */
const Z = 0x80;
const Y = 0x40;
const N = 0x08;
const TEMPORAL_DELIMITER = 2;
const TILE_LIST = 8;
/** Aggregation header and the size of one element of any length here. */
const ROOM = 1 + 3;

/** AV1, every element with its size (W = 0). RTP Payload Format For AV1 v1.0. */
export const AV1_PAYLOAD: PayloadFormat = {
  clockRate: 90_000,
  packetIsUnit: false,
  split(unit, maxBytes) {
    const payloads: Uint8Array[] = [];
    let parts: Uint8Array[] = [];
    let bytes = 1;
    let head = isAv1Keyframe(unit) ? N : 0;
    const flush = (goesOn: boolean): void => {
      payloads.push(concatBytes([Uint8Array.of(head | (goesOn ? Y : 0)), ...parts]));
      parts = [];
      bytes = 1;
      head = goesOn ? Z : 0;
    };
    for (const obu of splitObus(unit)) {
      if (obu.type === TEMPORAL_DELIMITER || obu.type === TILE_LIST) continue;
      let left = withoutSize(obu);
      for (;;) {
        if (bytes + ROOM >= maxBytes) flush(false);
        const part = left.subarray(0, maxBytes - bytes - (ROOM - 1));
        const size = writeLeb128(part.length);
        parts.push(size, part);
        bytes += size.length + part.length;
        left = left.subarray(part.length);
        if (left.length === 0) break;
        flush(true);
      }
    }
    if (parts.length > 0) flush(false);
    return payloads;
  },
  join(payloads) {
    const elements: Uint8Array[][] = [];
    let open = false;
    for (const payload of payloads) {
      const head = payload[0];
      if (head === undefined) continue; // padding only
      if (((head & Z) !== 0) !== open) throw malformedPayload(CLAUSE, 'an OBU without its begin or end');
      for (const [i, part] of elementsOf(payload, (head >> 4) & 3).entries()) {
        if (i === 0 && open) elements.at(-1)!.push(part);
        else elements.push([part]);
      }
      open = (head & Y) !== 0;
    }
    if (open) throw malformedPayload(CLAUSE, 'an OBU without its end');
    return concatBytes(elements.map((parts) => canonicalObu(concatBytes(parts))));
  },
};

function canonicalObu(obu: Uint8Array): Uint8Array {
  try {
    return canonicalAv1(obu);
  } catch (error) {
    if (error instanceof ParseError) throw malformedPayload(CLAUSE, error.message);
    throw error;
  }
}

function withoutSize(obu: { whole: Uint8Array; payload: Uint8Array }): Uint8Array {
  const extended = (obu.whole[0]! & 4) !== 0;
  const header = obu.whole.slice(0, extended ? 2 : 1);
  header[0] = header[0]! & ~2;
  return concatBytes([header, obu.payload]);
}

/** @param count elements of which the last has no size; 0 if all have. */
function elementsOf(payload: Uint8Array, count: number): Uint8Array[] {
  const elements: Uint8Array[] = [];
  for (let at = 1; at < payload.length; ) {
    let size = payload.length - at;
    if (count === 0 || elements.length < count - 1) {
      const field = readSize(payload, at);
      size = field.value;
      at += field.bytes;
    }
    if (at + size > payload.length) throw malformedPayload(CLAUSE, `an element of ${size} bytes`);
    if (size > 0) elements.push(payload.subarray(at, at + size));
    at += size;
  }
  if (elements.length === 0) throw malformedPayload(CLAUSE, 'a packet without elements');
  return elements;
}

function readSize(payload: Uint8Array, at: number): { value: number; bytes: number } {
  try {
    return readLeb128(payload, at);
  } catch {
    throw malformedPayload(CLAUSE, 'an element size that is cut off');
  }
}
