import { describe, expect, it } from 'vitest';
import type { Sample } from '../model/index.ts';
import { TagDemuxer } from './tag-demuxer.ts';
import { encodeSampleAsFlvTag, sampleTag, sampleTimestampMs } from './tag-muxer.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const AVCC = '0142c00dffe100196742c00dd901419f9f0110000003001000000303c0f142a48001000568cb83cb20';
const HEX_24 = (value: number): string => (value & 0xff_ffff).toString(16).padStart(6, '0');

/** A demuxer that knows H.264 and AAC at 44.1 kHz. @param startMs timestamp of the configuration. */
function started(startMs: number): {
  readonly samples: Sample[];
  readonly video: (wireMs: number, compositionMs?: number) => Sample;
  readonly audio: (wireMs: number) => Sample;
  readonly push: (type: 'audio' | 'video', wireMs: number, body: string) => Sample;
} {
  const samples: Sample[] = [];
  const demuxer = new TagDemuxer({
    onTrack: () => undefined,
    onSample: (sample) => samples.push(sample),
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
  });
  const push = (type: 'audio' | 'video', wireMs: number, body: string): Sample => {
    demuxer.push({ type, timestampMs: wireMs, body: hex(body) });
    return samples.at(-1)!;
  };
  push('video', startMs, `1700000000 ${AVCC}`);
  push('audio', startMs, 'af00 1210');
  return {
    samples,
    push,
    video: (wireMs, compositionMs = 0) =>
      push('video', wireMs, `2701 ${HEX_24(compositionMs)} 00000002 419a`),
    audio: (wireMs) => push('audio', wireMs, 'af01 2110'),
  };
}

describe('video', () => {
  it('counts 90 ticks to the millisecond, B-frames in both directions', () => {
    const { video } = started(0);
    const order = [
      [0, 80],
      [40, 120],
      [80, -40],
      [120, 0],
      [160, -8000],
    ] as const;
    expect(order.map(([dts, cts]) => video(dts, cts)).map((sample) => [sample.dts, sample.pts])).toEqual([
      [0, 7200],
      [3600, 14_400],
      [7200, 3600],
      [10_800, 10_800],
      [14_400, -705_600],
    ]);
  });

  it('rises strictly where timestamps stand still or jitter back', () => {
    const { video } = started(0);
    const stamps = [1000, 1000, 1000, 990, 1033].map((ms) => video(ms));
    expect(stamps.map((sample) => sample.dts)).toEqual([90_000, 90_001, 90_002, 90_003, 92_970]);
    expect(stamps.map((sample) => sample.pts)).toEqual([90_000, 90_000, 90_000, 89_100, 92_970]);
  });

  it('passes on a jump in either direction', () => {
    const { video } = started(0);
    expect([5000, 3_600_000, 10].map((ms) => video(ms).dts)).toEqual([450_000, 324_000_000, 900]);
  });

  it('adds the nanosecond offset to the presentation time', () => {
    const { push } = started(0);
    const sample = push('video', 40, '97 02 0f423f 03 61766331 00000002 419a');
    expect([sample.dts, sample.pts]).toEqual([3600, 3690]);
    expect(push('video', 80, '97 02 001b20 03 61766331 00000002 419a').pts).toBe(7201);
  });
});

describe('wrap', () => {
  it('of 32 bits keeps sound and picture together', () => {
    const start = 2 ** 32 - 100;
    const { video, audio } = started(start);
    for (let ms = 0; ms < 400; ms += 20) {
      const wire = (start + ms) % 2 ** 32;
      if (ms % 40 === 0) expect(video(wire).dts).toBe((start + ms) * 90);
      const sound = audio(wire);
      expect(Math.abs((sound.dts * 1000) / 44_100 - (start + ms))).toBeLessThan(70);
    }
  });

  it('seen by audio first moves video too', () => {
    const { video, audio } = started(2 ** 32 - 10);
    expect(audio(5).dts).toBe(Math.round(((2 ** 32 + 5) * 44_100) / 1000));
    expect(video(2 ** 32 - 5).dts).toBe((2 ** 32 - 5) * 90);
    expect(video(20).dts).toBe((2 ** 32 + 20) * 90);
  });

  it('of 24 bits is written into the extended byte, that of 32 bits wraps', () => {
    const { video } = started(2 ** 24 - 10);
    const bytes = encodeSampleAsFlvTag(video(2 ** 24 + 5));
    expect([...bytes.subarray(4, 8)]).toEqual([0, 0, 5, 1]);
    const { video: later, samples } = started(2 ** 32 - 10);
    later(5);
    expect(sampleTimestampMs(samples[0]!)).toBe(2 ** 32 + 5);
    expect([...encodeSampleAsFlvTag(samples[0]!).subarray(4, 8)]).toEqual([0, 0, 5, 0]);
  });

  it('comes out as it went in after 30 days', () => {
    const month = 30 * 86_400_000;
    const { video, audio } = started(month % 2 ** 32);
    for (const ms of [0, 40, 80]) {
      const tag = sampleTag(video((month + ms) % 2 ** 32, ms === 40 ? -40 : 80));
      expect(tag.timestampMs).toBe((month + ms) % 2 ** 32);
      expect([...tag.body.subarray(2, 5)]).toEqual(ms === 40 ? [255, 255, 216] : [0, 0, 80]);
    }
    expect(sampleTag(audio(month % 2 ** 32)).timestampMs).toBe(month % 2 ** 32);
  });
});

describe('audio', () => {
  it('comes back out within a millisecond of what came in', () => {
    const { audio } = started(0);
    for (let i = 0; i < 500; i++) {
      const wire = Math.floor((i * 1024 * 1000) / 44_100) + 7;
      const out = sampleTag(audio(wire)).timestampMs;
      expect(Math.abs(out - wire)).toBeLessThanOrEqual(1);
    }
  });
});

it('refuses to write samples of data tracks as media', () => {
  const { video } = started(0);
  const parameters = { kind: 'data', codec: 'event' } as const;
  const sample = { ...video(0), track: { id: 9, timebase: video(40).track.timebase, parameters } };
  expect(() => sampleTag(sample)).toThrow(TypeError);
});
