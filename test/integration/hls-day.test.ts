import { ticks } from '@onair/media';
import { parseMediaPlaylist } from '@onair/media/hls';
import { describe, expect, it } from 'vitest';
import { setUp } from '../kit/hls-source.ts';
import { audioParameters, audioTrack, videoParameters, videoTrack } from '../kit/samples.ts';

const DAY_SECONDS = 86_400;
const FPS = 24_000 / 1001;
const VIDEO = videoTrack(videoParameters());
const AUDIO = audioTrack(audioParameters(44_100));

describe('24 hours of a stream', () => {
  it('23.976 pictures per second in rounded milliseconds and sound at 44.1 kHz: no drift, no growth', {
    timeout: 300_000,
  }, () => {
    const { clock, registry, packager, stream } = setUp();
    const publication = registry.publish(stream.name, { protocol: 'test', revoked: () => {} });
    publication.promise({ video: true, audio: true });
    publication.setTrack(VIDEO);
    publication.setTrack(AUDIO);
    const began = clock.wall();
    const start = clock.now();
    const data = new Uint8Array(16);
    const sums = { video: 0, audio: 0 };
    const seen = { video: -1, audio: -1 };
    let first: Readonly<Record<'video' | 'audio', number>> | undefined;
    const memory: number[] = [];
    let sound = 0;
    for (let frame = 0; frame < DAY_SECONDS * FPS; frame++) {
      const ms = (frame * 1000) / FPS;
      clock.advance(Math.max(0, start + ms - clock.now()));
      const dts = ticks(Math.round(ms) * 90);
      const keyframe = frame % 48 === 0;
      publication.push({ track: VIDEO, dts, pts: dts, duration: undefined, keyframe, data });
      for (; (sound * 1024) / 44_100 <= (frame + 1) / FPS; sound++) {
        const at = ticks(sound * 1024);
        publication.push({ track: AUDIO, dts: at, pts: at, duration: ticks(1024), keyframe: true, data });
      }
      if (!keyframe) continue;
      for (const name of ['video', 'audio'] as const) {
        for (const { boundary, duration } of packager().rendition(name)?.window.listed ?? []) {
          if (boundary.msn <= seen[name]) continue;
          seen[name] = boundary.msn;
          sums[name] += Number((duration / 1e6).toFixed(6));
        }
      }
      // Somebody watches, so that dates are shown.
      if (frame === 48 * 3) {
        const dateOf = (name: string): number =>
          parseMediaPlaylist(packager().playlist(name)!.text).segments[0]!.programDateTime!;
        first = { video: dateOf('video'), audio: dateOf('audio') };
      }
      if (frame % (48 * 5000) === 0) {
        global.gc?.();
        memory.push(packager().rendition('video')?.window.bytes ?? 0);
      }
    }
    for (const name of ['video', 'audio'] as const) {
      const { listed } = packager().rendition(name)!.window;
      const last = listed.at(-1)!;
      // Where the last segment ends by the media's own clock, and by the durations of all that were listed.
      const mediaEnd = (last.boundary.time + last.duration) / 1e6;
      console.info(
        `${name}: durations ${sums[name].toFixed(5)} s, media ${mediaEnd.toFixed(5)} s, ` +
          `date off by ${(last.programDateTime - began - last.boundary.time / 1000).toFixed(2)} ms`,
      );
      // The first sound need not begin with the first picture.
      expect(Math.abs(sums[name] - mediaEnd)).toBeLessThan(name === 'video' ? 0.001 : 0.024);
      expect(Math.abs(last.programDateTime - began - last.boundary.time / 1000)).toBeLessThanOrEqual(42);
      expect(Math.abs(first![name] - began)).toBeLessThanOrEqual(42);
      const wall = clock.wall() - began;
      expect(Math.abs(last.boundary.time / 1000 + last.duration / 1000 - wall)).toBeLessThan(2100);
    }
    const playlist = parseMediaPlaylist(packager().playlist('video')!.text);
    expect(playlist.segments).toHaveLength(7);
    expect(playlist.targetDuration).toBe(2);
    expect(Math.max(...memory.slice(1))).toBeLessThanOrEqual(memory[1]! * 1.05);
    expect(clock.waiting).toBeLessThan(4);
  });
});
