import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Judge, type SourceShape, setUp, source } from '../../../../../test/kit/hls-source.ts';
import { audioParameters, audioTrack, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import { fitPartTarget, type Grain, isPartDue, MIN_PART_SHARE, wishedPart } from './part-plan.ts';

const AAC: Grain = { frame: 21_333, chunk: 42_667 };
const AAC_AT_25: Grain = { ...AAC, beats: [40_000] };
const frames = (perSecond: number): Grain => ({ frame: 1e6 / perSecond, chunk: 1e6 / perSecond });

describe('PART-TARGET', () => {
  it.each<[string, Grain[], number]>([
    ['30 fps', [frames(30)], 334],
    ['30 fps with AAC: what both can fill', [frames(30), AAC], 300],
    ['59.94 fps with AAC', [frames(59.94), AAC], 301],
    ['25 fps: seven parts, for six of 0.32 s would leave 0.08 s', [frames(25)], 320],
    ['25 fps with AAC', [frames(25), AAC_AT_25], 320],
    ['AAC alone', [AAC], 299],
    ['5 fps: two frames', [frames(5), AAC], 400],
    ['frames of 128 ms', [frames(30), { frame: 128_000, chunk: 128_000 }], 267],
    ['one frame a second', [frames(1)], 1000],
  ])('of 2 s for %s', (_, grains, expected) => {
    expect(fitPartTarget(2000, 334, grains)).toBe(expected * 1000);
  });

  it('is one that whole frames fill to 85 %, or the longest frame', () => {
    const grain = fc.integer({ min: 5000, max: 2_000_000 }).map((us) => ({ frame: us, chunk: us }));
    fc.assert(
      fc.property(fc.array(grain, { minLength: 1, maxLength: 3 }), (grains) => {
        const target = fitPartTarget(2000, 334, grains);
        if (target > 334_000 * 4) return;
        for (const { chunk } of grains) {
          const whole = Math.floor(target / chunk) * chunk;
          expect(
            chunk <= (1 - MIN_PART_SHARE) * target ||
              whole >= MIN_PART_SHARE * target - 50 ||
              target >= Math.max(...grains.map((one) => one.chunk)),
          ).toBe(true);
        }
      }),
    );
  });
});

describe('a part', () => {
  it('is as long as those behind it will be, and ends at the frame next to that', () => {
    const wish = wishedPart(2_000_000, 320_000);
    expect(wish).toBeCloseTo(2_000_000 / 7, 0);
    expect(isPartDue(wish, 240_000, 320_000, 40_000)).toBe(false);
    expect(isPartDue(wish, 280_000, 320_000, 40_000)).toBe(true);
  });

  it('is not shorter than 85 % of PART-TARGET while others follow', () => {
    expect(wishedPart(500_000, 334_000)).toBeCloseTo(0.85 * 334_000, 0);
    expect(isPartDue(250_000, 283_000, 334_000, 40_000)).toBe(false);
  });

  it('has no wish if it is the last, or beyond what was expected', () => {
    expect(wishedPart(334_040, 334_000)).toBe(Number.POSITIVE_INFINITY);
    expect(wishedPart(-5, 334_000)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the last part of a segment', () => {
  const picture = (fps: number) => videoTrack({ ...videoParameters(), frameRate: fps });
  const sound = audioTrack(audioParameters(44_100));

  it.each<[string, SourceShape, number]>([
    ['25 fps', { seconds: 30, fps: 25, gop: 50, video: picture(25) }, 0.5],
    ['25 fps with B-frames', { seconds: 30, fps: 25, gop: 50, reorder: 2, video: picture(25) }, 0.5],
    ['25 fps that tells no rate', { seconds: 30, fps: 25, gop: 50, video: videoTrack() }, 0.5],
    ['30 fps', { seconds: 30 }, 0.5],
    ['60 fps', { seconds: 30, fps: 60, gop: 120, video: picture(60) }, 0.5],
    ['24 fps', { seconds: 30, fps: 24, gop: 48, video: picture(24) }, 0.5],
    ['25 fps, keyframes every 4 s', { seconds: 40, fps: 25, gop: 100, video: picture(25) }, 0.5],
    ['25 fps, keyframes every second', { seconds: 30, fps: 25, gop: 25, video: picture(25) }, 0.4],
    ['sound at 44.1 kHz', { seconds: 30, fps: 25, gop: 50, video: picture(25), audio: sound }, 0.5],
    ['sound that comes early', { seconds: 30, fps: 25, gop: 50, video: picture(25), audioLead: 170 }, 0.5],
    ['sound alone', { seconds: 30, video: undefined }, 0.5],
  ])('is no small rest: %s', (_, shape, share) => {
    const { packager, publish, faults } = setUp();
    const judges = ['video', 'audio'].map((name) => new Judge(() => packager().playlist(name)?.text));
    publish(source(shape), () => {
      for (const judge of judges) judge.look();
    });
    expect(faults).toEqual([]);
    for (const { faults: broken, versions } of judges) {
      expect(broken).toEqual([]);
      if (versions.length === 0) continue;
      const { partTarget, segments } = versions.at(-1)!;
      const rests = segments.flatMap(({ parts }) => parts.at(-1)?.duration ?? []);
      expect(rests.length).toBeGreaterThan(1);
      expect(Math.min(...rests)).toBeGreaterThanOrEqual(share * partTarget!);
    }
  });
});
