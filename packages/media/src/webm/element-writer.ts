import { ByteWriter, concatBytes } from '../bytes/index.ts';
import { sizeBytes, writeId, writeSize } from './vint.ts';

/** An element with its content. @param sizeLength octets of its size field, the shortest by default. */
export function element(id: number, content: Uint8Array, sizeLength?: number): Uint8Array {
  const writer = new ByteWriter(12 + content.length);
  writeId(writer, id);
  writeSize(writer, content.length, sizeLength ?? sizeBytes(content.length));
  return writer.bytes(content).finish();
}

/** A master element with its children in order. */
export function master(id: number, children: readonly Uint8Array[]): Uint8Array {
  return element(id, concatBytes(children));
}

/** An unsigned integer in as few octets as it needs, at least one. @param value a safe integer. */
export function uintElement(id: number, value: number): Uint8Array {
  const octets: number[] = [];
  let left = value;
  do {
    octets.unshift(left % 256);
    left = Math.floor(left / 256);
  } while (left > 0);
  return element(id, Uint8Array.from(octets));
}

/** An unsigned integer in 8 octets, so that it can be put in later. */
export function wideUintElement(id: number, value: number): Uint8Array {
  return element(id, new ByteWriter(8).u64(value).finish());
}

/** A signed integer in 8 octets. @param value a safe integer. */
export function intElement(id: number, value: number): Uint8Array {
  const content = new Uint8Array(8);
  const view = new DataView(content.buffer);
  view.setInt32(0, Math.floor(value / 2 ** 32));
  view.setUint32(4, value >>> 0);
  return element(id, content);
}

/** A float of 8 octets. */
export function floatElement(id: number, value: number): Uint8Array {
  return element(id, new ByteWriter(8).f64(value).finish());
}

/** A text. */
export function textElement(id: number, value: string): Uint8Array {
  return element(id, new TextEncoder().encode(value));
}
