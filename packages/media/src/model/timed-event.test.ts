import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesOfHex,
  decodeEvent,
  encodeEvent,
  eventNumber,
  eventOf,
  eventSample,
  isEventName,
  type TimedEvent,
} from './timed-event.ts';

const event: TimedEvent = {
  id: 'a-1',
  name: 'cm 中',
  time: 1_234_567,
  duration: 5,
  data: { deep: [1, null, '<b>'] },
  splice: { kind: 'in', section: 'fc00', of: 'a-0' },
};

describe('timed events', () => {
  it('come back as they went', () => {
    expect(decodeEvent(encodeEvent(event))).toEqual(event);
    const sample = eventSample({ ...event, raw: true }, 99);
    expect([sample.dts, sample.pts, sample.duration]).toEqual([99, 1_234_567, 5]);
    expect(decodeEvent(sample.data)).toEqual({ ...event, raw: true });
  });

  it('leave out what is none', () => {
    for (const broken of [
      null,
      [],
      { ...event, id: '' },
      { ...event, id: 'a b' },
      { ...event, name: 'a"b' },
      { ...event, name: 'a\u0000' },
      { ...event, name: '\ud800' },
      { ...event, time: -1 },
      { ...event, time: 1.5 },
      { ...event, duration: 'x' },
    ]) {
      expect(eventOf(broken)).toBeUndefined();
    }
    expect(eventOf({ ...event, splice: { kind: 'in', section: 'zz' } })).not.toHaveProperty('splice');
    expect(decodeEvent(Uint8Array.of(0x7b))).toBeUndefined();
  });

  it('never throws for any bytes or values', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void decodeEvent(bytes)));
    fc.assert(fc.property(fc.anything(), (value) => void eventOf(value)));
    fc.assert(fc.property(fc.string(), (name) => typeof isEventName(name) === 'boolean'));
  });

  it('has a number of 32 bits for each id', () => {
    expect(eventNumber('')).toBe(0x811c9dc5);
    expect(eventNumber('a')).toBe(0xe40c292c);
    expect(bytesOfHex('00fF')).toEqual(Uint8Array.of(0, 255));
    expect(bytesOfHex('0')).toBeUndefined();
  });
});
