import type { Sample, Ticks, Timebase, Track } from '@onair/media';
import { chunk, initSegment } from '@onair/media/isobmff';
import { WebmDemuxer } from '@onair/media/webm';
import { expect, it } from 'vitest';
import { WebmTracks } from './webm-tracks.ts';

const vp8: Track = {
  id: 7,
  timebase: 90_000 as Timebase,
  parameters: {
    kind: 'video',
    codec: 'vp8',
    codecString: 'vp08.00.10.08',
    description: new Uint8Array([0, 10, 0x82, 2, 2, 2, 0, 0]),
    width: 320,
    height: 180,
  },
};
const picture = (at: number, keyframe: boolean): Uint8Array => {
  const time = (at * 3000) as Ticks;
  const start = [0x9d, 1, 0x2a, 0x40, 1, 0xb4, 0]; // RFC 6386 §9.1
  const data = new Uint8Array(keyframe ? [0x10, at, 0, ...start] : [0x11, at, 0]);
  const sample = { track: vp8, dts: time, pts: time, duration: 3000 as Ticks, keyframe, data };
  return chunk({ sequence: at, track: vp8, baseDecodeTime: time, samples: [sample], durations: [3000] });
};
const engineTracks = [
  { id: 7, kind: 'video' as const, mime: 'video/mp4; codecs="vp08.00.10.08"', codecString: 'vp08.00.10.08' },
  { id: 8, kind: 'audio' as const, mime: 'audio/mp4; codecs="opus"', codecString: 'opus' },
];
const supports = (mime: string): boolean => !/mp4.*vp0?8/.test(mime);

it('gives VP8 to source buffers as WebM, in order, as soon as the code for it is there', async () => {
  const tracks = new WebmTracks(supports);
  expect(tracks.tracks(engineTracks).map(({ mime }) => mime)).toEqual([
    'video/webm; codecs="vp8"',
    'audio/mp4; codecs="opus"',
  ]);
  const out: Uint8Array[] = [];
  const take = (bytes: Uint8Array): void => void out.push(bytes);
  tracks.chunk(7, picture(29, true), () => {
    throw new Error('nothing can be played before the init segment');
  });
  tracks.init(7, initSegment(vp8), take);
  for (const at of [30, 31, 32]) {
    tracks.chunk(7, picture(at, at === 30), take);
  }
  let sound: Uint8Array | undefined;
  tracks.chunk(8, new Uint8Array([1]), (bytes) => {
    sound = bytes;
  });
  expect(sound).toEqual(new Uint8Array([1]));
  // The end of a short file comes before the code is there, but after its pictures.
  let before: number | undefined;
  tracks.after(() => {
    before = out.length;
  });
  expect(before).toBeUndefined();
  await expect.poll(() => out.length).toBe(4);
  expect(before).toBe(4);
  tracks.after(() => {
    before = -1;
  });
  expect(before).toBe(-1);
  tracks.chunk(7, new Uint8Array([1, 2, 3]), take);
  expect(out).toHaveLength(4);
  const found: [number, boolean, number][] = [];
  const demuxer = new WebmDemuxer({
    onTrack: ({ parameters }: Track) => expect(parameters).toMatchObject({ codec: 'vp8', width: 320 }),
    onSample: ({ pts, track, keyframe, data }: Sample) =>
      void found.push([Math.round((pts * 1000) / track.timebase), keyframe, data[1]!]),
  });
  for (const bytes of out) demuxer.push(bytes);
  demuxer.end();
  expect(found).toEqual([
    [1000, true, 30],
    [1033, false, 31],
    [1067, false, 32],
  ]);
});

it('leaves alone what the browser plays, and what it plays in no way', () => {
  for (const all of [true, false]) {
    const tracks = new WebmTracks(() => all);
    expect(tracks.tracks(engineTracks)).toEqual(engineTracks);
    let same = false;
    tracks.init(7, new Uint8Array(0), () => {
      same = true;
    });
    expect(same).toBe(true);
  }
});
