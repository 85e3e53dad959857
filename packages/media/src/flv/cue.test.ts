import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AmfEcmaArray, type AmfValue, amfObject, amfOfJson, jsonOfAmf } from '../amf/index.ts';
import type { TimedEvent } from '../model/timed-event.ts';
import { eventOfScript, hexOfBase64, isScriptName, scriptOfEvent } from './cue.ts';
import { parseScriptBody, scriptBody } from './script.ts';

const event: TimedEvent = { id: 'x', name: 'cm', time: 2_500_000, duration: 30, data: { a: [1, 'two'] } };

/** Through the bytes of a script tag. */
const wired = (given: TimedEvent) => {
  const { name, values } = scriptOfEvent(given);
  return parseScriptBody(scriptBody(name, values));
};

describe('events as data messages', () => {
  it('are cue points with everything in them', () => {
    const message = wired({ ...event, splice: { kind: 'out', section: 'fc' } });
    expect(message.name).toBe('onCuePoint');
    expect(message.values[0]).toMatchObject({ name: 'cm', time: 2.5, type: 'event' });
    expect(eventOfScript(message)).toEqual({ ...event, splice: { kind: 'out', section: 'fc' } });
  });

  it('go under their own name if they are raw', () => {
    const message = wired({ ...event, name: 'onTextData', raw: true, data: ['x', { y: 1 }] });
    expect(message).toMatchObject({ name: 'onTextData', values: ['x', { y: 1 }] });
    expect(eventOfScript(message)).toEqual({
      name: 'onTextData',
      duration: 0,
      raw: true,
      data: ['x', { y: 1 }],
    });
    // Nobody can forge what players believe about the stream.
    expect(wired({ ...event, name: 'onMetaData', raw: true }).name).toBe('onCuePoint');
  });

  it('are what encoders send', () => {
    const cue = new AmfEcmaArray({ name: 'q', time: 1, type: 'event', parameters: { b: true } });
    expect(eventOfScript({ name: 'onCuePoint', values: [cue] })).toEqual({
      name: 'q',
      duration: 0,
      data: { b: true },
    });
    const ad = { type: 'scte35', cue: '/DARAAAAAAAAAP///wAAAE8lM5Y=', id: 'ad7', duration: 12.5 };
    expect(eventOfScript({ name: 'onAdCue', values: [ad] })).toEqual({
      id: 'ad7',
      name: 'onAdCue',
      duration: 12_500_000,
      data: null,
      splice: { kind: 'command', section: 'fc301100000000000000ffffff0000004f253396' },
    });
    for (const name of ['onMetaData', 'onStatus', '|RtmpSampleAccess', 'onFI', '', 'a"'])
      expect(isScriptName(name)).toBe(false);
    expect(eventOfScript({ name: 'onCuePoint', values: [1] })).toBeUndefined();
  });

  it('never throw for any values', () => {
    const value = fc.anything({ withDate: true, withTypedArray: true }) as fc.Arbitrary<AmfValue>;
    fc.assert(
      fc.property(
        fc.constantFrom('onCuePoint', 'onAdCue', 'x'),
        fc.array(value, { maxLength: 3 }),
        (name, values) => {
          eventOfScript({ name, values });
        },
      ),
    );
  });
});

describe('AMF as JSON', () => {
  it('keeps what JSON can hold, both ways', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(JSON.stringify(jsonOfAmf(amfOfJson(value)))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('ends for what contains itself, and keeps a key called __proto__ a key', () => {
    const loop = amfObject();
    loop.self = loop;
    expect(jsonOfAmf(loop)).toBeUndefined();
    const shared: AmfValue[] = [1, 2, 3, 4, 5, 6, 7, 8];
    let wide: AmfValue[] = shared;
    for (let i = 0; i < 8; i++) wide = [wide, wide, wide, wide];
    expect(jsonOfAmf(wide)).toBeUndefined();
    const tricky = amfOfJson(JSON.parse('{"__proto__":{"x":1}}'));
    expect(Object.getPrototypeOf(tricky)).toBeNull();
    expect(JSON.stringify(jsonOfAmf(tricky))).toBe('{"__proto__":{"x":1}}');
    expect(jsonOfAmf([new Date(0), Uint8Array.of(1, 255), undefined, Number.NaN])).toEqual([
      '1970-01-01T00:00:00.000Z',
      { hex: '01ff' },
      null,
      null,
    ]);
  });

  it('reads base64 as Node does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        expect(hexOfBase64(Buffer.from(bytes).toString('base64'))).toBe(Buffer.from(bytes).toString('hex'));
      }),
    );
    expect(hexOfBase64('a')).toBeUndefined();
    expect(hexOfBase64('a-b=')).toBeUndefined();
  });
});
