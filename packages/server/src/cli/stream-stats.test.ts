import { clockSei } from '@onair/contracts/burnt-clock';
import type { Sample, Track } from '@onair/media/model';
import { type Timebase, ticks } from '@onair/media/time';
import { describe, expect, it } from 'vitest';
import { seconds, wholeNumber } from './numbers.ts';
import { StreamStats, statsLine } from './stream-stats.ts';

const VIDEO: Track = {
  id: 1,
  timebase: 1000 as Timebase,
  parameters: {
    ...{ kind: 'video', codec: 'h264', codecString: 'avc1.42c01e', description: new Uint8Array(0) },
    ...{ width: 640, height: 360 },
  },
};
const AUDIO: Track = {
  id: 2,
  timebase: 48_000 as Timebase,
  parameters: {
    ...{ kind: 'audio', codec: 'aac', codecString: 'mp4a.40.2', description: new Uint8Array(0) },
    ...{ sampleRate: 48_000, channels: 2 },
  },
};

function sample(track: Track, dts: number, keyframe = false, data: Uint8Array = new Uint8Array(4)): Sample {
  return { track, dts: ticks(dts), pts: ticks(dts), duration: undefined, keyframe, data };
}

/** An access unit made at `ms`. */
function stamped(ms: number): Uint8Array {
  const nal = clockSei(ms * 1000);
  return Uint8Array.from([0, 0, 0, nal.length, ...nal, 0, 0, 0, 1, 0x65]);
}

describe('statistics', () => {
  it('count what comes, by interval and in all', () => {
    const stats = new StreamStats(1000);
    stats.bytes(25_000);
    stats.sample(sample(VIDEO, 0, false), 1100, 0); // not decodable yet
    stats.sample(sample(VIDEO, 33, true, stamped(50_000)), 1130, 50_020);
    stats.sample(sample(VIDEO, 67, false, stamped(50_033)), 1160, 50_073);
    stats.sample(sample(AUDIO, 0, true), 1160, 50_073);
    const first = stats.report(2000);
    expect(first).toMatchObject({
      ...{ elapsedMs: 1000, firstFrameMs: 130, kbitPerSecond: 200, framesPerSecond: 3 },
      ...{ bytes: 25_000, frames: 3, keyframes: 1, audioFrames: 1, gaps: 0, stepsBack: 0 },
      latencyMs: null, // the first second may come from a cache
      tracks: ['video h264 avc1.42c01e 640x360', 'audio aac mp4a.40.2 48000 Hz'],
    });
    stats.sample(sample(VIDEO, 100, false, stamped(51_000)), 2100, 51_020);
    stats.sample(sample(VIDEO, 133, false, stamped(51_033)), 2140, 51_073);
    expect(stats.report(2500)).toMatchObject({
      ...{ elapsedMs: 1500, kbitPerSecond: 0, framesPerSecond: 4, frames: 5 },
      latencyMs: { least: 20, mean: 30, most: 40 },
    });
    expect(stats.report(3000)).toMatchObject({ framesPerSecond: 0, frames: 5, latencyMs: null });
  });

  it('see gaps and steps back, not the rounding of milliseconds', () => {
    const stats = new StreamStats(0);
    for (let at = 0; at < 100; at++)
      stats.sample(sample(VIDEO, Math.round((at * 1000) / 30), at === 0), at, 0);
    expect(stats.report(1)).toMatchObject({ gaps: 0, stepsBack: 0 });
    stats.sample(sample(VIDEO, 3300 + 134), 1, 0);
    stats.sample(sample(VIDEO, 3000), 1, 0);
    for (let at = 0; at < 10; at++) stats.sample(sample(AUDIO, at * 1024), 1, 0);
    stats.sample(sample(AUDIO, 20 * 1024), 1, 0);
    expect(stats.report(1)).toMatchObject({ gaps: 2, longestGapMs: 234.7, stepsBack: 1 });
  });

  it('are told in one line', () => {
    const stats = new StreamStats(0);
    expect(statsLine(stats.report(1000))).toBe(
      '1 s · 0 kbit/s · 0.0 fps · 0 frames · 0 key · gaps 0 · no picture yet',
    );
    stats.sample(sample(VIDEO, 0, true, stamped(1000)), 1010, 1042);
    stats.sample(sample(VIDEO, 33, true, stamped(2000)), 2010, 2042);
    expect(statsLine(stats.report(2000))).toBe(
      '2 s · 0 kbit/s · 2.0 fps · 2 frames · 2 key · gaps 0 · first frame 1010 ms · latency 42 ms (42 to 42)',
    );
  });
});

describe('numbers of the command line', () => {
  it('are read or refused', () => {
    expect([wholeNumber('0'), wholeNumber('640')]).toEqual([0, 640]);
    expect([seconds('1'), seconds('0.25')]).toEqual([1, 0.25]);
    for (const text of ['', '-1', '1.5', '1e3', 'x', '9999999999']) expect(() => wholeNumber(text)).toThrow();
    for (const text of ['', '0', '-1', '1e3', 'Infinity', 'x']) expect(() => seconds(text)).toThrow();
  });
});
