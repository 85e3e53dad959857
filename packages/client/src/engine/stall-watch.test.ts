import { expect, it } from 'vitest';
import { StallWatch } from './stall-watch.ts';

it('tells stalls from the position alone and counts those after play began', () => {
  const watch = new StallWatch();
  const signs: string[] = [];
  let position = 0;
  for (let now = 0; now <= 1000; now += 100) {
    signs.push(watch.observe(now, position, 1, true));
    position += 0.1;
  }
  expect(new Set(signs)).toEqual(new Set(['none']));
  position -= 0.1;
  expect(watch.observe(1200, position, 0, true)).toBe('none');
  expect(watch.observe(1300, position, 0, true)).toBe('began');
  expect(watch.observe(1900, position, 0, true)).toBe('lasts');
  expect(watch.lasting(1900)).toBe(900);
  expect(watch.observe(2000, position + 0.1, 1, true)).toBe('over');
  expect(watch.figures).toEqual({ count: 1, totalMs: 1000, longestMs: 1000 });
});

it('nudges when there is media but no movement, then gives up', () => {
  const watch = new StallWatch();
  watch.observe(0, 5, 2, true);
  const signs: string[] = [];
  for (let now = 100; now < 6000; now += 100) signs.push(watch.observe(now, 5, 2, true));
  expect(signs.filter((sign) => sign === 'nudge')).toHaveLength(3);
  expect(signs).toContain('hopeless');
});

it('does not count a pause', () => {
  const watch = new StallWatch();
  watch.observe(0, 5, 2, true);
  watch.observe(100, 5.1, 2, true);
  for (let now = 200; now < 3000; now += 100) expect(watch.observe(now, 5.1, 2, false)).toBe('none');
  expect(watch.observe(3100, 5.1, 2, true)).toBe('none');
  expect(watch.observe(3200, 5.2, 2, true)).toBe('none');
  expect(watch.figures.count).toBe(0);
});
