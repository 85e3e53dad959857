import { describe, expect, it } from 'vitest';
import { DecodeOrder, MAX_REORDER, type TimedPicture } from './decode-order.ts';

const FRAME = 3000;

/** Decoding and presentation times in frames, for presentation times in frames. */
function order(
  reorders: boolean,
  depth: number,
  times: readonly number[],
  keys: readonly number[] = [0],
  duration: number | undefined = FRAME,
) {
  const found: [dts: number, pts: number][] = [];
  const target = new DecodeOrder<TimedPicture>(reorders, depth, ({ pts }, dts) =>
    found.push([dts / FRAME, pts / FRAME]),
  );
  for (const [i, time] of times.entries())
    target.push({ pts: time * FRAME, duration, keyframe: keys.includes(i) });
  target.restart();
  return found;
}

describe('decoding times', () => {
  it('are the presentation times where nothing is reordered', () => {
    expect(order(false, 0, [0, 1, 2, 3])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it('are set back by as many pictures as are reordered', () => {
    expect(order(true, 1, [0, 2, 1, 4, 3])).toEqual([
      [-1, 0],
      [0, 2],
      [1, 1],
      [2, 4],
      [3, 3],
    ]);
    expect(order(true, 2, [0, 4, 2, 1, 3, 5])).toEqual([
      [-2, 0],
      [-1, 4],
      [0, 2],
      [1, 1],
      [2, 3],
      [3, 5],
    ]);
  });

  it('begin at the pace of the first pictures where no duration is told', () => {
    const found: number[] = [];
    const target = new DecodeOrder<TimedPicture>(true, 2, (_, dts) => found.push(dts));
    for (const pts of [0, 300, 100]) target.push({ pts, duration: undefined, keyframe: pts === 0 });
    expect(found).toEqual([-200, -100, 0]);
  });

  it('come out at the end where fewer pictures than that were held back', () => {
    expect(order(true, 4, [0, 1])).toEqual([
      [-1, 0],
      [0, 1],
    ]);
    expect(order(true, 4, [])).toEqual([]);
  });

  it('learn the depth where nobody tells it', () => {
    const found = order(true, 0, [0, 2, 1, 4, 3, 6, 5, 8, 7]);
    expect(found.map(([dts]) => dts).every((dts, i, all) => i === 0 || dts > all[i - 1]!)).toBe(true);
    expect(found.slice(4)).toEqual([
      [3, 3],
      [4, 6],
      [5, 5],
      [6, 8],
      [7, 7],
    ]);
  });

  it('grow by a tick where the clock stands still or jitters', () => {
    const found = order(false, 0, [0, 1, 1, 0.5, 2]).map(([dts]) => Math.round(dts * FRAME));
    expect(found).toEqual([0, 3000, 3001, 3002, 6000]);
  });

  it('begin anew where the clock steps back', () => {
    expect(order(false, 0, [100, 101, 0, 1])).toEqual([
      [100, 100],
      [101, 101],
      [0, 0],
      [1, 1],
    ]);
    expect(order(true, 1, [100, 102, 101, 0, 2, 1], [0, 3]).slice(3)).toEqual([
      [-1, 0],
      [0, 2],
      [1, 1],
    ]);
    expect(order(true, 1, [1000, 1002, 1001, 0, 2, 1], []).slice(3)).toEqual([
      [-1, 0],
      [0, 2],
      [1, 1],
    ]);
  });

  it('rise even if pictures come in any order', () => {
    const times = Array.from({ length: 300 }, (_, i) => (i * 7919) % 300);
    const found = order(true, 0, times).map(([dts]) => dts);
    expect(found).toHaveLength(300);
    expect(found.every((dts, i) => i === 0 || dts > found[i - 1]!)).toBe(true);
    expect(MAX_REORDER).toBe(16);
  });
});
