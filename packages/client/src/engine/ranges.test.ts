import fc from 'fast-check';
import { expect, it } from 'vitest';
import { aheadOf, intersect, jumpTarget, type Span } from './ranges.ts';

const spans = (...pairs: [number, number][]): Span[] => pairs.map(([start, end]) => ({ start, end }));

it.each([
  [[spans([0, 5]), spans([1, 6])], spans([1, 5])],
  [[spans([0, 2], [3, 9]), spans([1, 4])], spans([1, 2], [3, 4])],
  [[spans([0, 2]), spans([2, 4])], []],
  [[spans([0, 2])], spans([0, 2])],
  [[], []],
])('intersects %j', (lists, expected) => {
  expect(intersect(lists)).toEqual(expected);
});

it.each([
  ['before all media', spans([5, 9]), 0, 5],
  ['in a hole', spans([0, 4], [6, 9]), 5, 6],
  ['at the end before a hole', spans([0, 4], [6, 9]), 3.97, 6],
  ['near the end before a hole', spans([0, 4], [6, 9]), 3.6, 6],
  ['inside', spans([0, 4], [6, 9]), 2, undefined],
  ['at the live edge', spans([0, 4]), 3.99, undefined],
  ['behind all media', spans([0, 4]), 8, undefined],
  ['a hair before the first picture', spans([1.02, 4]), 1, 1.02],
])('jumps %s', (_name, list, position, expected) => {
  expect(jumpTarget(list, position)).toBe(expected);
});

it('tells what lies ahead', () => {
  expect(aheadOf(spans([0, 4], [6, 9]), 1)).toBe(3);
  expect(aheadOf(spans([0, 4], [6, 9]), 5)).toBe(0);
});

it('an intersection lies in every list and a jump leads forward into media', () => {
  const list = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 20 })), { maxLength: 6 })
    .map((steps) => {
      let at = 0;
      return steps.map(([gap, length]) => {
        const start = at + gap + 1;
        at = start + length;
        return { start, end: at };
      });
    });
  fc.assert(
    fc.property(list, list, fc.double({ min: 0, max: 100, noNaN: true }), (a, b, position) => {
      for (const { start, end } of intersect([a, b])) {
        const middle = (start + end) / 2;
        for (const one of [a, b])
          expect(one.some((span) => span.start <= middle && middle <= span.end)).toBe(true);
      }
      const target = jumpTarget(a, position);
      if (target !== undefined) {
        expect(target).toBeGreaterThan(position);
        expect(aheadOf(a, target)).toBeGreaterThan(0);
      }
    }),
  );
});
