import { readClockSei } from '@onair/contracts/burnt-clock';
import type { Sample } from '@onair/media/model';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DemoSource } from './demo-source.ts';

const NOW = 1_795_000_001_033.4;

function clockAt(ms: number): { now: number; readonly read: () => number } {
  const clock = { now: ms, read: (): number => clock.now };
  return clock;
}

const of = (samples: readonly Sample[], track: number): Sample[] =>
  samples.filter((sample) => sample.track.id === track);
const seconds = (sample: Sample): number => sample.dts / sample.track.timebase;
const wallUs = (sample: Sample): number => readClockSei(sample.data)!;

describe('timeline', () => {
  it('gives what is due, in decoding order, on whole frames of the wall clock', () => {
    const clock = clockAt(NOW);
    const demo = new DemoSource({ clock: clock.read });
    const samples: Sample[] = [];
    for (let step = 0; step < 400; step++) {
      const batch = demo.next();
      for (const sample of of(batch, 1)) {
        expect(wallUs(sample) / 1000).toBeLessThanOrEqual(clock.now);
        expect(wallUs(sample) / 1000).toBeGreaterThan(clock.now - 40);
      }
      samples.push(...batch);
      clock.now += 10;
    }
    const video = of(samples, 1);
    const audio = of(samples, 2);
    expect(video.length).toBe(119);
    expect(wallUs(video[0]!)).toBe(1_795_000_001_066_667);
    video.forEach((sample, index) => {
      expect(sample.dts).toBe(index * 3000);
      expect([sample.pts, sample.duration]).toEqual([sample.dts, 3000]);
    });
    audio.forEach((sample, index) => {
      expect(sample.dts).toBe(audio[0]!.dts + index * 1024);
      expect(sample.keyframe).toBe(true);
    });
    expect(audio[0]!.dts).toBeLessThan(1024);
    for (let at = 1; at < samples.length; at++) {
      expect(seconds(samples[at]!)).toBeGreaterThanOrEqual(seconds(samples[at - 1]!));
    }
  });

  it('puts keyframes at the start, on even seconds and on request', () => {
    const clock = clockAt(NOW);
    const demo = new DemoSource({ clock: clock.read, width: 320, height: 180 });
    const keys: number[] = [];
    for (let step = 0; step < 200; step++) {
      if (step === 100) demo.requestKeyframe();
      for (const sample of of(demo.next(), 1)) if (sample.keyframe) keys.push(wallUs(sample));
      clock.now += 25;
    }
    expect(keys).toEqual([
      1_795_000_001_066_667, 1_795_000_002_000_000, 1_795_000_003_533_333, 1_795_000_004_000_000,
      1_795_000_006_000_000,
    ]);
  });

  it.each([
    [3_600_000, 'a pause'],
    [-3_600_000, 'a clock set back'],
  ])('goes on without a hole after %i ms (%s)', (jump) => {
    const clock = clockAt(NOW);
    const demo = new DemoSource({ clock: clock.read, width: 320, height: 180 });
    demo.next();
    clock.now += 500;
    const before = demo.next();
    clock.now += jump;
    const first = demo.next();
    clock.now += 500;
    const after = [...first, ...demo.next()];
    expect(after.length).toBeLessThan(45);
    const last = of(before, 1).at(-1)!;
    const next = of(after, 1)[0]!;
    expect(next.keyframe).toBe(true);
    expect(next.dts - last.dts).toBeGreaterThanOrEqual(3000);
    expect(next.dts - last.dts).toBeLessThan(3000 + 2000);
    expect(Number.isInteger(next.dts)).toBe(true);
    const step = of(after, 2)[0]!.dts - of(before, 2).at(-1)!.dts;
    expect(step).toBeGreaterThanOrEqual(1024);
    expect(step).toBeLessThan(1024 + 1600 + 1024);
    const offset = (wallUs(next) / 1e6) % 1;
    expect(offset * 30).toBeCloseTo(Math.round(offset * 30), 3);
  });

  it('catches up after a short stall', () => {
    const clock = clockAt(NOW);
    const demo = new DemoSource({ clock: clock.read, width: 320, height: 180 });
    demo.next();
    clock.now += 900;
    expect(of(demo.next(), 1).length).toBe(27);
  });

  it.each([24, 25, 50, 60])('counts whole ticks at %i frames per second', (frameRate) => {
    const clock = clockAt(NOW);
    const demo = new DemoSource({ clock: clock.read, width: 320, height: 180, frameRate });
    demo.next();
    clock.now += 1000;
    const video = of(demo.next(), 1);
    expect(video.length).toBeGreaterThanOrEqual(frameRate - 1);
    video.forEach((sample, index) => void expect(sample.dts).toBe((index * 90_000) / frameRate));
  });
});

describe('sound', () => {
  it('follows the wall clock: the same 8 s again, another beep at each tenth second', () => {
    const demo = (ms: number): readonly Sample[] => {
      const clock = clockAt(ms);
      const source = new DemoSource({ clock: clock.read, width: 320, height: 180 });
      source.next();
      clock.now += 900;
      return of(source.next(), 2);
    };
    const bytes = (samples: readonly Sample[]): string =>
      samples.map((sample) => Buffer.from(sample.data).toString('hex')).join();
    const plain = bytes(demo(1_795_000_008_000 - 400));
    expect(bytes(demo(1_795_000_016_000 - 400))).toBe(plain);
    expect(bytes(demo(1_795_000_040_000 - 400))).not.toBe(plain); // both a tenth and a multiple of eight
  });
});

describe('tracks', () => {
  it('are described for any container', () => {
    const { tracks } = new DemoSource();
    expect(tracks[0].parameters).toMatchObject({
      ...{ kind: 'video', codec: 'h264', codecString: 'avc1.42c01e' },
      ...{ width: 640, height: 360, frameRate: 30 },
    });
    expect(tracks[1].parameters).toMatchObject({
      ...{ kind: 'audio', codec: 'aac', codecString: 'mp4a.40.2' },
      ...{ sampleRate: 48_000, channels: 2, frameSize: 1024 },
    });
    expect([...(tracks[1].parameters as { description: Uint8Array }).description]).toEqual([0x11, 0x90]);
  });

  it.each([{ width: 318 }, { width: 641 }, { height: 2160 }, { height: Number.NaN }, { frameRate: 29.97 }])(
    'refuses %o',
    (options) => {
      expect(() => new DemoSource(options)).toThrow(RangeError);
    },
  );
});

describe('start', () => {
  afterEach(() => void vi.useRealTimers());

  it('gives samples when they are due, without drift, and stops', () => {
    vi.useFakeTimers({ now: NOW });
    const demo = new DemoSource({ width: 320, height: 180 });
    const got: Sample[] = [];
    const late: number[] = [];
    const handle = demo.start((sample) => {
      got.push(sample);
      if (sample.track.id === 1) late.push(Date.now() - wallUs(sample) / 1000);
    });
    vi.advanceTimersByTime(20_000);
    expect(of(got, 1).length).toBe(600);
    expect(of(got, 2).length).toBe(937);
    expect(Math.max(...late)).toBeLessThan(3);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    handle.stop();
    handle.stop();
    expect(vi.getTimerCount()).toBe(0);
    const again: Sample[] = [];
    vi.advanceTimersByTime(300);
    demo.start((sample) => again.push(sample));
    vi.advanceTimersByTime(100);
    expect(of(again, 1)[0]!.keyframe).toBe(true);
    expect(again[0]!.dts).toBeGreaterThan(0);
  });

  it('gives nothing more once stopped from within', () => {
    vi.useFakeTimers({ now: NOW });
    const demo = new DemoSource({ width: 320, height: 180 });
    let got = 0;
    const handle = demo.start(() => {
      got++;
      handle.stop();
    });
    vi.advanceTimersByTime(1000);
    expect(got).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
