import { ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { AmfBudget } from './budget.ts';
import { Amf3Marker } from './markers.ts';
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
const CLAUSE = 'AMF3 §3';
/** Largest length or index a U29 with its flag bit can carry (§1.3.1). */
const MAX_U28 = 0x0fff_ffff;

/** The values one after the other, in AMF3. */
export function encodeAmf3(values: readonly AmfValue[]): Uint8Array {
  const out = new ByteWriter(512);
  const writer = new Amf3Writer(out);
  for (const value of values) writer.value(value);
  AmfBudget.written(out.length, CLAUSE);
  return out.finish();
}

/**
 * Appends AMF3 values to `out`. One writer per message: strings and objects seen before go by
 * reference (§2.2). Objects are written dynamic; a property named by the empty string ends a list of
 * properties in AMF3 and is therefore left out.
 */
export class Amf3Writer {
  readonly #out: ByteWriter;
  readonly #budget: AmfBudget;
  readonly #strings = new Map<string, number>();
  readonly #objects = new Map<object, number>();

  constructor(out: ByteWriter, budget: AmfBudget = new AmfBudget()) {
    this.#out = out;
    this.#budget = budget;
  }

  /** Appends one value. @throws ParseError above the depth or size limit. */
  value(value: AmfValue): void {
    const out = this.#out;
    AmfBudget.written(out.length, CLAUSE);
    switch (typeof value) {
      case 'number':
        this.#number(value);
        return;
      case 'boolean':
        out.u8(value ? Amf3Marker.true : Amf3Marker.false);
        return;
      case 'string':
        out.u8(Amf3Marker.string);
        this.#string(value);
        return;
      case 'undefined':
        out.u8(Amf3Marker.undefined);
        return;
      default:
        if (value === null) out.u8(Amf3Marker.null);
        else this.#compound(value);
    }
  }

  #number(value: number): void {
    if (Number.isInteger(value) && value >= -0x1000_0000 && value <= MAX_U28 && !Object.is(value, -0)) {
      this.#out.u8(Amf3Marker.integer);
      this.#u29(value & 0x1fff_ffff);
    } else {
      this.#out.u8(Amf3Marker.double).f64(value);
    }
  }

  #u29(value: number): void {
    const out = this.#out;
    if (value < 0x80) out.u8(value);
    else if (value < 0x4000) out.u8((value >> 7) | 0x80).u8(value & 0x7f);
    else if (value < 0x20_0000) {
      out
        .u8((value >> 14) | 0x80)
        .u8(((value >> 7) & 0x7f) | 0x80)
        .u8(value & 0x7f);
    } else {
      out
        .u8((value >> 22) | 0x80)
        .u8(((value >> 15) & 0x7f) | 0x80)
        .u8(((value >> 8) & 0x7f) | 0x80)
        .u8(value & 0xff);
    }
  }

  /** A length or count with the flag bit that says "here, not by reference". */
  #inline(count: number): void {
    if (count > MAX_U28) throw new ParseError('AMF_TOO_LARGE', CLAUSE, `${count} does not fit in 28 bits`);
    this.#u29((count << 1) | 1);
  }

  #string(text: string): void {
    if (text !== '') {
      const known = this.#strings.get(text);
      if (known !== undefined) {
        this.#u29(known << 1);
        return;
      }
      this.#strings.set(text, this.#strings.size);
    }
    const bytes = encoder.encode(text);
    this.#inline(bytes.length);
    this.#out.bytes(bytes);
  }

  #compound(value: object & AmfValue): void {
    const out = this.#out;
    out.u8(markerOf(value));
    const known = this.#objects.get(value);
    if (known !== undefined) {
      this.#u29(known << 1);
      return;
    }
    this.#objects.set(value, this.#objects.size);
    this.#budget.enter(CLAUSE);
    if (value instanceof Date) {
      this.#inline(0);
      out.f64(value.getTime());
    } else if (value instanceof Uint8Array) {
      this.#inline(value.length);
      out.bytes(value);
    } else if (value instanceof AmfXml) {
      const bytes = encoder.encode(value.text);
      this.#inline(bytes.length);
      out.bytes(bytes);
    } else if (Array.isArray(value)) {
      this.#inline(value.length);
      this.#string('');
      for (const item of value) this.value(item);
    } else if (value instanceof AmfEcmaArray) {
      this.#inline(0);
      this.#dynamic(value.properties);
    } else if (value instanceof AmfVector) {
      this.#vector(value);
    } else if (value instanceof AmfDictionary) {
      this.#inline(value.entries.length);
      out.u8(value.weakKeys ? 1 : 0);
      for (const [key, item] of value.entries) {
        this.value(key);
        this.value(item);
      }
    } else {
      const typed = value instanceof AmfTypedObject ? value : undefined;
      this.#u29(0b1011); // traits inline, dynamic, no sealed members
      this.#string(typed?.className ?? '');
      this.#dynamic(typed?.properties ?? (value as AmfObject));
    }
    this.#budget.leave();
  }

  #dynamic(object: AmfObject): void {
    for (const key of Object.keys(object)) {
      if (key === '') continue;
      this.#string(key);
      this.value(object[key]);
    }
    this.#string('');
  }

  #vector(vector: AmfVector): void {
    const out = this.#out;
    this.#inline(vector.items.length);
    out.u8(vector.fixed ? 1 : 0);
    if (vector.of === 'object') {
      this.#string(vector.typeName);
      for (const item of vector.items) this.value(item);
      return;
    }
    for (const item of vector.items) {
      if (vector.of === 'int') out.i32(Number(item));
      else if (vector.of === 'uint') out.u32(Number(item));
      else out.f64(Number(item));
    }
  }
}

function markerOf(value: object & AmfValue): number {
  if (value instanceof Date) return Amf3Marker.date;
  if (value instanceof Uint8Array) return Amf3Marker.byteArray;
  if (value instanceof AmfXml) return value.form === 'e4x' ? Amf3Marker.xml : Amf3Marker.xmlDocument;
  if (Array.isArray(value) || value instanceof AmfEcmaArray) return Amf3Marker.array;
  if (value instanceof AmfDictionary) return Amf3Marker.dictionary;
  if (value instanceof AmfVector) {
    if (value.of === 'int') return Amf3Marker.vectorInt;
    if (value.of === 'uint') return Amf3Marker.vectorUint;
    return value.of === 'double' ? Amf3Marker.vectorDouble : Amf3Marker.vectorObject;
  }
  return Amf3Marker.object;
}
