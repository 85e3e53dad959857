import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ParseError } from '../model/errors.ts';
import {
  AmfDictionary,
  AmfEcmaArray,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  decodeAmf0,
  decodeAmf3,
  encodeAmf0,
  encodeAmf3,
} from './index.ts';

const key = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'toString', '0', '生放送', '🎥'),
);
const object = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, AmfValue>> =>
  fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => {
    const made = Object.create(null);
    for (const [name, item] of entries) {
      Object.defineProperty(made, name, {
        value: item,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return made;
  });
const scalar = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom(null, undefined, '', 0x0fff_ffff, -0x1000_0000, 0x1000_0000),
  fc.integer({ min: -8e15, max: 8e15 }).map((ms) => new Date(ms)),
  fc.uint8Array({ maxLength: 20 }),
  fc.string({ maxLength: 9 }).map((text) => new AmfXml(text)),
  fc.array(fc.double({ noNaN: true }), { maxLength: 3 }).map((items) => new AmfVector('double', items)),
  fc.array(fc.integer(), { maxLength: 3 }).map((items) => new AmfVector('int', items, true)),
);
const value = fc.letrec<{ any: AmfValue }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar as fc.Arbitrary<AmfValue>,
    fc.array(tie('any'), { maxLength: 4 }) as fc.Arbitrary<AmfValue>,
    object(tie('any')) as fc.Arbitrary<AmfValue>,
    // AMF3 cannot tell an empty ECMA array from an empty list.
    object(tie('any'))
      .filter((entries) => Object.keys(entries).length > 0)
      .map((entries) => new AmfEcmaArray(entries)) as fc.Arbitrary<AmfValue>,
    fc
      .tuple(key, object(tie('any')))
      .map(([name, entries]) => new AmfTypedObject(name, entries)) as fc.Arbitrary<AmfValue>,
    fc
      .array(fc.tuple(tie('any'), tie('any')), { maxLength: 2 })
      .map((entries) => new AmfDictionary(entries)) as fc.Arbitrary<AmfValue>,
  ),
})).any;

it.each([
  ['AMF0', encodeAmf0, decodeAmf0],
  ['AMF3', encodeAmf3, decodeAmf3],
] as const)('%s reads back what it wrote', (_, encode, decode) => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 4 }), (values) => {
      expect(decode(encode(values))).toEqual(values);
    }),
    { numRuns: 200 },
  );
});

it.each([
  ['AMF0', decodeAmf0],
  ['AMF3', decodeAmf3],
] as const)('%s never throws anything but its own errors, nor hangs', (_, decode) => {
  // Bytes that look like markers and small counts, so that the readers get deep.
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(fc.constantFrom(0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 12, 16, 17, 97, 255), { maxLength: 200 })
      .map((list) => Uint8Array.from(list)),
  );
  fc.assert(
    fc.property(bytes, (input) => {
      try {
        decode(input);
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
      }
    }),
    { numRuns: 1500 },
  );
});

it('survives damage to valid messages', () => {
  fc.assert(
    fc.property(value, fc.nat(), fc.nat(255), (original, at, byte) => {
      for (const [encode, decode] of [
        [encodeAmf0, decodeAmf0],
        [encodeAmf3, decodeAmf3],
      ] as const) {
        const wire = encode([original]).slice();
        wire[at % wire.length] = byte;
        try {
          decode(wire);
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
        }
      }
    }),
    { numRuns: 300 },
  );
});
