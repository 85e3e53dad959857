import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ParseError } from '../../model/errors.ts';
import { MessageType } from '../chunk-message.ts';
import { decodeSharedObject, encodeSharedObject, type SharedObjectMessage } from './shared-object.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const head = '0004 63686174 00000007 00000002 00000000';

it.each<[string, number, string, Omit<SharedObjectMessage, 'kind' | 'name' | 'version' | 'persistent'>]>([
  ['use', 19, '01 00000000', { encoding: 0, events: [{ kind: 'use' }] }],
  [
    'a wish, of a number',
    19,
    '03 0000000c 0001 61 00 3ff0000000000000',
    { encoding: 0, events: [{ kind: 'requestChange', values: [['a', 1]] }] },
  ],
  [
    'use granted, all gone, two properties',
    19,
    '0b 00000000 08 00000000 04 00000009 0001 61 01 01 0001 62 05',
    {
      encoding: 0,
      events: [
        { kind: 'useSuccess' },
        { kind: 'clear' },
        {
          kind: 'change',
          values: [
            ['a', true],
            ['b', null],
          ],
        },
      ],
    },
  ],
  ['removal', 19, '0a 00000003 0001 61', { encoding: 0, events: [{ kind: 'requestRemove', names: ['a'] }] }],
  [
    'a message',
    19,
    '06 00000009 02 0003 736179 02 0000',
    { encoding: 0, events: [{ kind: 'sendMessage', method: 'say', args: [''] }] },
  ],
  [
    'a status',
    19,
    '07 00000006 0001 78 0001 79',
    { encoding: 0, events: [{ kind: 'status', code: 'x', level: 'y' }] },
  ],
  [
    'a change in AMF3',
    16,
    '04 00000006 0001 61 11 04 05',
    { encoding: 3, events: [{ kind: 'change', values: [['a', 5]] }] },
  ],
])('reads and writes %s', (_, type, hex, rest) => {
  const body = bytes((type === 16 ? '00' : '') + head + hex);
  const message = { name: 'chat', version: 7, persistent: true, ...rest };
  expect(decodeSharedObject(type, body)).toEqual({ kind: 'sharedObject', ...message });
  expect(Buffer.from(encodeSharedObject(message)).toString('hex')).toBe(Buffer.from(body).toString('hex'));
});

it('reads values that are AMF3 without a marker', () => {
  const body = bytes(`03 ${head} 03 00000005 0001 61 04 05`);
  expect(decodeSharedObject(MessageType.sharedObjectAmf3, body).events).toEqual([
    { kind: 'requestChange', values: [['a', 5]] },
  ]);
});

it('leaves out events it does not know', () => {
  const body = bytes(`${head} 63 00000002 ffff 01 00000000`);
  expect(decodeSharedObject(19, body).events).toEqual([{ kind: 'use' }]);
});

it.each([
  ['a long name', `0101 ${'61'.repeat(257)} 00000000 00000000 00000000`],
  ['an event that is cut off', `${head} 03 00000fff 0001`],
  ['a message to no method', `${head} 06 00000001 05`],
  ['too many events', head + '01 00000000'.repeat(1025)],
])('refuses %s', (_, hex) => {
  expect(() => decodeSharedObject(19, bytes(hex))).toThrow(ParseError);
});

it('throws nothing but its errors, whatever comes', () => {
  fc.assert(
    fc.property(fc.constantFrom(16, 19), fc.uint8Array({ maxLength: 64 }), (type, tail) => {
      const body = Uint8Array.from([...(type === 16 ? [0] : []), ...bytes(head), ...tail]);
      try {
        decodeSharedObject(type, body);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    }),
  );
});
