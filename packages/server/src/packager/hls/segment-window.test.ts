import { expect, it } from 'vitest';
import type { HlsInit, HlsSegment } from './segment.ts';
import { SegmentWindow } from './segment-window.ts';

const LIMITS = { segments: 3, duration: 0, target: 2_000_000, bytes: 1 << 20 };
const INIT: HlsInit = { file: 'i1.mp4', bytes: new Uint8Array(1) };

const segment = (seconds: number, bytes: number, init = INIT): HlsSegment =>
  ({
    boundary: { msn: 1 },
    init,
    duration: seconds * 1_000_000,
    parts: [],
    bytes: new Uint8Array(bytes),
  }) as unknown as HlsSegment;

it('remembers the peak of runs of 0.5 to 1.5 target durations, until the init segment changes', () => {
  const window = new SegmentWindow();
  const push = (...args: Parameters<typeof segment>): void => window.push(segment(...args), LIMITS, 0);
  // Too short to count by itself: it does once the run is long enough.
  push(0.5, 1000);
  expect(window.peak).toBe(0);
  push(1.5, 1000);
  expect(window.peak).toBe((2000 * 8) / 2);
  push(2, 4000);
  expect(window.peak).toBe((4000 * 8) / 2);
  for (let i = 0; i < 5; i++) push(2, 100);
  expect(window.peak).toBe((4000 * 8) / 2);
  push(2, 100, { ...INIT });
  expect(window.peak).toBe((100 * 8) / 2);
  push(4, 1000, { ...INIT });
  expect(window.peak).toBe((1000 * 8) / 4);
});
