import {
  decodeEvent,
  MICROSECONDS,
  ParseError,
  rescale,
  type Sample,
  type Timebase,
  type TimedEvent,
  type Track,
  type VideoParameters,
} from '@onair/media';
import {
  H264_NAL,
  h264NalType,
  joinLengthPrefixed,
  nalLength,
  parseAvcConfig,
  ReorderLook,
} from '@onair/media/bitstream';
import { concatBytes } from '@onair/media/bytes';
import { isRtpCodec, PAYLOAD_FORMATS, type PayloadFormat } from '@onair/media/rtp';
import type { WantedMedia } from '@onair/media/sdp';
import {
  type ClockAnchor,
  type Cut,
  DEFAULT_LOG_LIMITS,
  Fanout,
  type FanoutContext,
  FormatLog,
  type LogEpoch,
  type LogLimits,
  type Packager,
  type PackagerKind,
  type StreamState,
} from '../../hub/index.ts';
import { EPOCH_RECORD, MAX_PAYLOAD_BYTES, writeRecord } from './record.ts';

interface Lane {
  readonly track: Track;
  readonly format: PayloadFormat;
  readonly video: boolean;
  /** Parameter sets of H.264 behind lengths, for key frames that lack them. */
  readonly sets: Uint8Array | undefined;
  readonly reorder: ReorderLook;
}

/** Why browsers cannot play a stream over WebRTC. */
export type RtpRefusal = 'codec' | 'b-frames';

/** Turns samples into RTP payloads, once for all who watch; what differs per viewer is the header in front. */
export class RtpPackager implements Packager {
  /** The viewers' side. */
  readonly fanout: Fanout<Uint8Array>;
  readonly #log: FormatLog<Uint8Array>;
  readonly #lanes = new Map<number, Lane>();
  #epoch: LogEpoch<Uint8Array> | undefined;
  #anchor: ClockAnchor = { time: 0, wallMs: 0 };
  #refusal: RtpRefusal | undefined;
  readonly #listeners = new Set<(event: TimedEvent) => void>();
  readonly #newest = { video: 0, audio: 0 };
  #hasVideo = false;

  constructor(context: FanoutContext, limits: LogLimits = DEFAULT_LOG_LIMITS) {
    this.#log = new FormatLog(limits);
    this.fanout = new Fanout(this.#log, context);
  }

  /** Why the running epoch is not playable by WebRTC; undefined if it is. */
  get refusal(): RtpRefusal | undefined {
    return this.#refusal;
  }

  /** Ties stream time to the wall clock. */
  get anchor(): ClockAnchor {
    return this.#anchor;
  }

  /** RTP timestamps (not wrapped) of the newest picture and sound. */
  get newest(): { readonly video: number; readonly audio: number } {
    return this.#newest;
  }

  /** What a viewer has to be able to receive. */
  get wanted(): WantedMedia {
    const wanted: { video?: WantedMedia['video']; audio?: WantedMedia['audio'] } = {};
    for (const { track } of this.#lanes.values()) {
      const { parameters } = track;
      if (parameters.kind === 'data' || !isRtpCodec(parameters.codec)) continue;
      if (parameters.kind === 'audio') wanted.audio = { codec: parameters.codec };
      else {
        const profile = parameters.codec === 'h264' ? parameters.description[1] : undefined;
        wanted.video = { codec: parameters.codec, ...(profile === undefined ? {} : { profile }) };
      }
    }
    return wanted as WantedMedia;
  }

  cut({ epoch, anchor, newEpoch }: Cut): void {
    this.#anchor = anchor;
    if (this.#epoch !== undefined && !newEpoch) return;
    this.#lanes.clear();
    this.#refusal = undefined;
    for (const kind of ['video', 'audio'] as const) {
      const track = epoch.tracks.find(({ parameters }) => parameters.kind === kind);
      const lane = track === undefined ? undefined : laneOf(track);
      if (lane !== undefined) this.#lanes.set(lane.track.id, lane);
      else if (track !== undefined && kind === 'video') this.#refusal = 'codec';
    }
    if (this.#lanes.size === 0) this.#refusal = 'codec';
    const tracks = [...this.#lanes.values()].map(({ track }) => track);
    this.#hasVideo = tracks[0]?.parameters.kind === 'video';
    this.#epoch = { number: epoch.number, tracks, config: EPOCH_RECORD };
    this.#append(
      this.#epoch,
      { kind: 'config', track: 0, video: false, independent: false, time: anchor.time },
      0,
      EPOCH_RECORD,
    );
  }

  /** Calls `listener` with each timed event to come, until the returned function is called. */
  onEvent(listener: (event: TimedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  sample(sample: Sample, wallMs: number): void {
    if (sample.track.parameters.kind === 'data') this.#tell(sample);
    const lane = this.#lanes.get(sample.track.id);
    if (lane === undefined || this.#epoch === undefined || this.#refusal !== undefined) return;
    const { video, format, track } = lane;
    if (video && lane.reorder.finds(sample)) {
      // WebRTC shows pictures in the order in which they come.
      this.#refusal = 'b-frames';
      this.#log.finish('stream-ended');
      this.#log.clear();
      return;
    }
    const payloads = payloadsOf(lane, sample);
    if (payloads === undefined) return;
    const timestamp = rescale(sample.pts, track.timebase, format.clockRate as Timebase);
    this.#newest[video ? 'video' : 'audio'] = timestamp;
    this.#append(
      this.#epoch,
      {
        kind: 'media',
        track: track.id,
        video,
        independent: video ? sample.keyframe : !this.#hasVideo,
        time: rescale(sample.dts, track.timebase, MICROSECONDS),
      },
      wallMs,
      writeRecord({ video, keyframe: sample.keyframe }, timestamp, payloads),
    );
  }

  state(state: StreamState): void {
    if (state !== 'ended') return;
    this.#log.finish('stream-ended');
    this.#log.clear();
  }

  close(): void {
    this.#log.finish('stream-ended');
    this.#log.clear();
  }

  #tell({ data }: Sample): void {
    const event = this.#listeners.size === 0 ? undefined : decodeEvent(data);
    if (event !== undefined) for (const listener of this.#listeners) listener(event);
  }

  #append(
    epoch: LogEpoch<Uint8Array>,
    place: { kind: 'media' | 'config'; track: number; video: boolean; independent: boolean; time: number },
    wallMs: number,
    bytes: Uint8Array,
  ): void {
    const discontinuity = place.kind === 'config';
    this.#log.append({ ...place, epoch, discontinuity, duration: 0, compositionOffset: 0, wallMs, bytes });
  }
}

/** The kind of packager under which a stream shares its RTP payloads; one object per process. */
export function rtpPackagerKind(
  context: FanoutContext,
  limits: () => LogLimits = () => DEFAULT_LOG_LIMITS,
): PackagerKind<RtpPackager> {
  return { name: 'rtp', create: () => new RtpPackager(context, limits()) };
}

function laneOf(track: Track): Lane | undefined {
  const { parameters } = track;
  if (parameters.kind === 'data' || !isRtpCodec(parameters.codec)) return undefined;
  const video = parameters.kind === 'video';
  const sets = video ? setsOf(parameters) : undefined;
  return { track, format: PAYLOAD_FORMATS[parameters.codec], video, sets, reorder: new ReorderLook() };
}

function setsOf({ codec, description }: VideoParameters): Uint8Array | undefined {
  if (codec !== 'h264') return undefined;
  const { sps, pps } = parseAvcConfig(description);
  return joinLengthPrefixed([...sps, ...pps]);
}

/** Undefined for a unit that is malformed, which is left out. */
function payloadsOf({ format, sets }: Lane, { data, keyframe }: Sample): Uint8Array[] | undefined {
  try {
    const unit = sets !== undefined && keyframe && !hasSets(data) ? concatBytes([sets, data]) : data;
    return format.split(unit, MAX_PAYLOAD_BYTES);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function hasSets(unit: Uint8Array): boolean {
  for (let at = 0; at < unit.length; ) {
    const size = nalLength(unit, at);
    if (size > 0 && h264NalType(unit[at + 4]!) === H264_NAL.sps) return true;
    at += 4 + size;
  }
  return false;
}
