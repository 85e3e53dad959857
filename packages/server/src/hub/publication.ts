import { MICROSECONDS, rescale, type Sample, type TimedEvent, type Track } from '@onair/media';
import { HubError } from './errors.ts';
import type { EventDraft } from './event-shelf.ts';
import { MAX_TRACKS } from './policy.ts';
import { Rebaser } from './rebase.ts';
import { type HeldSample, type Promised, Settling } from './settle.ts';
import type { FirstSample, Tails } from './tails.ts';

/** Who publishes and how to tell them that they must stop. */
export interface Publisher {
  /** Protocol, e.g. `rtmp`. */
  readonly protocol: string;
  /** Equal for publishers that showed the same credentials; compared for takeover only. */
  readonly identity?: string;
  /** Called once when the hub ends the publication on its own: taken over, kicked, shut down. */
  revoked(reason: string): void;
  /** Makes the next picture a key frame, if the protocol can ask for that; it limits how often it does. */
  requestKeyframe?(): void;
}

/** Something that the publisher should change, for viewers suffer from it. */
export interface PublicationWarning {
  /** Stable, e.g. `KEYFRAMES_RARE`. */
  readonly code: string;
  /** What was seen and what to do about it. */
  readonly text: string;
  /** Milliseconds since the Unix epoch. */
  readonly since: number;
}

/** Most warnings of one publication. */
const MAX_WARNINGS = 16;

/** What a publication needs of its stream. */
export interface PublicationPort {
  /** Where the stream left off. */
  readonly tails: Tails;
  /**
   * Begins an epoch or goes on with the running one; returns the stream's own track objects by id.
   * @param time stream time in µs of the earliest sample. @param wallMs when it came.
   */
  begin(tracks: readonly Track[], time: number, wallMs: number): ReadonlyMap<number, Track>;
  /** The publisher's clock jumped; stream time goes on at `dts` of `track`. */
  reanchor(sample: Sample, wallMs: number): void;
  /** @param end stream time in µs after the last sample of the track that is furthest. */
  deliver(sample: Sample, wallMs: number, end: number): void;
  ended(publication: Publication, reason: string): void;
  announce(draft: EventDraft, source: string): TimedEvent;
  wall(): number;
}

/**
 * A publisher's way into a stream. Samples come in source time and leave in stream time.
 * Buffers handed in belong to the stream from then on.
 */
export class Publication {
  readonly publisher: Publisher;
  readonly #port: PublicationPort;
  readonly #sourceTracks = new Map<number, Track>();
  readonly #settling = new Settling();
  #streamTracks: ReadonlyMap<number, Track> | undefined;
  #rebaser: Rebaser | undefined;
  #awaitsKeyframe = new Set<number>();
  #standby: boolean;
  #closed = false;
  #dropped = 0;
  readonly #warnings = new Map<string, PublicationWarning>();

  constructor(publisher: Publisher, port: PublicationPort, standby: boolean) {
    this.publisher = publisher;
    this.#port = port;
    this.#standby = standby;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** True while another publication is on air and this one waits for its end. */
  get standby(): boolean {
    return this.#standby;
  }

  /** Samples that could not be used: before a keyframe, on an unknown track, or while standing by. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Stream time minus the publisher's own, in µs; undefined while nothing is on air. */
  get sourceOffset(): number | undefined {
    return this.#rebaser?.offset;
  }

  /** What the publisher should change, oldest first. */
  get warnings(): readonly PublicationWarning[] {
    return [...this.#warnings.values()];
  }

  /** Notes a warning, once for each code. Returns it if it is new. */
  warn(code: string, text: string): PublicationWarning | undefined {
    if (this.#warnings.has(code) || this.#warnings.size >= MAX_WARNINGS) return undefined;
    const warning: PublicationWarning = { code, text, since: this.#port.wall() };
    this.#warnings.set(code, warning);
    return warning;
  }

  /** Tells which kinds of track will come, so that the start need not wait for what will not. */
  promise(promised: Promised): void {
    this.#settling.promise(promised);
  }

  /**
   * Announces a track or new parameters for it. Samples carry the object given last.
   * @throws HubError `TOO_MANY_TRACKS`.
   */
  setTrack(track: Track): void {
    if (this.#closed) return;
    if (!this.#sourceTracks.has(track.id) && this.#sourceTracks.size >= MAX_TRACKS) {
      throw new HubError('TOO_MANY_TRACKS', `a publication has at most ${MAX_TRACKS} tracks`);
    }
    this.#sourceTracks.set(track.id, track);
    // Whatever follows waits until the set of tracks is complete again.
    this.#streamTracks = undefined;
  }

  /** Takes a track away: the rest goes on without it. */
  removeTrack(id: number): void {
    if (!this.#closed && this.#sourceTracks.delete(id)) this.#streamTracks = undefined;
  }

  /** One access unit in source time. */
  push(sample: Sample): void {
    if (this.#closed) return;
    const wallMs = this.#port.wall();
    if (this.#standby || this.#sourceTracks.get(sample.track.id) === undefined) {
      this.#dropped++;
      return;
    }
    if (this.#streamTracks !== undefined) {
      this.#forward(sample, wallMs);
      return;
    }
    this.#settling.hold(sample, wallMs);
    if (!this.#settling.ready(this.#sourceTracks)) return;
    const held = this.#settling.release();
    const { tails } = this.#port;
    const time = this.#rebaser === undefined ? undefined : tails.end;
    this.#rebaser ??= newRebaser(held, this.#sourceTracks.values(), tails);
    this.#streamTracks = this.#port.begin(
      [...this.#sourceTracks.values()],
      time ?? this.#rebaser.start,
      held[0]?.wallMs ?? wallMs,
    );
    this.#awaitsKeyframe = new Set();
    for (const track of this.#sourceTracks.values()) {
      if (track.parameters.kind === 'video') this.#awaitsKeyframe.add(track.id);
    }
    for (const one of held) this.#forward(one.sample, one.wallMs);
  }

  /**
   * Puts an event onto the stream's timeline.
   * @param sourceUs its time in µs of the publisher's clock.
   * @returns undefined, and counts it as dropped, if the stream does not take it now.
   */
  announce(draft: EventDraft, sourceUs: number): TimedEvent | undefined {
    const time = this.#rebaser?.timeOf(sourceUs);
    if (this.#closed || this.#standby || time === undefined) {
      this.#dropped++;
      return undefined;
    }
    try {
      return this.#port.announce({ ...draft, time: Math.max(0, time) }, this.publisher.protocol);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      this.#dropped++;
      return undefined;
    }
  }

  /** Goes on air after standing by; the next keyframe is the first picture. */
  activate(): void {
    this.#standby = false;
    this.#streamTracks = undefined;
  }

  /** The publisher is done or gone. Safe to call twice. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#port.ended(this, reason);
  }

  /** The hub ends the publication: like {@link close}, and the publisher is told. */
  revoke(reason: string): void {
    if (this.#closed) return;
    this.close(reason);
    this.publisher.revoked(reason);
  }

  #forward(sample: Sample, wallMs: number): void {
    const track = this.#streamTracks!.get(sample.track.id);
    if (track === undefined || (this.#awaitsKeyframe.size > 0 && !this.#startsNow(sample))) {
      this.#dropped++;
      return;
    }
    const rebaser = this.#rebaser!;
    // Sound from before the first picture that came late: its place belongs to whoever published before.
    if (rebaser.precedes(track, sample.dts)) {
      this.#dropped++;
      return;
    }
    const { dts, pts, jumped } = rebaser.place(track, sample.dts, sample.pts);
    const placed: Sample = {
      track,
      dts,
      pts,
      duration: sample.duration,
      keyframe: sample.keyframe,
      data: sample.data,
    };
    if (jumped) this.#port.reanchor(placed, wallMs);
    this.#port.deliver(placed, wallMs, rebaser.end);
  }

  #startsNow(sample: Sample): boolean {
    if (!this.#awaitsKeyframe.has(sample.track.id)) return true;
    if (!sample.keyframe) return false;
    this.#awaitsKeyframe.delete(sample.track.id);
    return true;
  }
}

/** What may be lost of a track whose kind ran on longer than the others before, µs. */
const MOST_LOST_US = 500_000;

/** Places a publication that begins behind what the stream has. */
function newRebaser(held: readonly HeldSample[], tracks: Iterable<Track>, tails: Tails): Rebaser {
  const firsts = new Map<string, FirstSample>();
  let earliest: number | undefined;
  for (const { sample } of held) {
    const { track } = sample;
    const { kind } = track.parameters;
    const dts = rescale(sample.dts, track.timebase, MICROSECONDS);
    if (earliest === undefined || dts < earliest) earliest = dts;
    const first = firsts.get(kind);
    // Of pictures the first in decoding order is shown first: the ones before it are not for this publication.
    if (first !== undefined && first.dts <= dts) continue;
    firsts.set(kind, { kind, dts, pts: rescale(sample.pts, track.timebase, MICROSECONDS) });
  }
  const offset = tails.offsetFor([...firsts.values()]);
  let start = offset === undefined || earliest === undefined ? tails.end : earliest + offset;
  const all = [...tracks];
  const has = (kind: string): boolean => all.some(({ parameters }) => parameters.kind === kind);
  // Sound that it lacks is silence for players, behind what there is: pictures come with it, as they do with sound.
  const sound = has('video') && !has('audio') ? tails.presentedTo('audio') : undefined;
  if (sound !== undefined && sound > start) start = sound;
  // A track that is still to come must not lose much of its beginning to what the stream has of its kind.
  for (const { parameters } of all) {
    const end = firsts.has(parameters.kind) ? undefined : tails.presentedTo(parameters.kind);
    if (end !== undefined && end > start + MOST_LOST_US) start = end;
  }
  return new Rebaser(start, earliest, tails.now());
}
