import { describe, expect, it } from 'vitest';
import type { HlsSegment } from './segment.ts';
import { SegmentWindow } from './segment-window.ts';

const LIMITS = { segments: 7, duration: 6_000_000, bytes: 1 << 30 };
const BYTES = 100;

const segment = (msn: number): HlsSegment =>
  ({
    boundary: { msn },
    duration: 2_000_000,
    parts: [],
    bytes: new Uint8Array(BYTES),
  }) as unknown as HlsSegment;

/** Segments of two seconds, one each `everyMs`. */
function filled(count: number, everyMs: number): SegmentWindow {
  const window = new SegmentWindow();
  for (let msn = 0; msn < count; msn++) window.push(segment(msn), LIMITS, msn * everyMs);
  return window;
}

describe('segments that have left the playlist', () => {
  it('are served on for their duration and that of the playlist', () => {
    const window = filled(100, 2_000);
    expect(window.listed.map(({ boundary }) => boundary.msn)).toEqual([93, 94, 95, 96, 97, 98, 99]);
    // RFC 8216 §6.2.2: the last to leave did so 0 s ago, that of 16 s ago may go.
    for (let msn = 92; msn > 92 - 8; msn--) expect(window.segment(msn)?.boundary.msn).toBe(msn);
    expect(window.segment(80)).toBeUndefined();
  });

  it('are bounded by the time of their media if they come faster than real time', () => {
    for (const count of [100, 1_000]) {
      const window = filled(count, 1);
      expect(window.bytes).toBe((7 + 18) * BYTES);
      expect(window.segment(count - 25)?.boundary.msn).toBe(count - 25);
      expect(window.segment(count - 26)).toBeUndefined();
    }
  });

  it('hold what they say, whatever left', () => {
    const window = filled(30, 1);
    window.retireAll(30);
    expect([window.listed.length, window.bytes]).toEqual([0, 25 * BYTES]);
    window.push(segment(30), LIMITS, 30);
    expect([window.listed.length, window.bytes]).toEqual([1, (1 + 18) * BYTES]);
    window.clear();
    expect(window.bytes).toBe(0);
  });
});
