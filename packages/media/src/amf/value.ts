/**
 * One value of AMF0 or AMF3. Integers and doubles are both `number`; dates carry no time zone
 * (AMF0 §2.13 reserves it). Decoded values may share parts or contain themselves where the wire used
 * references: walk them with a depth limit.
 */
export type AmfValue =
  | number
  | boolean
  | string
  | null
  | undefined
  | Date
  | Uint8Array
  | AmfValue[]
  | AmfObject
  | AmfEcmaArray
  | AmfTypedObject
  | AmfXml
  | AmfVector
  | AmfDictionary;

/**
 * An anonymous object. Decoders make it without a prototype, so that a key such as `__proto__` is a
 * key like any other; for writing an object literal is as good.
 */
export interface AmfObject {
  [key: string]: AmfValue;
}

/** An associative array: AMF0 §2.10 ECMA array (the form of `onMetaData`), AMF3 §3.11 with keys. */
export class AmfEcmaArray {
  readonly properties: AmfObject;

  constructor(properties: AmfObject) {
    this.properties = properties;
  }
}

/** An object of a named class: AMF0 §2.18, AMF3 §3.12 with a class name. */
export class AmfTypedObject {
  readonly className: string;
  readonly properties: AmfObject;

  constructor(className: string, properties: AmfObject) {
    this.className = className;
    this.properties = properties;
  }
}

/** An XML document as text, never parsed: AMF0 §2.17, AMF3 §3.9 (`document`) and §3.13 (`e4x`). */
export class AmfXml {
  readonly form: 'document' | 'e4x';
  readonly text: string;

  constructor(text: string, form: 'document' | 'e4x' = 'document') {
    this.text = text;
    this.form = form;
  }
}

/** A typed list, AMF3 §3.15. AMF0 has none and carries it behind the AMF3 switch. */
export class AmfVector {
  readonly of: 'int' | 'uint' | 'double' | 'object';
  readonly fixed: boolean;
  readonly items: readonly AmfValue[];
  /** Class of the items of an `object` vector; empty for any. */
  readonly typeName: string;

  constructor(of: AmfVector['of'], items: readonly AmfValue[], fixed = false, typeName = '') {
    this.of = of;
    this.items = items;
    this.fixed = fixed;
    this.typeName = typeName;
  }
}

/** A map with keys of any type, AMF3 §3.16. */
export class AmfDictionary {
  readonly entries: readonly (readonly [AmfValue, AmfValue])[];
  readonly weakKeys: boolean;

  constructor(entries: readonly (readonly [AmfValue, AmfValue])[], weakKeys = false) {
    this.entries = entries;
    this.weakKeys = weakKeys;
  }
}

/** Deepest nesting read or written. A legitimate message needs 3 to 5. */
export const MAX_AMF_DEPTH = 32;
/** Most values read from one message: one byte on the wire can become a hundred in memory. */
export const MAX_AMF_VALUES = 65_536;
/** Most bytes written for one message. */
export const MAX_AMF_BYTES = 16_777_215;

/** An empty object without prototype. */
export function amfObject(): AmfObject {
  return Object.create(null) as AmfObject;
}

/** The properties of an object, an ECMA array or a typed object; undefined for anything else. */
export function amfProperties(value: AmfValue): AmfObject | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof AmfEcmaArray || value instanceof AmfTypedObject) return value.properties;
  return isAmfObject(value) ? value : undefined;
}

/** True for anonymous objects only. */
export function isAmfObject(value: AmfValue): value is AmfObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(
      value instanceof Date ||
      value instanceof Uint8Array ||
      value instanceof AmfEcmaArray ||
      value instanceof AmfTypedObject ||
      value instanceof AmfXml ||
      value instanceof AmfVector ||
      value instanceof AmfDictionary
    )
  );
}
