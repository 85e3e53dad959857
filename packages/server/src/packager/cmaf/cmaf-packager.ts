import {
  MICROSECONDS,
  ParseError,
  rescale,
  type Sample,
  type Ticks,
  type Timebase,
  type Track,
  ticks,
} from '@onair/media';
import { chunk, initSegment } from '@onair/media/isobmff';
import {
  type Cut,
  DEFAULT_LOG_LIMITS,
  FormatLog,
  type LogEpoch,
  type LogLimits,
  type Packager,
  type PackagerKind,
  type StreamState,
  Tails,
} from '../../hub/index.ts';
import { Silences } from '../silence.ts';
import { Cadence, type Placed } from './cadence.ts';
import type { CmafConfig, CmafLog } from './cmaf-log.ts';
import { EventMessages } from './event-messages.ts';

/** Audio that a chunk may hold, in seconds; less if a video frame comes in between. */
const AUDIO_CHUNK = 0.04;
/** How far a chunk may go beyond {@link AUDIO_CHUNK} rather than end a frame early, in seconds. */
const AUDIO_CHUNK_SLACK = 0.008;

/** What is kept of one track between its samples. */
interface Lane {
  readonly track: Track;
  readonly video: boolean;
  readonly cadence: Cadence;
  /** `mfhd` sequence number of the last chunk. */
  sequence: number;
  /** The next chunk is the first after a cut. */
  fresh: boolean;
  samples: Sample[];
  durations: number[];
  /** {@link Placed.lag} of the first sample. */
  lag: number;
  /** Ticks in `durations`. */
  length: number;
  /** Audio: ticks near which a chunk begins, since a keyframe is shown then; undefined once one does. */
  meet: number | undefined;
  wallMs: number;
}

/**
 * Turns samples into a log of CMAF chunks, once for all who watch: each video frame is a chunk as soon as it
 * comes, audio is gathered until the next video frame or up to 40 ms. Decoding times are contiguous wherever
 * the source is regular; see {@link Cadence}. A sound that a publisher comes back without goes on as silence, as far
 * as the pictures have come.
 */
export class CmafPackager implements Packager {
  readonly log: CmafLog;
  readonly #lanes = new Map<number, Lane>();
  #epoch: LogEpoch<CmafConfig> | undefined;
  #audio: Lane[] = [];
  #hasVideo = false;
  /** What goes on of an epoch that had more sound. */
  readonly #silences = new Silences();
  readonly #events: EventMessages;
  #tracks: readonly Track[] = [];
  /** Up to where there are pictures without a hole, which is where the next publication begins. */
  readonly #tails = new Tails();

  /** @param eventId3 whether timed events go as ID3 tags too. */
  constructor(limits: LogLimits = DEFAULT_LOG_LIMITS, eventId3: () => boolean = () => false) {
    this.#events = new EventMessages(eventId3);
    this.log = new FormatLog<CmafConfig>(limits);
  }

  /** Frames per second of a track, if it keeps to a constant rate. */
  frameRate(trackId: number): number | undefined {
    return this.#lanes.get(trackId)?.cadence.frameRate;
  }

  /** Tracks of the running epoch, those that it does not carry and silent ones included; none before the first. */
  get tracks(): readonly Track[] {
    return this.#tracks;
  }

  cut(cut: Cut): void {
    this.#flushAudio();
    for (const lane of this.#lanes.values()) {
      lane.cadence.cut();
      lane.fresh = true;
    }
    this.#silences.cut();
    if (this.#epoch !== undefined && !cut.newEpoch) return;
    this.#begin(cut);
  }

  sample(sample: Sample, wallMs: number): void {
    if (sample.track.parameters.kind === 'data') {
      this.#event(sample, wallMs);
      return;
    }
    const lane = this.#lanes.get(sample.track.id);
    if (lane === undefined) return;
    if (!lane.video) {
      if (!this.#silences.refuses(sample)) this.#sound(lane, sample, wallMs);
      return;
    }
    const placed = lane.cadence.place(sample.dts, sample.pts, sample.duration, sample.keyframe);
    const shown = placed.dts + placed.composition + placed.lag;
    if (lane.track === this.#epoch!.tracks[0]) this.#goOn(placed.dts, shown, lane.track.timebase, wallMs);
    this.#tails.note(sample, 0);
    this.#flushAudio();
    if (sample.keyframe) this.#meetAt(placed.dts + placed.composition, lane.track.timebase);
    lane.samples.push(replaced(sample, placed));
    lane.durations.push(placed.duration);
    lane.lag = placed.lag;
    lane.wallMs = wallMs;
    this.#flush(lane);
  }

  state(state: StreamState): void {
    if (state === 'waiting' || state === 'ended') this.#complete();
    this.#flushAudio();
    if (state === 'ended') this.#end();
  }

  close(): void {
    this.#end();
    this.#lanes.clear();
    this.#audio = [];
  }

  /** The silent tracks follow the first picture track. */
  #goOn(dts: number, pts: number, base: Timebase, wallMs: number): void {
    for (const sample of this.#silences.until(dts, pts, base))
      this.#sound(this.#lanes.get(sample.track.id)!, sample, wallMs);
  }

  /** The publisher has gone: the sounds end with the pictures. */
  #complete(): void {
    const end = this.#tails.presentedTo('video');
    if (!this.#hasVideo || end === undefined) return;
    for (const lane of this.#audio) {
      const { track, meet } = lane;
      const key = meet === undefined ? 0 : rescale(meet as Ticks, track.timebase, MICROSECONDS);
      for (const sample of this.#silences.rest(track, end, key)) this.#sound(lane, sample, lane.wallMs);
    }
  }

  #sound(lane: Lane, sample: Sample, wallMs: number): void {
    const placed = lane.cadence.place(sample.dts, sample.pts, sample.duration, sample.keyframe);
    // A hole must not be hidden inside a chunk, which knows durations only.
    if (lane.samples.length > 0 && placed.dts !== lane.samples[0]!.dts + lane.length) this.#flush(lane);
    if (lane.meet !== undefined && placed.dts + placed.duration / 2 >= lane.meet) {
      if (lane.samples.length > 0) this.#flush(lane);
      lane.meet = undefined;
    }
    if (lane.samples.length === 0) lane.wallMs = wallMs;
    lane.samples.push(replaced(sample, placed));
    lane.durations.push(placed.duration);
    lane.length += placed.duration;
    this.#silences.note(lane.track, placed.dts + placed.duration);
    const base = lane.track.timebase;
    const full = lane.length >= AUDIO_CHUNK * base;
    if (full || lane.length + placed.duration > (AUDIO_CHUNK + AUDIO_CHUNK_SLACK) * base) this.#flush(lane);
  }

  #begin({ epoch, anchor }: Cut): void {
    const before = new Map(this.#lanes);
    const inits = new Map<number, Uint8Array>();
    for (const track of epoch.tracks) {
      const init = initOf(track);
      if (init !== undefined) inits.set(track.id, init);
    }
    const carried = epoch.tracks.filter((track) => inits.has(track.id));
    this.#silences.begin(this.#epoch?.tracks ?? [], carried, epoch.tracks);
    for (const track of this.#silences.tracks) inits.set(track.id, initSegment(track));
    this.#tracks = this.#silences.among(epoch.tracks);
    const tracks = this.#silences.among(carried);
    this.#lanes.clear();
    for (const track of tracks)
      this.#lanes.set(track.id, newLane(track, before.get(track.id)?.sequence ?? 0));
    this.#audio = [...this.#lanes.values()].filter((lane) => !lane.video);
    this.#hasVideo = this.#lanes.size > this.#audio.length;
    this.#epoch = { number: epoch.number, tracks, config: { inits } };
    this.log.append({
      kind: 'config',
      epoch: this.#epoch,
      track: 0,
      video: false,
      independent: false,
      discontinuity: true,
      time: anchor.time,
      duration: 0,
      compositionOffset: 0,
      wallMs: anchor.wallMs,
      bytes: new Uint8Array(0),
    });
  }

  /** A segment may begin with the picture shown then: sound can follow within half a frame if a chunk begins there. */
  #meetAt(time: number, base: Timebase): void {
    for (const lane of this.#audio) lane.meet = rescale(time as Ticks, base, lane.track.timebase);
  }

  #flushAudio(): void {
    for (const lane of this.#audio) if (lane.samples.length > 0) this.#flush(lane);
  }

  /** Tells it at once, wherever it lies: in the log for those who take it from there, and in the next chunk. */
  #event(sample: Sample, wallMs: number): void {
    const event = this.#events.add(sample);
    if (event === undefined || this.#epoch === undefined) return;
    this.log.append(
      {
        kind: 'notice',
        epoch: this.#epoch,
        track: 0,
        video: false,
        independent: false,
        discontinuity: false,
        time: sample.dts,
        duration: 0,
        compositionOffset: 0,
        wallMs,
        bytes: sample.data,
      },
      event.time + event.duration,
    );
  }

  #flush(lane: Lane): void {
    const { track, samples, durations } = lane;
    const first = samples[0]!;
    const base = track.timebase;
    let length = 0;
    for (const duration of durations) length += duration;
    const leads = track === this.#epoch!.tracks[0];
    const emsg = leads ? this.#events.take(first.dts, base, !lane.video || first.keyframe) : undefined;
    const bytes = chunk({
      track,
      sequence: ++lane.sequence,
      baseDecodeTime: first.dts,
      samples,
      durations,
      ...(emsg === undefined ? {} : { emsg }),
    });
    this.log.append({
      kind: 'media',
      epoch: this.#epoch!,
      track: track.id,
      video: lane.video,
      independent: lane.video ? first.keyframe : !this.#hasVideo,
      discontinuity: lane.fresh,
      time: rescale(first.dts, base, MICROSECONDS),
      duration: between(first.dts, length, base),
      compositionOffset: first.pts === first.dts ? 0 : between(first.dts, first.pts - first.dts, base),
      lag: lane.lag === 0 ? 0 : between(first.dts, lane.lag, base),
      wallMs: lane.wallMs,
      bytes,
    });
    lane.fresh = false;
    lane.samples.length = 0;
    lane.durations.length = 0;
    lane.length = 0;
  }

  #end(): void {
    this.log.finish('stream-ended');
    this.log.clear();
    // What comes under this name afterwards owes nothing to what was before.
    this.#epoch = undefined;
  }
}

/** The kind of packager under which a stream shares its CMAF chunks; one object per process. */
export function cmafPackagerKind(
  limits: () => LogLimits = () => DEFAULT_LOG_LIMITS,
  eventId3?: () => boolean,
): PackagerKind<CmafPackager> {
  return { name: 'cmaf', create: () => new CmafPackager(limits(), eventId3) };
}

function newLane(track: Track, sequence: number): Lane {
  const { parameters } = track;
  const video = parameters.kind === 'video';
  return {
    track,
    video,
    cadence: new Cadence(
      video ? 'video' : 'audio',
      track.timebase,
      parameters.kind === 'video' ? parameters.frameRate : undefined,
    ),
    sequence,
    fresh: true,
    samples: [],
    durations: [],
    lag: 0,
    length: 0,
    meet: undefined,
    wallMs: 0,
  };
}

/** The init segment, or undefined for a track that fMP4 cannot carry. */
function initOf(track: Track): Uint8Array | undefined {
  if (track.parameters.kind === 'data') return undefined;
  try {
    return initSegment(track);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function replaced(sample: Sample, placed: Placed): Sample {
  return {
    track: sample.track,
    dts: ticks(placed.dts),
    pts: ticks(placed.dts + placed.composition + placed.lag),
    duration: ticks(placed.duration),
    keyframe: sample.keyframe,
    data: sample.data,
  };
}

/** µs between two places, so that neighbours meet exactly in µs too. */
function between(from: number, length: number, base: Timebase): number {
  return rescale((from + length) as Ticks, base, MICROSECONDS) - rescale(from as Ticks, base, MICROSECONDS);
}
