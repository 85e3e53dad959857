import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex } from '../../../../test/kit/mp4-tracks.ts';
import { ParseError } from '../model/errors.ts';
import { OpusIntake, opusChannels } from './opus-intake.ts';

/** 20 ms each (configuration 31, one frame): a unit of 3 bytes, and one of 260 with every field of the header. */
const SHORT = hex('7fe003 f80102');
const LONG = new Uint8Array([...hex('7ffcff05 0001 0002 02aabb'), 0xf8, ...new Uint8Array(259)]);

describe('OpusIntake', () => {
  it('takes the units out of a packet, with the times that go on from its own', () => {
    const intake = new OpusIntake(2);
    const { frames } = intake.read(new Uint8Array([...SHORT, ...LONG]), 9000);
    expect(frames.map(({ time, duration, data }) => [time, duration, data.length])).toEqual([
      [4800, 960, 3],
      [5760, 960, 260],
    ]);
    expect(frames[0]!.parameters).toMatchObject({ codec: 'opus', channels: 2 });
    expect(frames[1]!.parameters).toBeUndefined();
    expect(intake.read(SHORT, undefined).frames).toMatchObject([{ time: 6720, parameters: undefined }]);
    intake.lost();
    expect(intake.read(SHORT, undefined).frames).toEqual([]);
  });

  it('reads the channels of the descriptors', () => {
    const registration = { tag: 5, content: hex('4f707573') };
    expect(opusChannels([registration, { tag: 0x7f, content: hex('8006') }])).toBe(6);
    expect(opusChannels([registration])).toBe(2);
    expect(opusChannels([registration, { tag: 0x7f, content: hex('80ff') }])).toBeUndefined();
    expect(opusChannels([{ tag: 0x6a, content: hex('00') }])).toBeUndefined();
    for (let channels = 1; channels <= 8; channels++) {
      expect(new OpusIntake(channels).read(SHORT, 0).frames[0]!.parameters).toMatchObject({ channels });
    }
  });

  it('throws nothing but ParseErrors', () => {
    const tried = (bytes: Uint8Array): void => {
      try {
        new OpusIntake(2).read(bytes, 0);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    };
    for (let cut = 0; cut < LONG.length; cut++) tried(LONG.subarray(0, cut));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), tried));
    expect(() => new OpusIntake(2).read(hex('7fe000'), 0)).toThrow(ParseError);
  });
});
