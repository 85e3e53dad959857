import { ByteReader } from '../bytes/index.ts';
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
  amfObject,
} from './value.ts';

const CLAUSE = 'AMF3 §3';
/** Externalizable classes that hold exactly one value; they are read as that value. */
const WRAPPERS: ReadonlySet<string> = new Set([
  'flex.messaging.io.ArrayCollection',
  'flex.messaging.io.ArrayList',
  'flex.messaging.io.ObjectProxy',
]);

interface Traits {
  readonly className: string;
  readonly dynamic: boolean;
  readonly externalizable: boolean;
  readonly sealed: readonly string[];
}

/** All values of a message body that holds AMF3 to its end. */
export function decodeAmf3(bytes: Uint8Array): AmfValue[] {
  const input = new ByteReader(bytes, CLAUSE);
  const reader = new Amf3Reader(input);
  const values: AmfValue[] = [];
  while (input.remaining > 0) values.push(reader.value());
  return values;
}

/**
 * Reads AMF3 values from where `input` stands. One reader per message: its three tables (strings,
 * objects, traits; §2.2) hold for the whole message. Byte arrays are views into the input.
 */
export class Amf3Reader {
  readonly #in: ByteReader;
  readonly #budget: AmfBudget;
  readonly #strings: string[] = [];
  readonly #objects: AmfValue[] = [];
  readonly #traits: Traits[] = [];

  constructor(input: ByteReader, budget: AmfBudget = new AmfBudget()) {
    this.#in = input;
    this.#budget = budget;
  }

  /** The next value. @throws ParseError for anything malformed or above the limits. */
  value(): AmfValue {
    this.#budget.value(CLAUSE);
    const at = this.#in.position;
    const marker = this.#in.u8();
    switch (marker) {
      case Amf3Marker.undefined:
        return undefined;
      case Amf3Marker.null:
        return null;
      case Amf3Marker.false:
        return false;
      case Amf3Marker.true:
        return true;
      case Amf3Marker.integer:
        return (this.#u29() << 3) >> 3;
      case Amf3Marker.double:
        return this.#in.f64();
      case Amf3Marker.string:
        return this.#string();
      case Amf3Marker.xmlDocument:
        return this.#xml('document');
      case Amf3Marker.xml:
        return this.#xml('e4x');
      case Amf3Marker.date:
        return this.#date();
      case Amf3Marker.array:
        return this.#array();
      case Amf3Marker.object:
        return this.#object();
      case Amf3Marker.byteArray: {
        const head = this.#u29();
        if ((head & 1) === 0) return this.#reference(head >> 1);
        return this.#remember(this.#in.bytes(head >> 1));
      }
      case Amf3Marker.vectorInt:
      case Amf3Marker.vectorUint:
      case Amf3Marker.vectorDouble:
        return this.#numbers(marker);
      case Amf3Marker.vectorObject:
        return this.#objectVector();
      case Amf3Marker.dictionary:
        return this.#dictionary();
      default:
        throw new ParseError('AMF_MARKER', 'AMF3 §3.1', `unknown type marker ${marker}`, at);
    }
  }

  /** §1.3.1: up to three bytes of 7 bits, then one of 8. */
  #u29(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.#in.u8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.#in.u8();
  }

  #string(): string {
    const head = this.#u29();
    if ((head & 1) === 0) {
      const known = this.#strings[head >> 1];
      if (known === undefined) this.#dangling('string', head >> 1, this.#strings.length);
      return known;
    }
    const text = this.#in.utf8(head >> 1);
    if (text !== '') this.#strings.push(text); // §3.8: the empty string is never sent by reference
    return text;
  }

  #reference(index: number): AmfValue {
    if (index >= this.#objects.length) this.#dangling('object', index, this.#objects.length);
    return this.#objects[index];
  }

  #remember<T extends AmfValue>(value: T): T {
    this.#objects.push(value);
    return value;
  }

  #xml(form: 'document' | 'e4x'): AmfValue {
    const head = this.#u29();
    if ((head & 1) === 0) return this.#reference(head >> 1);
    return this.#remember(new AmfXml(this.#in.utf8(head >> 1), form));
  }

  #date(): AmfValue {
    const head = this.#u29();
    if ((head & 1) === 0) return this.#reference(head >> 1);
    return this.#remember(new Date(this.#in.f64()));
  }

  #array(): AmfValue {
    const head = this.#u29();
    if ((head & 1) === 0) return this.#reference(head >> 1);
    const count = head >> 1;
    AmfBudget.count(count, 1, this.#in.remaining, 'AMF3 §3.11');
    this.#budget.enter('AMF3 §3.11');
    let key = this.#string();
    let result: AmfValue;
    if (key === '') {
      const dense = this.#remember<AmfValue[]>([]);
      for (let i = 0; i < count; i++) dense.push(this.value());
      result = dense;
    } else {
      const array = this.#remember(new AmfEcmaArray(amfObject()));
      for (; key !== ''; key = this.#string()) array.properties[key] = this.value();
      for (let i = 0; i < count; i++) array.properties[i] = this.value();
      result = array;
    }
    this.#budget.leave();
    return result;
  }

  #object(): AmfValue {
    const head = this.#u29();
    if ((head & 1) === 0) return this.#reference(head >> 1);
    const traits = this.#traitsFrom(head);
    this.#budget.enter('AMF3 §3.12');
    let result: AmfValue;
    if (traits.externalizable) {
      const slot = this.#objects.push(undefined) - 1;
      result = this.value();
      this.#objects[slot] = result;
    } else {
      const properties: AmfObject = amfObject();
      result = this.#remember(
        traits.className === '' ? properties : new AmfTypedObject(traits.className, properties),
      );
      for (const name of traits.sealed) properties[name] = this.value();
      if (traits.dynamic) {
        for (let key = this.#string(); key !== ''; key = this.#string()) properties[key] = this.value();
      }
    }
    this.#budget.leave();
    return result;
  }

  #traitsFrom(head: number): Traits {
    if ((head & 2) === 0) {
      const known = this.#traits[head >> 2];
      if (known === undefined) this.#dangling('traits', head >> 2, this.#traits.length);
      return known;
    }
    const externalizable = (head & 4) !== 0;
    const className = this.#string();
    if (externalizable && !WRAPPERS.has(className)) {
      throw new ParseError(
        'AMF_EXTERNALIZABLE',
        'AMF3 §3.12',
        `class with a private form: ${JSON.stringify(className.slice(0, 80))}`,
        this.#in.position,
      );
    }
    const count = externalizable ? 0 : head >> 4;
    AmfBudget.count(count, 1, this.#in.remaining, 'AMF3 §3.12');
    const sealed: string[] = [];
    for (let i = 0; i < count; i++) sealed.push(this.#string());
    const traits = { className, dynamic: (head & 8) !== 0, externalizable, sealed };
    this.#traits.push(traits);
    return traits;
  }

  #numbers(marker: number): AmfValue {
    const head = this.#u29();
    if ((head & 1) === 0) return this.#reference(head >> 1);
    const count = head >> 1;
    const fixed = this.#in.u8() !== 0;
    AmfBudget.count(count, marker === Amf3Marker.vectorDouble ? 8 : 4, this.#in.remaining, 'AMF3 §3.15');
    const items: number[] = [];
    if (marker === Amf3Marker.vectorInt) {
      for (let i = 0; i < count; i++) items.push(this.#in.i32());
      return this.#remember(new AmfVector('int', items, fixed));
    }
    if (marker === Amf3Marker.vectorUint) {
      for (let i = 0; i < count; i++) items.push(this.#in.u32());
      return this.#remember(new AmfVector('uint', items, fixed));
    }
    for (let i = 0; i < count; i++) items.push(this.#in.f64());
    return this.#remember(new AmfVector('double', items, fixed));
  }

  #objectVector(): AmfValue {
    const head = this.#u29();
    if ((head & 1) === 0) return this.#reference(head >> 1);
    const fixed = this.#in.u8() !== 0;
    const typeName = this.#string();
    AmfBudget.count(head >> 1, 1, this.#in.remaining, 'AMF3 §3.15');
    const items: AmfValue[] = [];
    const vector = this.#remember(new AmfVector('object', items, fixed, typeName));
    this.#budget.enter('AMF3 §3.15');
    for (let i = 0; i < head >> 1; i++) items.push(this.value());
    this.#budget.leave();
    return vector;
  }

  #dictionary(): AmfValue {
    const head = this.#u29();
    if ((head & 1) === 0) return this.#reference(head >> 1);
    const weak = this.#in.u8() !== 0;
    AmfBudget.count(head >> 1, 2, this.#in.remaining, 'AMF3 §3.16');
    const entries: [AmfValue, AmfValue][] = [];
    const dictionary = this.#remember(new AmfDictionary(entries, weak));
    this.#budget.enter('AMF3 §3.16');
    for (let i = 0; i < head >> 1; i++) entries.push([this.value(), this.value()]);
    this.#budget.leave();
    return dictionary;
  }

  #dangling(table: string, index: number, size: number): never {
    throw new ParseError(
      'AMF_REFERENCE',
      'AMF3 §2.2',
      `${table} reference ${index} of ${size}`,
      this.#in.position,
    );
  }
}
