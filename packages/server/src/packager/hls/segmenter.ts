import type { Track } from '@onair/media';
import type { Block, Clock, ClockAnchor, LogEpoch } from '../../hub/index.ts';
import type { CmafConfig } from '../cmaf/cmaf-log.ts';
import { Gate } from './gate.ts';
import type { HlsOptions } from './options.ts';
import { fitPartTarget, type Grain } from './part-plan.ts';
import { type CutRule, Rendition } from './rendition.ts';
import { placeOf } from './segment.ts';
import type { WindowLimits } from './segment-window.ts';
import { firstNumbers, ROOM_S, Timeline } from './timeline.ts';

/** Audio chunks last this long at most, in µs; longer frames are chunks of their own. */
const AUDIO_GRAIN_US = 48_000;

/** How far behind an announced segment the leading track may begin it rather than one of its own, in µs. */
const LEADER_LATE_US = 500_000;

/** Intervals of pictures at 24, 25, 30, 50 and 60 a second, in µs. */
const USUAL_US = [41_667, 40_000, 33_333, 20_000, 16_667];

/** Segments without media in a row at most; sources that are silent for longer begin anew. */
const MOST_BRIDGED = 100;

interface Lane {
  readonly rendition: Rendition;
  readonly gate: Gate;
}

/** Where the leading track is. */
interface Lead {
  lane: Lane | undefined;
  /** µs of stream time up to which it has come. */
  frontier: number;
  /** µs of stream time of its last keyframe. */
  lastKey: number;
  /** What its next keyframe begins; undefined while segments run. */
  start: { readonly discontinuity: boolean } | undefined;
  /** No segment of the epoch had to begin without a keyframe. */
  independent: boolean;
}

/** Who is told what a segmenter finds. */
export interface SegmenterPort {
  /** The playlist of a rendition has changed. */
  changed(rendition: Rendition): void;
  /** True if the frames of a track come at a constant rate, so that each lasts as long as it says. */
  steady(track: number): boolean;
  /** The publisher makes segments impossible that can be decoded on their own. */
  keyframeMissing(seconds: number): void;
}

/**
 * Decides where segments begin: at keyframes of the video, for all renditions at once, so that they have the same
 * numbers and times. Audio alone leads itself. Tracks other than the leading one wait until it has passed them.
 */
export class Segmenter {
  readonly timeline: Timeline;
  readonly #clock: Clock;
  readonly #options: () => HlsOptions;
  readonly #port: SegmenterPort;
  readonly #lanes = new Map<string, Lane>();
  readonly #byTrack = new Map<number, Lane>();
  readonly #lead: Lead = {
    lane: undefined,
    frontier: Number.NEGATIVE_INFINITY,
    lastKey: 0,
    start: { discontinuity: false },
    independent: true,
  };
  #partTarget: number | undefined;
  /** By whether blocks last as long as they say. */
  readonly #rules = { steady: this.#newRule(true), free: this.#newRule(false) };

  constructor(clock: Clock, options: () => HlsOptions, port: SegmenterPort) {
    this.#clock = clock;
    this.#options = options;
    this.#port = port;
    this.timeline = new Timeline(options(), clock.wall());
  }

  /** Every rendition there ever was, by name. */
  rendition(name: string): Rendition | undefined {
    return this.#lanes.get(name)?.rendition;
  }

  /** Every rendition there ever was. */
  get renditions(): Rendition[] {
    return [...this.#lanes.values()].map(({ rendition }) => rendition);
  }

  /** The renditions of the running epoch, the leading one first. */
  get current(): Rendition[] {
    return [...this.#byTrack.values()].map(({ rendition }) => rendition);
  }

  /** True while every segment of the running epoch begins with a keyframe. */
  get independent(): boolean {
    return this.#lead.independent;
  }

  /** PART-TARGET in µs. */
  get partTarget(): number {
    return this.#partTarget ?? this.#options().partMs * 1000;
  }

  /** EXT-X-TARGETDURATION in seconds, settled now if it was not. */
  settleTarget(): number {
    if (this.timeline.target !== undefined) return this.timeline.settle([], 0);
    const rendition = this.#lead.lane?.rendition;
    // Sound may have gone on far beyond the pictures; what it commonly lasts longer is left room for.
    const durations = this.current.flatMap((one) =>
      one.window.listed.map(({ duration }) => (one === rendition ? duration : duration - ROOM_S * 1_000_000)),
    );
    return this.timeline.settle(durations, rendition?.open?.size.duration ?? 0);
  }

  /** Blocks to come belong to `epoch`; `anchor` ties their time to the wall clock. */
  place(epoch: LogEpoch<CmafConfig>, anchor: ClockAnchor, discontinuity: boolean): void {
    this.closeSegments();
    this.timeline.place(epoch, anchor);
    const tracks = servedTracks(epoch.tracks);
    this.#byTrack.clear();
    for (const [name, track] of tracks) {
      const lane = this.#lanes.get(name) ?? this.#newLane(name);
      lane.rendition.track = track;
      lane.rendition.reopen();
      this.#byTrack.set(track.id, lane);
    }
    for (const [name, { rendition }] of this.#lanes) if (!tracks.has(name)) rendition.track = undefined;
    this.#lead.lane = [...this.#byTrack.values()][0];
    this.#lead.frontier = Number.NEGATIVE_INFINITY;
    this.#lead.start = { discontinuity };
    this.#lead.independent = true;
  }

  /** Takes the next block of the log. */
  block(block: Block<CmafConfig>): void {
    const lane = this.#byTrack.get(block.track);
    if (lane === undefined) return;
    if (lane === this.#lead.lane) this.#leading(lane, block);
    else lane.gate.push(block);
    for (const follower of this.#byTrack.values()) {
      for (const released of follower.gate.release(this.#lead.frontier)) this.#following(follower, released);
    }
  }

  /** Ends the growing segments, so that everything received can be fetched. */
  closeSegments(): void {
    for (const lane of this.#byTrack.values()) {
      for (const block of lane.gate.drain()) this.#following(lane, block);
    }
    for (const rendition of [...this.current, ...this.#absent])
      rendition.close(this.#lead.frontier, this.#rules.steady);
    this.#lead.start ??= { discontinuity: false };
  }

  /** The stream is over. */
  end(): void {
    this.closeSegments();
    for (const { rendition } of this.#lanes.values()) rendition.end();
  }

  /** Lets go of all media. */
  clear(): void {
    for (const { rendition } of this.#lanes.values()) rendition.window.clear();
  }

  #leading(lane: Lane, block: Block<CmafConfig>): void {
    const lead = this.#lead;
    let hurry = false;
    if (lead.start !== undefined) {
      if (block.video && !block.independent) return;
      const { segmentMs, partMs } = this.#options();
      this.#partTarget ??= fitPartTarget(segmentMs, partMs, this.#grains(block));
      this.#bound(placeOf(block), lead.start.discontinuity);
      lead.start = undefined;
      lead.lastKey = block.time;
    } else {
      const { announced } = lane.rendition;
      this.#bridge(lane.rendition, block);
      if (announced && this.#isAhead(lane.rendition, block)) {
        hurry = this.#overfull(lane.rendition, block);
        if (hurry && block.video && !block.independent) this.#missKeyframe(block.time);
      } else if (this.#cutsAt(lane.rendition, block)) {
        this.#bound(placeOf(block), false, block.video && !block.independent);
      }
    }
    if (block.independent && block.time > lead.lastKey) {
      if (block.video) this.timeline.keyframe(block.time - lead.lastKey);
      lead.lastKey = block.time;
    }
    this.timeline.clock?.observe(block.time + block.compositionOffset, block.wallMs);
    lane.rendition.accept(block, this.#rule(block), hurry);
    lead.frontier = block.time + block.duration;
  }

  #following(lane: Lane, block: Block<CmafConfig>): void {
    // What lies ahead of the leader has waited for it in vain.
    const absent = block.time + block.duration / 2 >= this.#lead.frontier;
    if (absent && !lane.rendition.announced && this.#overfull(lane.rendition, block)) {
      this.#bound(block.time, false);
    }
    lane.rendition.accept(block, this.#rule(block));
  }

  /** The leader was silent for longer than a segment may last: segments without media lie between. */
  #bridge({ lastStart }: Rendition, block: Block<CmafConfig>): void {
    const { frontier } = this.#lead;
    let start = lastStart;
    for (let left = MOST_BRIDGED; left > 0; left--) {
      if (start === undefined || block.time - start <= this.timeline.maxSegment) return;
      start = start < frontier ? frontier : start + this.#options().segmentMs * 1000;
      if (start >= block.time) return;
      this.#bound(start, false);
    }
  }

  /** True if a segment ends in front of this block of the leader. */
  #cutsAt(rendition: Rendition, block: Block<CmafConfig>): boolean {
    const { open } = rendition;
    if (open === undefined) return false;
    if (!block.independent) return this.#tooLong(open.start, block);
    // At the keyframe nearest to the wished duration, if they keep their distance.
    const distance = block.time - this.#lead.lastKey;
    const wished = this.#options().segmentMs * 1000;
    const size = block.time - open.start;
    if (size + distance / 2 >= wished) return true;
    // One that came early, as those that are asked for do and a stream's first may: the next may come too late.
    const next = this.timeline.keyframeInterval ?? (divides(distance, wished) ? distance : wished);
    const longest = this.timeline.wishedSegment;
    return block.video && next > distance && next <= longest && size + next > longest;
  }

  /** The others went on without the leader, and what they announced is not behind it yet: it has nothing to announce. */
  #isAhead({ lastStart }: Rendition, block: Block<CmafConfig>): boolean {
    return lastStart !== undefined && lastStart > placeOf(block) - LEADER_LATE_US;
  }

  /** True if the growing segment has no room for this block. */
  #overfull({ open }: Rendition, block: Block<CmafConfig>): boolean {
    // One that begins late may be the hole behind another: none lasts longer than from boundary to boundary.
    return open !== undefined && this.#tooLong(Math.min(open.start, open.boundary.time), block);
  }

  #missKeyframe(time: number): void {
    this.#lead.independent = false;
    this.#port.keyframeMissing((time - this.#lead.lastKey) / 1_000_000);
  }

  #tooLong(start: number, block: Block<CmafConfig>): boolean {
    return block.time + block.lag + block.duration - start > this.timeline.maxSegment;
  }

  /** @param forced the leading track brings no keyframe. */
  #bound(time: number, discontinuity: boolean, forced = false): void {
    const boundary = this.timeline.next(time, discontinuity, forced);
    if (forced) this.#missKeyframe(time);
    for (const { rendition } of this.#byTrack.values()) rendition.bound(boundary);
    for (const rendition of this.#absent) rendition.miss(boundary, this.#rules.steady);
  }

  /**
   * Renditions that the running epoch has no track for. They go on with segments without media (RFC 8216bis §4.4.4.7),
   * since the track may come back: a list that ended must not go on.
   */
  get #absent(): Rendition[] {
    return this.renditions.filter(({ track, ended }) => track === undefined && !ended);
  }

  #rule({ video, track }: Block<CmafConfig>): CutRule {
    return !video || this.#port.steady(track) ? this.#rules.steady : this.#rules.free;
  }

  #newRule(steady: boolean): CutRule {
    return {
      steady,
      partTarget: () => this.partTarget,
      limits: () => this.#limits(),
      longest: () => this.timeline.maxSegment,
    };
  }

  #limits(): WindowLimits {
    const { windowSegments, segmentMs, maxBytes } = this.#options();
    const target = this.timeline.target;
    const duration = target === undefined ? windowSegments * segmentMs * 1000 : 3 * target * 1_000_000;
    return { segments: windowSegments, duration, bytes: maxBytes };
  }

  #grains(first: Block<CmafConfig>): Grain[] {
    const beats = first.video ? intervals(first, this.#lead.lane?.rendition.track) : [];
    const sounds = this.current.flatMap(({ track }) => {
      const parameters = track?.parameters;
      if (parameters?.kind !== 'audio') return [];
      const frame = ((parameters.frameSize ?? 0) * 1_000_000) / parameters.sampleRate;
      const chunk = frame > 0 ? frame * Math.max(1, Math.floor(AUDIO_GRAIN_US / frame)) : AUDIO_GRAIN_US;
      return { frame: frame || chunk, chunk, beats };
    });
    return [...beats.map((frame) => ({ frame, chunk: frame })), ...sounds];
  }

  #newLane(name: string): Lane {
    const { part } = firstNumbers(this.#clock.wall(), this.#options().segmentMs);
    const rendition: Rendition = new Rendition(
      name,
      part,
      () => this.#clock.now(),
      () => this.#port.changed(rendition),
    );
    const lane: Lane = { rendition, gate: new Gate() };
    this.#lanes.set(name, lane);
    return lane;
  }
}

/** Names of the tracks that are served: every video, every audio. The leading one comes first. */
function servedTracks(tracks: readonly Track[]): ReadonlyMap<string, Track> {
  const served = new Map<string, Track>();
  for (const track of tracks) {
    const { kind } = track.parameters;
    if (kind === 'data') continue;
    served.set(served.has(kind) ? `${kind}-${track.id}` : kind, track);
  }
  return served;
}

/** µs between pictures: as told, or else all that are usual. */
function intervals({ duration }: Block<CmafConfig>, track: Track | undefined): number[] {
  const { parameters } = track ?? {};
  const told = parameters?.kind === 'video' && parameters.frameRate !== undefined;
  return told || duration > USUAL_US[0]! ? [duration] : USUAL_US;
}

/** True if keyframes at this distance meet the wish exactly: somebody set it so. */
function divides(distance: number, wished: number): boolean {
  const times = wished / distance;
  return Math.abs(times - Math.round(times)) <= 0.02 * times;
}
