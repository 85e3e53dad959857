import type { Track } from '@onair/media';
import { TsMuxer, type TsSample } from '@onair/media/mpegts';
import { hex, TRACKS } from './mp4-tracks.ts';

const VIDEO: Track = {
  ...TRACKS.h264!,
  parameters: {
    ...TRACKS.h264!.parameters,
    description: hex('0142c01effe10004 6742c01e 010004 68ce3c80'),
  } as Track['parameters'],
};
const AUDIO = TRACKS.aac!;

/** Segments of a second, 25 pictures and counted sound each, `from` 90 kHz ticks of the source on. */
export function tsSegments(count: number, from = 0): Uint8Array[] {
  const muxer = new TsMuxer();
  muxer.begin({ video: VIDEO, audio: AUDIO }, false);
  let sound = Math.round((from * AUDIO.timebase) / 90_000);
  return Array.from({ length: count }, (_, n) => {
    const video = Array.from({ length: 25 }, (_, i): TsSample => {
      const dts = from + n * 90_000 + i * 3600;
      const data = new Uint8Array(1000).fill(0x5a);
      data.set([0, 0, 3, 0xe4, i === 0 ? 0x65 : 0x41]);
      return { dts, pts: dts, duration: 3600, keyframe: i === 0, data };
    });
    const audio: TsSample[] = [];
    const end = ((from + (n + 1) * 90_000) * AUDIO.timebase) / 90_000;
    for (; sound + 512 < end; sound += 1024) {
      audio.push({
        dts: sound,
        pts: sound,
        duration: 1024,
        keyframe: true,
        data: new Uint8Array(200).fill(n),
      });
    }
    return muxer.segment({ video, audio });
  });
}

/** `segment` without its clock references but the first and the last. */
export function withoutClock(segment: Uint8Array): Uint8Array {
  const copy = segment.slice();
  const at: number[] = [];
  for (let packet = 0; packet < copy.length; packet += 188) {
    const adaptation = (copy[packet + 3]! & 0x20) !== 0 && copy[packet + 4]! > 0;
    if (adaptation && (copy[packet + 5]! & 0x10) !== 0) at.push(packet);
  }
  for (const packet of at.slice(1, -1)) copy[packet + 5]! &= ~0x10;
  return copy;
}
