import { ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { Amf3Writer } from './amf3-writer.ts';
import { AmfBudget } from './budget.ts';
import { Amf0Marker } from './markers.ts';
import {
  AmfDictionary,
  AmfEcmaArray,
  type AmfObject,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
} from './value.ts';

const encoder = new TextEncoder();
const CLAUSE = 'AMF0 §2';

/** The values one after the other, as the body of an AMF0 message. */
export function encodeAmf0(values: readonly AmfValue[]): Uint8Array {
  const writer = new Amf0Writer();
  for (const value of values) writer.value(value);
  return writer.finish();
}

/**
 * Writes the values of one message. What occurs twice is written once and then by reference (§2.9), so
 * cycles are allowed. Byte arrays, vectors and dictionaries go behind the AMF3 switch (§3.1).
 */
export class Amf0Writer {
  readonly #out: ByteWriter;
  readonly #budget = new AmfBudget();
  readonly #references = new Map<object, number>();
  #amf3: Amf3Writer | undefined;

  /** @param out where to append; a fresh writer unless given. */
  constructor(out: ByteWriter = new ByteWriter(512)) {
    this.#out = out;
  }

  /** Appends one value. @throws ParseError above the depth or size limit. */
  value(value: AmfValue): this {
    const out = this.#out;
    AmfBudget.written(out.length, CLAUSE);
    switch (typeof value) {
      case 'number':
        out.u8(Amf0Marker.number).f64(value);
        return this;
      case 'boolean':
        out.u8(Amf0Marker.boolean).u8(value ? 1 : 0);
        return this;
      case 'string':
        this.#string(value);
        return this;
      case 'undefined':
        out.u8(Amf0Marker.undefined);
        return this;
      default:
        if (value === null) out.u8(Amf0Marker.null);
        else this.#compound(value);
        return this;
    }
  }

  /** The bytes written; the writer must not be used again. */
  finish(): Uint8Array {
    AmfBudget.written(this.#out.length, CLAUSE);
    return this.#out.finish();
  }

  #string(text: string): void {
    const bytes = encoder.encode(text);
    if (bytes.length <= 0xffff) this.#out.u8(Amf0Marker.string).u16(bytes.length);
    else this.#out.u8(Amf0Marker.longString).u32(bytes.length);
    this.#out.bytes(bytes);
  }

  #compound(value: object & AmfValue): void {
    const out = this.#out;
    if (value instanceof Date) {
      out.u8(Amf0Marker.date).f64(value.getTime()).u16(0);
      return;
    }
    if (value instanceof AmfXml && value.form === 'document') {
      const bytes = encoder.encode(value.text);
      out.u8(Amf0Marker.xmlDocument).u32(bytes.length).bytes(bytes);
      return;
    }
    if (
      value instanceof Uint8Array ||
      value instanceof AmfXml ||
      value instanceof AmfVector ||
      value instanceof AmfDictionary
    ) {
      out.u8(Amf0Marker.avmplus);
      this.#amf3 ??= new Amf3Writer(out, this.#budget);
      this.#amf3.value(value);
      return;
    }
    const known = this.#references.get(value);
    if (known !== undefined) {
      out.u8(Amf0Marker.reference).u16(known);
      return;
    }
    if (this.#references.size <= 0xffff) this.#references.set(value, this.#references.size);
    this.#budget.enter(CLAUSE);
    if (Array.isArray(value)) {
      out.u8(Amf0Marker.strictArray).u32(value.length);
      for (const item of value) this.value(item);
    } else if (value instanceof AmfEcmaArray) {
      out.u8(Amf0Marker.ecmaArray).u32(Object.keys(value.properties).length);
      this.#properties(value.properties);
    } else if (value instanceof AmfTypedObject) {
      out.u8(Amf0Marker.typedObject);
      this.#key(value.className);
      this.#properties(value.properties);
    } else {
      out.u8(Amf0Marker.object);
      this.#properties(value);
    }
    this.#budget.leave();
  }

  #properties(object: AmfObject): void {
    for (const key of Object.keys(object)) {
      this.#key(key);
      this.value(object[key]);
    }
    this.#out.u16(0).u8(Amf0Marker.objectEnd);
  }

  #key(key: string): void {
    const bytes = encoder.encode(key);
    if (bytes.length > 0xffff) {
      throw new ParseError('AMF_TOO_LARGE', CLAUSE, `a name of ${bytes.length} bytes; 65535 fit`);
    }
    this.#out.u16(bytes.length).bytes(bytes);
  }
}
