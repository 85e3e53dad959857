import { expect, it } from 'vitest';
import { ParseError } from '../model/errors.ts';
import {
  AmfDictionary,
  AmfEcmaArray,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  amfProperties,
  decodeAmf0,
  decodeAmf3,
  encodeAmf0,
  encodeAmf3,
  MAX_AMF_DEPTH,
} from './index.ts';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.replace(/\s/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hex = (value: Uint8Array): string => Array.from(value, (b) => b.toString(16).padStart(2, '0')).join('');
const bare = (entries: Record<string, AmfValue>): Record<string, AmfValue> =>
  Object.assign(Object.create(null), entries);
const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return 'accepted';
};

const AMF0: readonly (readonly [string, string, AmfValue])[] = [
  ['number', '00 3ff8000000000000', 1.5],
  ['true', '01 01', true],
  ['false', '01 00', false],
  ['string', '02 0003 e78caa', '猪'],
  ['emoji', '02 0004 f09f90b7', '🐷'],
  ['null', '05', null],
  ['undefined', '06', undefined],
  ['object', '03 0001 61 05 0001 62 02 0001 63 0000 09', bare({ a: null, b: 'c' })],
  ['object with an empty key', '03 0000 05 0000 09', bare({ '': null })],
  ['ECMA array', '08 00000001 0001 61 01 01 0000 09', new AmfEcmaArray(bare({ a: true }))],
  ['strict array', '0a 00000002 05 01 00', [null, false]],
  ['date', '0b 4271f71fb0450000 0000', new Date(1234567890000)],
  ['XML', '0f 00000004 3c612f3e', new AmfXml('<a/>')],
  ['typed object', '10 0001 54 0001 61 05 0000 09', new AmfTypedObject('T', bare({ a: null }))],
  ['byte array by the AMF3 switch', '11 0c 05 0102', Uint8Array.of(1, 2)],
];

const AMF3: readonly (readonly [string, string, AmfValue])[] = [
  ['undefined', '00', undefined],
  ['null', '01', null],
  ['false', '02', false],
  ['true', '03', true],
  ['0', '04 00', 0],
  ['127', '04 7f', 127],
  ['128', '04 8100', 128],
  ['16383', '04 ff7f', 16383],
  ['16384', '04 818000', 16384],
  ['2097151', '04 ffff7f', 2097151],
  ['2097152', '04 80c08000', 2097152],
  ['greatest integer', '04 bfffffff', 0xfffffff],
  ['-1', '04 ffffffff', -1],
  ['least integer', '04 c0808000', -0x10000000],
  ['above the integers', '05 41b0000000000000', 0x10000000],
  ['-0', '05 8000000000000000', -0],
  ['string', '06 07 e78caa', '猪'],
  ['empty string', '06 01', ''],
  ['XML document', '07 09 3c612f3e', new AmfXml('<a/>')],
  ['E4X', '0b 09 3c612f3e', new AmfXml('<a/>', 'e4x')],
  ['date', '08 01 4271f71fb0450000', new Date(1234567890000)],
  ['array', '09 05 01 01 03', [null, true]],
  ['associative array', '09 01 03 61 01 01', new AmfEcmaArray(bare({ a: null }))],
  ['object', '0a 0b 01 03 61 06 00 01', bare({ a: 'a' })],
  ['typed object', '0a 0b 03 54 03 61 01 01', new AmfTypedObject('T', bare({ a: null }))],
  ['byte array', '0c 05 0102', Uint8Array.of(1, 2)],
  ['int vector', '0d 05 01 ffffffff 00000002', new AmfVector('int', [-1, 2], true)],
  ['uint vector', '0e 03 00 ffffffff', new AmfVector('uint', [0xffffffff])],
  ['double vector', '0f 03 00 3ff8000000000000', new AmfVector('double', [1.5])],
  ['object vector', '10 03 00 03 54 01', new AmfVector('object', [null], false, 'T')],
  ['dictionary', '11 03 00 04 01 03', new AmfDictionary([[1, true]])],
];

it.each(AMF0)('AMF0 %s both ways', (_, wire, value) => {
  expect(decodeAmf0(bytes(wire))).toStrictEqual([value]);
  expect(hex(encodeAmf0([value]))).toBe(hex(bytes(wire)));
});

it.each(AMF3)('AMF3 %s both ways', (_, wire, value) => {
  expect(decodeAmf3(bytes(wire))).toStrictEqual([value]);
  expect(hex(encodeAmf3([value]))).toBe(hex(bytes(wire)));
});

it('reads what only others write', () => {
  expect(decodeAmf0(bytes('0d'))).toStrictEqual([undefined]);
  expect(decodeAmf0(bytes('0c 00000002 6869'))).toStrictEqual(['hi']);
  // An ECMA array whose count says 0, and one without end marker.
  expect(amfProperties(decodeAmf0(bytes('08 00000000 0001 61 05 000009'))[0])).toStrictEqual(
    bare({ a: null }),
  );
  expect(amfProperties(decodeAmf0(bytes('08 00000001 0001 61 05'))[0])).toStrictEqual(bare({ a: null }));
  // AMF3 integers need not be short; sealed members; an array with both kinds of members; a wrapper.
  expect(decodeAmf3(bytes('04 80808001'))).toStrictEqual([1]);
  expect(decodeAmf3(bytes('0a 13 03 54 03 61 03'))).toStrictEqual([
    new AmfTypedObject('T', bare({ a: true })),
  ]);
  expect(decodeAmf3(bytes('09 03 03 61 01 01 03'))).toStrictEqual([
    new AmfEcmaArray(bare({ a: null, 0: true })),
  ]);
  const collection = new TextEncoder().encode('flex.messaging.io.ArrayCollection');
  const wrapped = Uint8Array.of(0x0a, 0x07, collection.length * 2 + 1, ...collection, 0x09, 0x03, 0x01, 0x01);
  expect(decodeAmf3(wrapped)).toStrictEqual([[null]]);
});

it('writes a long string where a short one does not fit', () => {
  const long = 'あ'.repeat(30_000);
  expect(encodeAmf0([long])[0]).toBe(0x0c);
  expect(decodeAmf0(encodeAmf0([long]))).toStrictEqual([long]);
});

it('keeps references and cycles', () => {
  const loop: Record<string, AmfValue> = bare({});
  loop.self = loop;
  for (const [encode, decode] of [
    [encodeAmf0, decodeAmf0],
    [encodeAmf3, decodeAmf3],
  ] as const) {
    const [first, second] = decode(encode([loop, loop])) as [Record<string, AmfValue>, unknown];
    expect(first.self).toBe(first);
    expect(second).toBe(first);
  }
  // One string, one traits and one object reference in AMF3.
  const twice = decodeAmf3(bytes('0a 0b 03 54 03 61 06 02 01  0a 01 02 01 01  0a 00'));
  expect(twice).toStrictEqual([
    new AmfTypedObject('T', bare({ a: 'a' })),
    new AmfTypedObject('T', bare({ a: null })),
    new AmfTypedObject('T', bare({ a: 'a' })),
  ]);
});

it('keeps the names of Object.prototype as names', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString'];
  const hostile = bare(Object.fromEntries(names.map((name) => [name, 'x'])));
  Object.defineProperty(hostile, '__proto__', { value: 'x', enumerable: true });
  for (const value of [hostile, new AmfEcmaArray(hostile), new AmfTypedObject('T', hostile)]) {
    for (const back of [decodeAmf0(encodeAmf0([value]))[0], decodeAmf3(encodeAmf3([value]))[0]]) {
      const properties = amfProperties(back)!;
      expect(Object.getPrototypeOf(properties)).toBe(null);
      expect(Object.keys(properties).sort()).toStrictEqual([...names].sort());
    }
  }
  expect(({} as Record<string, unknown>).x).toBe(undefined);
});

it('refuses nesting deeper than the limit, reading and writing', () => {
  const nested0 = (depth: number): Uint8Array =>
    Uint8Array.from({ length: depth * 5 + 1 }, (_, i) => (i === depth * 5 ? 5 : [0x0a, 0, 0, 0, 1][i % 5]!));
  const nested3 = (depth: number): Uint8Array =>
    Uint8Array.from({ length: depth * 3 + 1 }, (_, i) => (i === depth * 3 ? 1 : [0x09, 3, 1][i % 3]!));
  expect(code(() => decodeAmf0(nested0(MAX_AMF_DEPTH)))).toBe('accepted');
  expect(code(() => decodeAmf0(nested0(MAX_AMF_DEPTH + 1)))).toBe('AMF_DEPTH');
  expect(code(() => decodeAmf0(nested0(50_000)))).toBe('AMF_DEPTH');
  expect(code(() => decodeAmf3(nested3(MAX_AMF_DEPTH)))).toBe('accepted');
  expect(code(() => decodeAmf3(nested3(50_000)))).toBe('AMF_DEPTH');
  const objects = bytes('03 0001 61').length;
  const deepObjects = new Uint8Array(objects * 10_000);
  for (let i = 0; i < 10_000; i++) deepObjects.set(bytes('03 0001 61'), i * objects);
  expect(code(() => decodeAmf0(deepObjects))).toBe('AMF_DEPTH');
  // The depth counts across the switch.
  expect(code(() => decodeAmf0(Uint8Array.of(...nested0(20).subarray(0, 100), 0x11, ...nested3(20))))).toBe(
    'AMF_DEPTH',
  );
  let deep: AmfValue = null;
  for (let i = 0; i < 40; i++) deep = [deep];
  expect(code(() => encodeAmf0([deep]))).toBe('AMF_DEPTH');
  expect(code(() => encodeAmf3([deep]))).toBe('AMF_DEPTH');
});

it('refuses counts and references that the bytes do not bear out', () => {
  expect(code(() => decodeAmf0(bytes('0a ffffffff 05')))).toBe('AMF_COUNT');
  expect(code(() => decodeAmf0(bytes('08 ffffffff 0001')))).toBe('BYTES_OUT_OF_RANGE');
  expect(code(() => decodeAmf0(bytes('0c ffffffff 61')))).toBe('BYTES_OUT_OF_RANGE');
  expect(code(() => decodeAmf0(bytes('07 0000')))).toBe('AMF_REFERENCE');
  expect(code(() => decodeAmf0(bytes('04')))).toBe('AMF_MARKER');
  expect(code(() => decodeAmf0(bytes('11 12')))).toBe('AMF_MARKER');
  for (const head of ['09', '0d', '0e', '0f', '10', '11']) {
    expect(['AMF_COUNT', 'BYTES_OUT_OF_RANGE']).toContain(
      code(() => decodeAmf3(bytes(`${head} ffffffff 00 01`))),
    );
  }
  expect(code(() => decodeAmf3(bytes('06 04')))).toBe('AMF_REFERENCE');
  expect(code(() => decodeAmf3(bytes('0a 00')))).toBe('AMF_REFERENCE');
  expect(code(() => decodeAmf3(bytes('0a 01')))).toBe('AMF_REFERENCE');
  expect(code(() => decodeAmf3(bytes('0a fffffffb 01')))).toBe('AMF_COUNT');
  expect(code(() => decodeAmf3(bytes('0a 07 03 54 01')))).toBe('AMF_EXTERNALIZABLE');
});

it('refuses more values than a message needs', () => {
  const count = 70_000;
  const many = new Uint8Array(5 + count).fill(5);
  many.set([0x0a, 0, 1, 0x11, 0x70]);
  expect(code(() => decodeAmf0(many))).toBe('AMF_TOO_LARGE');
});

it('bounds what repeated text can grow to', () => {
  const big = 'x'.repeat(60_000);
  expect(code(() => encodeAmf0(Array.from({ length: 1000 }, () => big)))).toBe('AMF_TOO_LARGE');
});

it('refuses every truncation and nothing else', () => {
  for (const [, wire] of AMF0) {
    const whole = bytes(wire);
    for (let cut = 1; cut < whole.length; cut++) {
      expect(code(() => decodeAmf0(whole.subarray(0, cut)))).toMatch(
        /^(BYTES_OUT_OF_RANGE|AMF_COUNT|accepted)$/,
      );
    }
  }
  for (const [, wire] of AMF3) {
    const whole = bytes(wire);
    for (let cut = 1; cut < whole.length; cut++) {
      expect(code(() => decodeAmf3(whole.subarray(0, cut)))).not.toBe('AMF_REFERENCE');
    }
  }
});
