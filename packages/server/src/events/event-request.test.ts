import { DecodeError, Field } from '@onair/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEventRequest } from './event-request.ts';

const SECTION = 'fc301100000000000000ffffff0000004f253396';
const read = (value: unknown) => readEventRequest(new Field(value));
const pathOf = (value: unknown): string => {
  try {
    read(value);
    return 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return (error as DecodeError).fault.path;
  }
};

describe('request for an event', () => {
  it('says what, when and for how long', () => {
    expect(read({ name: 'cm' })).toEqual({ name: 'cm', at: { kind: 'now' }, duration: 0, data: null });
    expect(read({ id: 'a', name: 'cm', time: 1.5, duration: 2, data: { x: 1 }, raw: true })).toEqual({
      id: 'a',
      name: 'cm',
      at: { kind: 'media', time: 1_500_000 },
      duration: 2_000_000,
      data: { x: 1 },
      raw: true,
    });
    expect(read({ name: 'cm', after: 3 }).at).toEqual({ kind: 'after', delay: 3_000_000 });
    expect(read({ name: 'cm', wall: 5 }).at).toEqual({ kind: 'wall', wallMs: 5 });
    expect(read({ name: 'cm', wall: '1970-01-01T00:00:01Z' }).at).toEqual({ kind: 'wall', wallMs: 1000 });
    expect(read({ name: 'cm', base64: 'AP8=' }).data).toEqual({ hex: '00ff' });
  });

  it('takes SCTE 35 in base64 and hexadecimal', () => {
    const splice = { kind: 'out', section: SECTION };
    expect(read({ scte35: splice })).toMatchObject({ name: 'scte35-out', splice });
    const base64 = Buffer.from(SECTION, 'hex').toString('base64');
    expect(read({ scte35: { kind: 'in', section: base64, of: 'a' } }).splice).toEqual({
      kind: 'in',
      section: SECTION,
      of: 'a',
    });
    expect(read({ scte35: { kind: 'command', section: `0x${SECTION.toUpperCase()}` } }).splice!.section).toBe(
      SECTION,
    );
    expect(pathOf({ scte35: { kind: 'out', section: `${SECTION}00` } })).toBe('scte35.section');
    expect(pathOf({ scte35: { kind: 'out', section: '00' } })).toBe('scte35.section');
    expect(pathOf({ scte35: { kind: 'on', section: SECTION } })).toBe('scte35.kind');
  });

  it('names what is wrong', () => {
    expect(pathOf({})).toBe('name');
    expect(pathOf({ name: 'x', id: 'a b' })).toBe('id');
    expect(pathOf({ name: 'x', more: 1 })).toBe('more');
    expect(pathOf({ name: 'x', time: 1, wall: 1 })).toBe('wall');
    expect(pathOf({ name: 'x', after: 4000 })).toBe('after');
    expect(pathOf({ name: 'x', wall: 'soon' })).toBe('wall');
    expect(pathOf({ name: 'x', data: 1, base64: 'AA==' })).toBe('base64');
    expect(pathOf({ name: 'x', base64: '*' })).toBe('base64');
    expect(pathOf([])).toBe('');
  });

  it('throws nothing but that for any value', () => {
    fc.assert(fc.property(fc.anything(), (value) => void pathOf(value)));
    const keys = fc.constantFrom(
      'id',
      'name',
      'time',
      'wall',
      'after',
      'duration',
      'data',
      'scte35',
      'raw',
      'base64',
    );
    fc.assert(
      fc.property(fc.dictionary(keys, fc.anything()), (value) => void pathOf({ name: 'x', ...value })),
    );
  });
});
