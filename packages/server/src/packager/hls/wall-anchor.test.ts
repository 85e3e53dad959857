import { describe, expect, it } from 'vitest';
import { WallAnchor } from './wall-anchor.ts';

const WALL = 1_700_000_000_000;

/** Frames at 30 per second from `from` s to `to` s; each arrives `late(second)` ms after its time on the wall. */
function feed(
  anchor: WallAnchor,
  from: number,
  to: number,
  late: (second: number) => number,
  pace = 1,
): void {
  for (let i = Math.round(from * 30); i < to * 30; i++) {
    const time = Math.round((i * 1e6) / 30);
    if (i % 60 === 0) anchor.correct(time);
    anchor.observe(time, WALL + (time / 1000) * pace + late(i / 30));
  }
}

describe('WallAnchor', () => {
  it('believes what came with the least delay, not what came first', () => {
    const anchor = new WallAnchor({ time: 0, wallMs: WALL + 150 });
    feed(anchor, 0, 0.4, (second) =>
      second < 0.2 ? 150 - second * 700 : 5 + (Math.floor(second * 30) % 3) * 8,
    );
    expect(anchor.dateOf(0)).toBeCloseTo(WALL + 5, 3);
    expect(anchor.dateOf(2_000_000)).toBeCloseTo(WALL + 2005, 3);
  });

  it('moves no date that was shown, and later ones by little', () => {
    const anchor = new WallAnchor({ time: 0, wallMs: WALL + 100 });
    anchor.freeze();
    let before = anchor.dateOf(0);
    for (let second = 0; second < 200; second += 2) {
      feed(anchor, second, second + 2, () => 0);
      expect(Math.abs(anchor.dateOf(0) - before)).toBeLessThanOrEqual(2.01);
      before = anchor.dateOf(0);
    }
    expect(Math.abs(anchor.dateOf(0) - WALL)).toBeLessThanOrEqual(11);
  });

  it('follows a publisher whose clock is 100 ppm off through a day', () => {
    for (const pace of [1.0001, 0.9999]) {
      const anchor = new WallAnchor({ time: 0, wallMs: WALL });
      anchor.freeze();
      const day = 86_400;
      for (let second = 0; second < day; second += 1) {
        const time = second * 1e6;
        if (second % 2 === 0) anchor.correct(time);
        anchor.observe(time, WALL + second * 1000 * pace + (second % 7));
      }
      expect(Math.abs(anchor.dateOf(day * 1e6) - (WALL + day * 1000 * pace))).toBeLessThanOrEqual(20);
    }
  });

  it('does not follow a network that is slow for a while', () => {
    const anchor = new WallAnchor({ time: 0, wallMs: WALL });
    anchor.freeze();
    feed(anchor, 0, 60, (second) => (second > 20 && second < 28 ? 400 : 1));
    expect(anchor.dateOf(0)).toBeCloseTo(WALL, 0);
  });
});
