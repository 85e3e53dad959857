import { describe, expect, it } from 'vitest';
import { AudioClock } from './audio-clock.ts';

/** Deterministic noise between -1 and 1. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

describe('audio clock', () => {
  for (const [rate, length, hours] of [
    [44_100, 1024, 24],
    [48_000, 1024, 1],
    [22_050, 576, 1],
    [48_000, 960, 1],
    [7350, 1024, 1],
  ] as const) {
    for (const [name, round] of [
      ['rounded', Math.round],
      ['cut off', Math.floor],
    ] as const) {
      it(`${rate} Hz in milliseconds ${name}: steps of exactly ${length} over ${hours} h`, () => {
        const clock = new AudioClock(rate);
        const start = clock.stamp(0, length);
        const units = Math.ceil((hours * 3600 * rate) / length);
        let wrong = 0;
        for (let i = 1; i < units; i++) {
          if (clock.stamp(round((i * length * 1000) / rate), length) !== start + i * length) wrong++;
        }
        expect(wrong).toBe(0);
      });
    }
  }

  it('evens out jitter of 30 ms', () => {
    const clock = new AudioClock(44_100);
    const random = noise(1);
    let wrong = 0;
    const start = clock.stamp(0, 1024);
    for (let i = 1; i < 20_000; i++) {
      const wire = Math.round((i * 1024 * 1000) / 44_100 + random() * 30);
      if (clock.stamp(wire, 1024) !== start + i * 1024) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it('keeps a real gap and a jump back', () => {
    const clock = new AudioClock(44_100);
    expect(clock.stamp(1000, 1024)).toBe(44_100);
    expect(clock.stamp(1023, 1024)).toBe(45_124);
    expect(clock.stamp(6000, 1024)).toBe(264_600);
    expect(clock.stamp(6023, 1024)).toBe(265_624);
    expect(clock.stamp(0, 1024)).toBe(0);
    expect(clock.stamp(23, 1024)).toBe(1024);
  });

  it('takes lost access units for a gap as soon as they are more than jitter', () => {
    const clock = new AudioClock(48_000);
    const ms = 1024 / 48;
    expect(clock.stamp(0, 1024)).toBe(0);
    expect(clock.stamp(Math.round(5 * ms), 1024)).toBe(Math.round(5 * ms) * 48);
  });

  it('follows a publisher whose clock runs 0.1 % fast, in small steps', () => {
    const clock = new AudioClock(48_000);
    let last = clock.stamp(0, 1024);
    let largestStep = 0;
    let largestError = 0;
    for (let i = 1; i < 100_000; i++) {
      const wire = Math.round((i * 1024 * 1001) / 48_000);
      const at = clock.stamp(wire, 1024);
      largestStep = Math.max(largestStep, Math.abs(at - last - 1024));
      largestError = Math.max(largestError, Math.abs(at - wire * 48));
      last = at;
    }
    expect(largestStep).toBe(10);
    expect(largestError).toBeLessThan(48 * 25);
  });

  it('gets over a first timestamp that came late', () => {
    const clock = new AudioClock(48_000);
    clock.stamp(50, 960);
    let at = 0;
    for (let i = 1; i < 1000; i++) at = clock.stamp(i * 20, 960);
    expect(Math.abs(at - 999 * 960)).toBeLessThan(48 * 5);
  });

  it('is exact after a hundred years', () => {
    const clock = new AudioClock(192_000);
    const ms = 100 * 365 * 86_400_000;
    expect(clock.stamp(ms + 1, 1024)).toBe((ms / 1000) * 192_000 + 192);
  });
});
