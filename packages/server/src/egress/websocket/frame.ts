import type { Envelope } from '../../hub/index.ts';

/** Bytes of an unmasked frame header for a payload of `length` bytes. RFC 6455 §5.2. */
export function frameHeaderLength(length: number): number {
  if (length < 126) return 2;
  return length < 0x1_0000 ? 4 : 10;
}

/** Writes FIN + binary opcode and the length; returns the position behind it. RFC 6455 §5.2. */
export function writeBinaryFrameHeader(out: Uint8Array, at: number, length: number): number {
  out[at] = 0x82;
  if (length < 126) {
    out[at + 1] = length;
    return at + 2;
  }
  const view = new DataView(out.buffer, out.byteOffset);
  if (length < 0x1_0000) {
    out[at + 1] = 126;
    view.setUint16(at + 2, length);
    return at + 4;
  }
  out[at + 1] = 127;
  view.setUint32(at + 2, Math.floor(length / 0x1_0000_0000));
  view.setUint32(at + 6, length >>> 0);
  return at + 10;
}

/** A whole message as one unmasked binary frame, in a new buffer. */
export function framed(message: Uint8Array): Uint8Array {
  const out = new Uint8Array(frameHeaderLength(message.length) + message.length);
  out.set(message, writeBinaryFrameHeader(out, 0, message.length));
  return out;
}

/** An envelope whose openings, set-ups and batches each travel as one binary WebSocket message. */
export function messageEnvelope(inner: Envelope<Uint8Array>, name: string): Envelope<Uint8Array> {
  const wrap = (bytes: Uint8Array): Uint8Array => (bytes.length === 0 ? bytes : framed(bytes));
  return {
    name,
    opening: (epoch) => wrap(inner.opening(epoch)),
    config: (epoch) => wrap(inner.config(epoch)),
    batch: (blocks) => wrap(inner.batch(blocks)),
  };
}
