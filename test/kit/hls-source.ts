import { rescale, type Sample, streamName, type Timebase, type Track, ticks } from '@onair/media';
import { flacParameters } from '@onair/media/bitstream';
import {
  checkMediaPlaylist,
  comparePlaylists,
  type MediaPlaylist,
  parseMediaPlaylist,
} from '@onair/media/hls';
import { DEFAULT_POLICY, type Publication, StreamRegistry } from '../../packages/server/src/hub/index.ts';
import { cmafPackagerKind } from '../../packages/server/src/packager/cmaf/index.ts';
import { hlsPackagerKind } from '../../packages/server/src/packager/hls/hls-packager.ts';
import { DEFAULT_HLS_OPTIONS, type HlsOptions } from '../../packages/server/src/packager/hls/options.ts';
import { FakeClock } from './fake-clock.ts';
import { hex } from './mp4-tracks.ts';
import { audioTrack, videoParameters, videoTrack } from './samples.ts';

const NAME = streamName('live', 'test');

/** What {@link source} makes. */
export interface SourceShape {
  readonly seconds: number;
  readonly fps?: number;
  /** Frames from one keyframe to the next. */
  readonly gop?: number;
  /** Composition offset of every frame, in frames. */
  readonly reorder?: number;
  readonly video?: Track | undefined;
  readonly audio?: Track | undefined;
  /** Milliseconds of source time at the beginning. */
  readonly from?: number;
  /** How much audio comes before the video of the same time, in ms; negative: after it. */
  readonly audioLead?: number;
  readonly bytes?: number;
}

/** A sample with the moment it arrives, ms after the first. */
export interface Timed {
  readonly at: number;
  readonly sample: Sample;
}

/** Tracks are told before all samples, or each with its first one: with a word before that they will come, or none. */
export type Announced = 'first' | 'promised' | 'unpromised';

const MS = 1000 as Timebase;
/** A 30 fps video track that tells its rate. */
export const VIDEO: Track = videoTrack({ ...videoParameters(), frameRate: 30 });
export const AUDIO: Track = audioTrack();
/** Sound for which there is no silence. */
export const FLAC: Track = {
  ...AUDIO,
  parameters: flacParameters(hex('80000022 1000 1000 000000000000 0bb802f0 00000000') as never),
};

/** Samples as RTMP brings them: video times rounded to ms, audio counted. */
export function source(shape: SourceShape): Timed[] {
  const { seconds, fps = 30, gop = 60, reorder = 0, from = 0, audioLead = 0, bytes = 200 } = shape;
  const { video, audio } = { video: VIDEO, audio: AUDIO, ...shape };
  const out: Timed[] = [];
  if (video !== undefined) {
    for (let i = 0; i < seconds * fps; i++) {
      const ms = Math.round((i * 1000) / fps);
      const dts = rescale(ticks(from + ms), MS, video.timebase);
      const pts = dts + Math.round((reorder * 1000) / fps) * 90;
      const data = new Uint8Array(bytes).fill(i & 0xff);
      const sample = {
        track: video,
        dts,
        pts: ticks(pts),
        duration: undefined,
        keyframe: i % gop === 0,
        data,
      };
      out.push({ at: ms, sample });
    }
  }
  if (audio !== undefined) {
    const rate = audio.timebase;
    const start = Math.round((from * rate) / 1000);
    for (let i = 0; i * 1024 < seconds * rate; i++) {
      const dts = ticks(start + i * 1024);
      const data = new Uint8Array(60).fill(i & 0xff);
      const sample = { track: audio, dts, pts: dts, duration: ticks(1024), keyframe: true, data };
      out.push({ at: (i * 1024_000) / rate - audioLead, sample });
    }
  }
  return out.sort((a, b) => a.at - b.at);
}

/** A hub with one stream, its HLS packager and a clock that the test moves. */
export function setUp(options: Partial<HlsOptions> = {}, start = true) {
  const clock = new FakeClock();
  const faults: unknown[] = [];
  const registry = new StreamRegistry({
    clock,
    policy: { ...DEFAULT_POLICY, gop: { maxBytes: 1 << 24, maxMs: 20_000 } },
    onFault: (_, error) => faults.push(error),
  });
  const stream = registry.open(NAME);
  stream.attach();
  const cmaf = cmafPackagerKind();
  const kind = hlsPackagerKind(cmaf, clock, () => ({ ...DEFAULT_HLS_OPTIONS, ...options }));
  const packager = () => stream.packager(kind);
  if (start) packager();

  /** Publishes in real time; calls `each` after every sample. Leaves the publication open. */
  const publish = (
    samples: readonly Timed[],
    each?: () => void,
    running?: Publication,
    announced: Announced = 'first',
  ): Publication => {
    const publication = running ?? registry.publish(NAME, { protocol: 'test', revoked: () => {} });
    const tracks = new Map(
      samples
        .map(({ sample }) => sample.track)
        .toReversed()
        .map((track) => [track.id, track]),
    );
    const kinds = [...tracks.values()].map(({ parameters }) => parameters.kind);
    const told = new Map<number, Track>();
    const tell = (track: Track): void => {
      if (told.get(track.id) === track) return;
      told.set(track.id, track);
      publication.setTrack(track);
    };
    if (running === undefined) {
      if (announced !== 'unpromised')
        publication.promise({ audio: kinds.includes('audio'), video: kinds.includes('video') });
      if (announced === 'first') for (const track of tracks.values()) tell(track);
    }
    const begin = clock.now() - Math.min(0, samples[0]?.at ?? 0);
    for (const { at, sample } of samples) {
      clock.advance(Math.max(0, begin + at - clock.now()));
      if (running === undefined) tell(sample.track);
      publication.push(sample);
      each?.();
    }
    return publication;
  };
  return { clock, registry, stream, packager, publish, faults, kinds: { cmaf, hls: kind } };
}

/** Follows the playlists of a stream and gathers everything that breaks a rule. */
export class Judge {
  readonly faults: string[] = [];
  readonly versions: MediaPlaylist[] = [];
  readonly #fetch: () => string | undefined;
  #text = '';

  constructor(fetch: () => string | undefined) {
    this.#fetch = fetch;
  }

  get last(): MediaPlaylist {
    return this.versions.at(-1)!;
  }

  /** Looks at the playlist as it is now. */
  look(): void {
    const text = this.#fetch();
    if (text === undefined || text === this.#text) return;
    this.#text = text;
    const playlist = parseMediaPlaylist(text);
    const before = this.versions.at(-1);
    const found = [...checkMediaPlaylist(playlist), ...(before ? comparePlaylists(before, playlist) : [])];
    for (const { rule, severity, clause, message } of found) {
      // Only the media tell whether there is a hole that no part can tell.
      if (rule === 'part-duration' && severity === 'should') continue;
      this.faults.push(`${message} (${clause})`);
    }
    this.versions.push(playlist);
  }
}
