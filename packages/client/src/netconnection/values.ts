import {
  AmfDictionary,
  AmfEcmaArray,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  isAmfObject,
} from '@onair/media/amf';

/** A received value as a page expects it: plain objects and lists. What is shared or contains itself stays so. */
export function plainOf(value: AmfValue): unknown {
  return convert(value, new Map());
}

function convert(value: AmfValue, known: Map<AmfValue, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date || value instanceof Uint8Array) return value;
  if (value instanceof AmfXml) return value.text;
  const seen = known.get(value);
  if (seen !== undefined) return seen;
  if (value instanceof AmfVector || value instanceof AmfDictionary || Array.isArray(value)) {
    const list: unknown[] = [];
    known.set(value, list);
    if (value instanceof AmfDictionary) {
      for (const [key, item] of value.entries) list.push([convert(key, known), convert(item, known)]);
    } else for (const item of Array.isArray(value) ? value : value.items) list.push(convert(item, known));
    return list;
  }
  const properties =
    value instanceof AmfEcmaArray || value instanceof AmfTypedObject ? value.properties : value;
  const object: Record<string, unknown> = {};
  known.set(value, object);
  if (value instanceof AmfEcmaArray || value instanceof AmfTypedObject || isAmfObject(value)) {
    for (const [key, item] of Object.entries(properties)) {
      Object.defineProperty(object, key, {
        value: convert(item, known),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
  return object;
}

/** Calls a callback of a page's object. @throws ReferenceError if there is none of that name. */
export function invoke(client: object, owner: object, name: string, args: readonly AmfValue[]): unknown {
  const method: unknown = Reflect.get(client, name);
  // What every object and every connection has is not for servers to call.
  const inherited = name in Object.prototype || (client === owner && name in Object.getPrototypeOf(owner));
  if (typeof method !== 'function' || inherited) {
    throw new ReferenceError(`Error #2095: unable to invoke callback ${name.slice(0, 80)}.`);
  }
  return Reflect.apply(method, client, args.map(plainOf));
}
