import { type Timebase, type Track, ticks } from '@onair/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioParameters, audioTrack, videoTrack } from '../../../../test/kit/samples.ts';
import { Rebaser } from './rebase.ts';

const video = videoTrack();
const audio = audioTrack();
const ms = (track: Track, value: number): number => Math.round((value * track.timebase) / 1000);

describe('rebasing', () => {
  it('starts where the stream goes on and keeps the alignment of the tracks', () => {
    const rebaser = new Rebaser(5_000_000);
    expect(rebaser.place(video, ms(video, 1000), ms(video, 1080))).toEqual({
      dts: ticks(450_000),
      pts: ticks(457_200),
      jumped: false,
    });
    expect(rebaser.place(audio, ms(audio, 1010), ms(audio, 1010)).dts).toBe(ms(audio, 5010));
    expect(rebaser.place(video, ms(video, 1040), ms(video, 1040)).dts).toBe(ms(video, 5040));
  });

  it('goes on without a gap after a jump, once for both tracks', () => {
    const rebaser = new Rebaser(0);
    for (let t = 0; t < 1000; t += 40) {
      rebaser.place(video, ms(video, t), ms(video, t));
      rebaser.place(audio, ms(audio, t), ms(audio, t));
    }
    const far = 86_400_000;
    const first = rebaser.place(video, ms(video, far), ms(video, far));
    expect(first).toMatchObject({ dts: ms(video, 1000), jumped: true });
    // A late sample on the old clock stays on it, then the track follows.
    expect(rebaser.place(audio, ms(audio, 1000), ms(audio, 1000))).toMatchObject({
      dts: ms(audio, 1000),
      jumped: false,
    });
    expect(rebaser.place(audio, ms(audio, far + 40), ms(audio, far + 40))).toMatchObject({
      dts: ms(audio, 1040),
      jumped: false,
    });
    expect(rebaser.place(video, ms(video, far + 40), ms(video, far + 40)).dts).toBe(ms(video, 1040));
  });

  it('goes on without a gap where the clock jumped before a track brought anything', () => {
    const rebaser = new Rebaser(0);
    for (let t = 0; t < 1000; t += 40) rebaser.place(video, ms(video, t), ms(video, t));
    const far = 86_400_000;
    expect(rebaser.place(audio, ms(audio, far), ms(audio, far))).toMatchObject({
      dts: ms(audio, 1000),
      jumped: true,
    });
    expect(rebaser.place(video, ms(video, far), ms(video, far)).dts).toBe(ms(video, 1000));
  });

  it('does not take a track for late that was silent while the clock went back', () => {
    const rebaser = new Rebaser(0);
    for (let t = 0; t < 6000; t += 40) {
      rebaser.place(video, ms(video, t), ms(video, t));
      rebaser.place(audio, ms(audio, t), ms(audio, t));
    }
    for (let t = 1000; t < 6000; t += 40) rebaser.place(video, ms(video, t), ms(video, t));
    expect(rebaser.place(audio, ms(audio, 6000), ms(audio, 6000)).dts).toBe(ms(audio, 11_000));
  });

  it('goes on after the clock went back to zero', () => {
    const rebaser = new Rebaser(0);
    for (let t = 50_000; t < 60_000; t += 40) rebaser.place(video, ms(video, t), ms(video, t));
    expect(rebaser.place(video, 0, 0)).toMatchObject({ dts: ms(video, 10_000), jumped: true });
  });

  it('clamps small steps back and keeps decoding times rising strictly', () => {
    const rebaser = new Rebaser(0);
    rebaser.place(video, 9000, 9000);
    rebaser.place(video, 18_000, 18_000);
    const back = rebaser.place(video, 13_500, 13_500);
    expect(back).toEqual({ dts: ticks(9001), pts: ticks(9001), jumped: false });
  });

  it('shows pictures of one time one after the other', () => {
    const rebaser = new Rebaser(0);
    const twice = [0, 0].map(() => rebaser.place(video, 9000, 12_000));
    expect(twice.map(({ dts, pts }) => [dts, pts])).toEqual([
      [0, 3000],
      [1, 3001],
    ]);
  });

  it('places nothing before the beginning, where the times of two tracks round apart', () => {
    const sound = audioTrack(audioParameters(44_100));
    const rebaser = new Rebaser(0);
    rebaser.place(video, ms(video, 2 ** 32), ms(video, 2 ** 32));
    const before = Math.floor((2 ** 32 * 44_100) / 1000);
    expect(rebaser.precedes(sound, before)).toBe(false);
    expect(rebaser.place(sound, before, before)).toEqual({ dts: 0, pts: 0, jumped: false });
  });

  it('never goes back, whatever a publisher sends', () => {
    const track: Track = { ...video, timebase: 1000 as Timebase };
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { maxLength: 60 }), (times) => {
        const rebaser = new Rebaser(1_000_000);
        let last = -1;
        let lastJump = 0;
        for (const time of times) {
          const { dts, pts } = rebaser.place(track, time, time);
          expect(dts).toBeGreaterThan(last);
          expect(pts).toBeGreaterThanOrEqual(0);
          lastJump = dts - last;
          if (last >= 0) expect(lastJump).toBeLessThanOrEqual(11_001);
          last = dts;
        }
      }),
    );
  });
});
