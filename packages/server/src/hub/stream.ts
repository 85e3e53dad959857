import {
  eventSample,
  MICROSECONDS,
  rescale,
  type Sample,
  type StreamName,
  sameParameters,
  type TimedEvent,
  type Track,
} from '@onair/media';
import type { Clock } from './clock.ts';
import { HubError } from './errors.ts';
import { type EventDraft, EventShelf } from './event-shelf.ts';
import { GopCache } from './gop-cache.ts';
import { Meter } from './meter.ts';
import type { HubPolicy } from './policy.ts';
import { Publication, type PublicationPort, type PublicationWarning, type Publisher } from './publication.ts';
import type { Cut, Epoch, StreamSink, StreamState } from './sink.ts';
import { Tails } from './tails.ts';

/** A packager as the stream keeps it: a sink with an end. */
export interface Packager extends StreamSink {
  /** Releases everything. Called once, when the stream is forgotten. */
  close(): void;
}

/** Makes one kind of packager; the object itself is the key under which a stream shares it. */
export interface PackagerKind<P extends Packager> {
  readonly name: string;
  create(stream: Stream): P;
}

/** What a stream needs of the hub. */
export interface StreamContext {
  readonly clock: Clock;
  policy(): HubPolicy;
  /** Kinds that run from the first sample on, whether somebody watches or not. */
  readonly eager: readonly PackagerKind<Packager>[];
  /** State, tracks or publisher changed. */
  changed(stream: Stream): void;
  /** A sink threw and was removed. */
  fault(stream: Stream, error: unknown): void;
  /** A publisher should change something. */
  warned(stream: Stream, warning: PublicationWarning): void;
}

/** A named live source. It outlives its publishers; viewers and packagers hang on it, not on them. */
export class Stream {
  readonly name: StreamName;
  /** Bytes received from publishers. */
  readonly input = new Meter();
  /** Its timed events: put in by {@link announce}. */
  readonly events = new EventShelf();
  readonly #context: StreamContext;
  readonly #gop: GopCache;
  readonly #sinks = new Set<StreamSink>();
  readonly #packagers = new Map<PackagerKind<Packager>, Packager>();
  readonly #publications: { active: Publication | undefined; standby: Publication[] } = {
    active: undefined,
    standby: [],
  };
  #state: { name: StreamState; since: number; until: number | undefined } = {
    name: 'idle',
    since: 0,
    until: undefined,
  };
  #cut: Cut | undefined;
  readonly #tails = new Tails();
  #attached = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(name: StreamName, context: StreamContext) {
    this.name = name;
    this.#context = context;
    this.#gop = new GopCache(context.policy().gop);
    this.#state.since = context.clock.wall();
  }

  get state(): StreamState {
    return this.#state.name;
  }

  /** When the present state began, ms since the Unix epoch. */
  get since(): number {
    return this.#state.since;
  }

  /** While waiting: when the reconnect window closes, ms since the Unix epoch. */
  get until(): number | undefined {
    return this.#state.until;
  }

  get epoch(): Epoch | undefined {
    return this.#cut?.epoch;
  }

  get publication(): Publication | undefined {
    return this.#publications.active;
  }

  /** True if nobody publishes, watches or may still come back. */
  get forgettable(): boolean {
    return (
      this.#attached === 0 &&
      (this.#state.name === 'idle' || this.#state.name === 'ended') &&
      this.#cancelTimer === undefined
    );
  }

  /** Says that somebody wants the stream to stay known; the returned function takes that back, once. */
  attach(): () => void {
    this.#attached++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#attached--;
      if (this.forgettable) this.#context.changed(this);
    };
  }

  /**
   * Opens a way in for a publisher.
   * @throws HubError `PUBLISH_CONFLICT` if another is on air and the policy does not allow for two.
   */
  publish(publisher: Publisher): Publication {
    const { takeover } = this.#context.policy();
    const active = this.#publications.active;
    const same = publisher.identity !== undefined && publisher.identity === active?.publisher.identity;
    if (active !== undefined && takeover === 'takeover' && same)
      active.revoke('taken over by another publisher');
    else if (active !== undefined && takeover !== 'standby') {
      throw new HubError('PUBLISH_CONFLICT', `${this.name} is on air already`);
    }
    const standby = this.#publications.active !== undefined;
    const publication = new Publication(publisher, this.#port(), standby);
    if (standby) {
      if (this.#publications.standby.length >= 4)
        throw new HubError('PUBLISH_CONFLICT', `${this.name} has 4 publishers standing by`);
      this.#publications.standby.push(publication);
    } else this.#publications.active = publication;
    this.#context.changed(this);
    return publication;
  }

  /** The shared packager of a kind; started now if it was not, and fed with what the stream remembers. */
  packager<P extends Packager>(kind: PackagerKind<P>): P {
    const running = this.#packagers.get(kind);
    if (running !== undefined) return running as P;
    const packager = kind.create(this);
    this.#packagers.set(kind, packager);
    this.subscribe(packager);
    return packager;
  }

  /** Lets a packager go that nobody uses; the next who asks gets a new one. Its own part in this is over. */
  retire(kind: PackagerKind<Packager>): void {
    const packager = this.#packagers.get(kind);
    if (packager === undefined) return;
    this.#packagers.delete(kind);
    this.#sinks.delete(packager);
    packager.close();
  }

  /** Adds a sink and tells it what came since the last keyframe. The returned function removes it. */
  subscribe(sink: StreamSink): () => void {
    this.#sinks.add(sink);
    this.#tell(sink, () => {
      if (this.#cut !== undefined) {
        sink.cut(this.#cut);
        // In front of the media, so that each finds its place in it.
        const first = this.#gop.entries[0]?.sample;
        const from = first === undefined ? this.now : rescale(first.dts, first.track.timebase, MICROSECONDS);
        for (const event of this.events.standing(from)) {
          sink.sample(eventSample(event, from), this.#context.clock.wall());
        }
        for (const { sample, wallMs } of this.#gop.entries) sink.sample(sample, wallMs);
      }
      sink.state(this.#state.name, this.#state.until);
    });
    return () => this.#sinks.delete(sink);
  }

  /** Asks whoever publishes for a key frame; false if nobody can be asked. */
  requestKeyframe(): boolean {
    const publisher = this.publication?.publisher;
    publisher?.requestKeyframe?.();
    return publisher?.requestKeyframe !== undefined;
  }

  /** Stream time in µs after the last sample. */
  get now(): number {
    return this.#tails.end;
  }

  /**
   * Stream time in µs of a wall-clock time, as the first sample after the last cut ties them.
   * @param wallMs since the Unix epoch.
   */
  timeAt(wallMs: number): number {
    const { time, wallMs: from } = this.#cut?.anchor ?? { time: 0, wallMs };
    return time + (wallMs - from) * 1000;
  }

  /**
   * Puts an event onto the timeline; every output carries it. An id that is known already gives the event that has it.
   * @param source who it is from: the rate is limited for each.
   * @throws HubError `EVENT_OFF_AIR`, `EVENT_RATE`, `EVENT_LIMIT`, `EVENT_TIME`.
   */
  announce(draft: EventDraft, source: string): TimedEvent {
    const { clock } = this.#context;
    if (this.#cut === undefined || (this.#state.name !== 'live' && this.#state.name !== 'waiting'))
      throw new HubError('EVENT_OFF_AIR', `${this.name} is not on air`);
    const known = this.events.find(draft.id);
    if (known !== undefined) return known;
    this.events.spend(source, clock.now());
    const event = this.events.add(draft, this.now);
    const sample = eventSample(event, this.now);
    for (const sink of this.#sinks) this.#tell(sink, () => sink.sample(sample, clock.wall()));
    return event;
  }

  /** Tells what whoever publishes at present should change; each code once per publication. */
  warn(code: string, text: string): void {
    const warning = this.publication?.warn(code, text);
    if (warning === undefined) return;
    this.#context.warned(this, warning);
    this.#context.changed(this);
  }

  /** Ends the publication and the stream at once. */
  end(reason: string): void {
    for (const publication of [...this.#publications.standby]) publication.revoke(reason);
    this.#publications.active?.revoke(reason);
    if (this.#state.name !== 'idle') this.#enter('ended');
  }

  /** Releases packagers and timers. The stream must not be used again. */
  close(reason: string): void {
    this.end(reason);
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const packager of this.#packagers.values()) packager.close();
    this.#packagers.clear();
    this.#sinks.clear();
    this.#gop.clear();
  }

  #port(): PublicationPort {
    return {
      wall: () => this.#context.clock.wall(),
      tails: this.#tails,
      begin: (tracks, time, wallMs) => this.#begin(tracks, time, wallMs),
      reanchor: (sample, wallMs) => this.#enterCut(sample, wallMs),
      deliver: (sample, wallMs, end) => this.#deliver(sample, wallMs, end),
      ended: (publication, reason) => this.#publicationEnded(publication, reason),
      announce: (draft, source) => this.announce(draft, source),
    };
  }

  #begin(tracks: readonly Track[], time: number, wallMs: number): ReadonlyMap<number, Track> {
    const order = { video: 0, audio: 1, data: 2 };
    const sorted = [...tracks].sort(
      (a, b) => order[a.parameters.kind] - order[b.parameters.kind] || a.id - b.id,
    );
    const running = this.#cut?.epoch;
    const same = running !== undefined && sameTracks(running.tracks, sorted);
    const epoch = same ? running : { number: (running?.number ?? 0) + 1, tracks: sorted };
    this.#gop.clear();
    for (const kind of this.#context.eager) this.packager(kind);
    this.#cut = { epoch, newEpoch: !same, anchor: { time, wallMs } };
    for (const sink of this.#sinks) this.#tell(sink, () => sink.cut(this.#cut!));
    // A sink that joins later has to set itself up in any case.
    this.#cut = { ...this.#cut, newEpoch: true };
    if (this.#state.name === 'live') this.#context.changed(this);
    else this.#enter('live');
    return new Map(epoch.tracks.map((track) => [track.id, track]));
  }

  #enterCut(sample: Sample, wallMs: number): void {
    const { epoch } = this.#cut!;
    const time = rescale(sample.dts, sample.track.timebase, MICROSECONDS);
    const cut: Cut = { epoch, newEpoch: false, anchor: { time, wallMs } };
    this.#cut = { ...cut, newEpoch: true };
    for (const sink of this.#sinks) this.#tell(sink, () => sink.cut(cut));
  }

  #deliver(sample: Sample, wallMs: number, end: number): void {
    this.input.add(sample.data.length, this.#context.clock.now());
    this.#gop.push(sample, wallMs, this.#cut!.epoch.tracks[0]!);
    this.#tails.note(sample, end);
    for (const sink of this.#sinks) {
      try {
        sink.sample(sample, wallMs);
      } catch (error) {
        this.#drop(sink, error);
      }
    }
  }

  #publicationEnded(publication: Publication, reason: string): void {
    const { standby } = this.#publications;
    const waiting = standby.indexOf(publication);
    if (waiting >= 0) {
      standby.splice(waiting, 1);
      return;
    }
    if (this.#publications.active !== publication) return;
    const next = standby.shift();
    this.#publications.active = next;
    next?.activate();
    void reason;
    if (this.#state.name === 'live' && next === undefined) this.#enter('waiting');
    else this.#context.changed(this);
  }

  #enter(name: StreamState): void {
    if (this.#state.name === name) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { clock } = this.#context;
    const policy = this.#context.policy();
    const since = clock.wall();
    const until = name === 'waiting' ? since + policy.reconnectWindowMs : undefined;
    this.#state = { name, since, until };
    if (name === 'waiting') {
      this.#cancelTimer = clock.after(policy.reconnectWindowMs, () => this.#enter('ended'));
    } else if (name === 'ended') {
      this.#cancelTimer = clock.after(policy.endedLingerMs, () => {
        this.#cancelTimer = undefined;
        this.#context.changed(this);
      });
    }
    for (const sink of this.#sinks) this.#tell(sink, () => sink.state(name, until));
    this.#context.changed(this);
  }

  #tell(sink: StreamSink, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#drop(sink, error);
    }
  }

  #drop(sink: StreamSink, error: unknown): void {
    this.#sinks.delete(sink);
    for (const [kind, packager] of this.#packagers) if (packager === sink) this.#packagers.delete(kind);
    this.#context.fault(this, error);
  }
}

function sameTracks(a: readonly Track[], b: readonly Track[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((track, i) => {
    const other = b[i]!;
    return (
      track.id === other.id &&
      track.timebase === other.timebase &&
      sameParameters(track.parameters, other.parameters)
    );
  });
}
