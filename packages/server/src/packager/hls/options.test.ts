import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fitPartTarget, MIN_PART_SHARE } from './options.ts';

it.each([
  [[33_333, 45_000], 334],
  [[40_000, 45_000], 334],
  [[16_683, 21_333], 334],
  [[200_000, 45_000], 400],
  [[33_333, 128_000], 384],
  [[1_000_000], 1000],
])('frames of %j µs fill parts of %i ms', (grains, expected) => {
  expect(fitPartTarget(334, grains)).toBe(expected * 1000);
});

it('is a target that whole frames fill to 85 %, or the longest frame', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 5000, max: 2_000_000 }), { minLength: 1, maxLength: 3 }),
      (grains) => {
        const target = fitPartTarget(334, grains);
        expect(target).toBeGreaterThanOrEqual(334_000);
        if (target > 334_000 * 4) return;
        for (const grain of grains) {
          const whole = Math.floor(target / grain) * grain;
          expect(
            grain <= (1 - MIN_PART_SHARE) * target ||
              whole >= MIN_PART_SHARE * target ||
              target >= Math.max(...grains),
          ).toBe(true);
        }
      },
    ),
  );
});
