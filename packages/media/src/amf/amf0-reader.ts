import { ByteReader } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { Amf3Reader } from './amf3-reader.ts';
import { AmfBudget } from './budget.ts';
import { Amf0Marker } from './markers.ts';
import { AmfEcmaArray, type AmfObject, AmfTypedObject, type AmfValue, AmfXml, amfObject } from './value.ts';

const CLAUSE = 'AMF0 §2';

/** All values of a message body that holds AMF0 to its end. */
export function decodeAmf0(bytes: Uint8Array): AmfValue[] {
  const reader = new Amf0Reader(bytes);
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.value());
  return values;
}

/**
 * Reads the values of one message one after the other. References (§2.9) and the tables of the AMF3
 * switch (§3.1) hold for the whole message. Byte arrays are views into the input.
 */
export class Amf0Reader {
  readonly #in: ByteReader;
  readonly #budget = new AmfBudget();
  readonly #references: AmfValue[] = [];
  #amf3: Amf3Reader | undefined;

  constructor(bytes: Uint8Array) {
    this.#in = new ByteReader(bytes, CLAUSE);
  }

  /** True when all bytes are read. */
  get done(): boolean {
    return this.#in.remaining === 0;
  }

  /** Offset of the next value from the start of the message, in bytes. */
  get position(): number {
    return this.#in.position;
  }

  /** The next value. @throws ParseError for anything malformed or above the limits. */
  value(): AmfValue {
    this.#budget.value(CLAUSE);
    const at = this.#in.position;
    const marker = this.#in.u8();
    switch (marker) {
      case Amf0Marker.number:
        return this.#in.f64();
      case Amf0Marker.boolean:
        return this.#in.u8() !== 0;
      case Amf0Marker.string:
        return this.#in.utf8(this.#in.u16());
      case Amf0Marker.object:
        return this.#object();
      case Amf0Marker.null:
        return null;
      case Amf0Marker.undefined:
      case Amf0Marker.unsupported:
        return undefined;
      case Amf0Marker.reference:
        return this.#reference();
      case Amf0Marker.ecmaArray:
        return this.#ecmaArray();
      case Amf0Marker.strictArray:
        return this.#strictArray();
      case Amf0Marker.date: {
        const ms = this.#in.f64();
        this.#in.skip(2); // time zone, reserved
        return new Date(ms);
      }
      case Amf0Marker.longString:
        return this.#in.utf8(this.#in.u32());
      case Amf0Marker.xmlDocument:
        return new AmfXml(this.#in.utf8(this.#in.u32()));
      case Amf0Marker.typedObject:
        return this.#typedObject();
      case Amf0Marker.avmplus:
        this.#amf3 ??= new Amf3Reader(this.#in, this.#budget);
        return this.#amf3.value();
      default:
        throw new ParseError('AMF_MARKER', 'AMF0 §2.1', `unknown type marker ${marker}`, at);
    }
  }

  #object(): AmfObject {
    const object = amfObject();
    this.#references.push(object);
    this.#properties(object, undefined);
    return object;
  }

  #typedObject(): AmfTypedObject {
    const typed = new AmfTypedObject(this.#in.utf8(this.#in.u16()), amfObject());
    this.#references.push(typed);
    this.#properties(typed.properties, undefined);
    return typed;
  }

  #ecmaArray(): AmfEcmaArray {
    const array = new AmfEcmaArray(amfObject());
    this.#references.push(array);
    this.#properties(array.properties, this.#in.u32());
    return array;
  }

  /** @param announced count of an ECMA array: a hint only, many encoders write 0 or less than there is. */
  #properties(into: AmfObject, announced: number | undefined): void {
    this.#budget.enter(CLAUSE);
    for (let read = 0; ; read++) {
      // Old encoders leave the end marker of a last ECMA array out.
      if (announced !== undefined && read === announced && this.done) break;
      const key = this.#in.utf8(this.#in.u16());
      if (key === '' && this.#atObjectEnd()) break;
      into[key] = this.value();
    }
    this.#budget.leave();
  }

  #atObjectEnd(): boolean {
    if (this.#in.peekU8() !== Amf0Marker.objectEnd) return false;
    this.#in.skip(1);
    return true;
  }

  #strictArray(): AmfValue[] {
    const count = this.#in.u32();
    AmfBudget.count(count, 1, this.#in.remaining, 'AMF0 §2.12');
    const array: AmfValue[] = [];
    this.#references.push(array);
    this.#budget.enter('AMF0 §2.12');
    for (let i = 0; i < count; i++) array.push(this.value());
    this.#budget.leave();
    return array;
  }

  #reference(): AmfValue {
    const index = this.#in.u16();
    if (index >= this.#references.length) {
      throw new ParseError(
        'AMF_REFERENCE',
        'AMF0 §2.9',
        `reference ${index} of ${this.#references.length}`,
        this.#in.position,
      );
    }
    return this.#references[index];
  }
}
