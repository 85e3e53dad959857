import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../model/errors.ts';
import { readRemoting, writeRemoting } from './remoting.ts';

/** `doSomething` with the arguments `["a"]`, as a NetConnection sends it. */
const CALL = Uint8Array.from(
  Buffer.from(
    `000000000001000b${Buffer.from('doSomething').toString('hex')}00022f31000000090a0000000102000161`,
    'hex',
  ),
);

describe('AMF remoting', () => {
  it('reads a call and writes its answer', () => {
    expect(readRemoting(CALL)).toEqual([{ target: 'doSomething', response: '/1', value: ['a'] }]);
    const answer = [{ target: '/1/onResult', response: 'null', value: { done: true } }];
    expect(readRemoting(writeRemoting(answer))).toMatchObject(answer);
  });

  it('takes a length that is not told, and skips headers', () => {
    const unknown = Uint8Array.from(CALL);
    unknown.set([0xff, 0xff, 0xff, 0xff], 23);
    expect(readRemoting(unknown)[0]!.value).toEqual(['a']);
    const header = Buffer.from('00000001000478787878000000000101', 'hex');
    header.set([0, 0, 0, 2], 11);
    const packet = Buffer.concat([Buffer.from('0000000100017800000000020100', 'hex'), CALL.subarray(4)]);
    expect(readRemoting(packet)[0]!.target).toBe('doSomething');
  });

  it('throws nothing but ParseError, wherever it is cut and whatever it holds', () => {
    for (let length = 0; length < CALL.length; length++) {
      expect(() => readRemoting(CALL.subarray(0, length))).toThrow(ParseError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          readRemoting(bytes);
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
        }
      }),
    );
    expect(() => readRemoting(Uint8Array.of(0, 1, 0, 0, 0, 0))).toThrow(ParseError);
    expect(() => readRemoting(Uint8Array.of(0, 0, 0xff, 0xff))).toThrow(ParseError);
  });
});
