import { MICROSECONDS, ParseError, rescale, type Sample, type StreamName, type Track } from '@onair/media';
import { MAX_METADATA_BYTES, TsSampleReader } from '@onair/media/mpegts';
import type { Clock, Publication, SessionTable, StreamRegistry } from '../../hub/index.ts';
import { type TsEvent, TsEvents } from './ts-events.ts';

/** What a publisher of a transport stream needs of the server. */
export interface TsPublisherDeps {
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
  readonly clock: Clock;
  /** One line about begin and end of a session. */
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Who sends a transport stream. */
export interface TsPeer {
  readonly protocol: string;
  /** Remote address without port. */
  readonly address: string;
  /** Who it was let in as; undefined for what this server fetches itself. */
  readonly identity: string | undefined;
  /** Told once when the publisher is to stop, other than by {@link TsPublisher.close}. */
  revoked(reason: string): void;
}

/** Bytes without a program map after which a publisher is given up; maps come ten times a second. */
export const MAX_BYTES_TO_PROGRAM = 8 * 1024 * 1024;
/** Bytes without a sample after which a publisher is given up: ten seconds of 50 Mbit/s. */
export const MAX_BYTES_TO_SAMPLE = 64 * 1024 * 1024;
/** Faults without a sample in between after which a publisher is given up. */
export const MAX_FAULTS_IN_A_ROW = 500;
/** Bytes read at a time: whether to go on is looked at in between. */
const SLICE_BYTES = 64 * 1024;
/** Sections and tags that wait for the clock they belong to. */
const MAX_EARLY = 32;
/** What lies further from the newest time belongs to a clock that comes with the next samples, in µs; */
const FAR_US = 60_000_000;
/** or so it is held until there were so many of them. */
const EARLY_SAMPLES = 100;

/** Events that are read again until they fit the clock. */
interface Early {
  readonly read: (now: number) => readonly TsEvent[];
  /** Samples for which it is held yet. */
  left: number;
}

/** An encoder on air with a transport stream, whatever brings its bytes. */
export class TsPublisher {
  readonly #publication: Publication;
  readonly #reader: TsSampleReader;
  readonly #events = new TsEvents();
  readonly #release: (reason: string) => void;
  /** The stream's tracks by those of the reader, whose ids are PIDs. */
  readonly #tracks = new Map<Track, Track>();
  readonly #ids = new Map<number, number>();
  /** Events whose time cannot be told yet. */
  #early: Early[] = [];
  /** Newest time of the publisher's clock, in µs. */
  #now: number | undefined;
  readonly #count = { bytes: 0, barren: 0, faults: 0, inARow: 0, program: false };
  #failure: ParseError | undefined;
  #lastFault: string | undefined;

  /** @throws HubError `PUBLISH_CONFLICT`, `TOO_MANY_STREAMS`, `HUB_CLOSED`. */
  constructor(stream: StreamName, peer: TsPeer, deps: TsPublisherDeps) {
    const { protocol, identity } = peer;
    const revoked = (reason: string): void => {
      this.#release(reason);
      peer.revoked(reason);
    };
    this.#publication = deps.registry.publish(stream, {
      protocol,
      ...(identity === undefined ? {} : { identity }),
      revoked,
    });
    this.#release = this.#register(stream, peer, deps);
    this.#reader = new TsSampleReader({
      program: (streams) => this.#program(streams),
      track: (track) => this.#track(track),
      sample: (sample) => this.#sample(sample),
      splice: (section, unwrap) =>
        this.#whenTimed((now) => [this.#events.ofSection(section, now, unwrap) ?? []].flat()),
      metadata: (tag, time) => this.#tag(tag, time),
      fault: (error) => this.#fault(error),
    });
  }

  /**
   * Takes the next bytes, cut anywhere.
   * @throws ParseError if nothing can come of the stream; HubError if it has too many tracks.
   */
  push(bytes: Uint8Array): void {
    const count = this.#count;
    for (let at = 0; at < bytes.length && !this.#publication.closed; at += SLICE_BYTES) {
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      count.bytes += slice.length;
      count.barren += slice.length;
      this.#reader.push(slice);
      this.#judge();
    }
  }

  /** Nothing follows: what is under way goes out, and the publication ends. Safe to call twice. */
  end(reason: string): void {
    if (!this.#publication.closed) this.#reader.end();
    this.close(reason);
  }

  /** The publisher is gone. Safe to call twice. */
  close(reason: string): void {
    if (this.#publication.closed) return;
    this.#publication.close(reason);
    this.#release(reason);
  }

  /** True once pictures or sound have come. */
  get begun(): boolean {
    return this.#now !== undefined;
  }

  /** Bytes that came. */
  get bytes(): number {
    return this.#count.bytes;
  }

  #register(
    stream: StreamName,
    peer: TsPeer,
    { sessions, log, clock }: TsPublisherDeps,
  ): (reason: string) => void {
    const since = clock.now();
    const { protocol, address } = peer;
    const figures = () => {
      const { bytes, faults } = this.#count;
      return { bytes, skips: 0, dropped: faults + this.#publication.dropped, backlog: 0 };
    };
    const session = sessions.add({
      kind: 'publisher',
      protocol,
      stream,
      address,
      figures,
      close: (reason) => this.#publication.revoke(reason),
    });
    const told = { session: session.id, stream, protocol, address };
    log('publisher came', told);
    return (reason) => {
      session.remove();
      const { bytes, dropped } = figures();
      const seconds = Math.round((clock.now() - since) / 1000);
      log('publisher left', { ...told, reason, seconds, bytes, dropped, fault: this.#lastFault });
    };
  }

  #judge(): void {
    const { barren, inARow, program } = this.#count;
    if (inARow >= MAX_FAULTS_IN_A_ROW && this.#failure === undefined) {
      this.#failure = new ParseError(
        'TS_LIMIT',
        CLAUSE,
        `${inARow} faults in a row, the last ${this.#lastFault}`,
      );
    }
    const most = program ? MAX_BYTES_TO_SAMPLE : MAX_BYTES_TO_PROGRAM;
    if (barren > most && this.#failure === undefined) {
      const what = program ? 'pictures and sound' : 'a program';
      this.#failure = new ParseError('TS_LIMIT', CLAUSE, `${most} bytes without ${what}`);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #program(streams: readonly { readonly pid: number; readonly kind: 'video' | 'audio' }[]): void {
    this.#count.program = true;
    // The place of a stream that is gone is free for the one that comes instead.
    for (const pid of this.#ids.keys()) if (!streams.some((one) => one.pid === pid)) this.#ids.delete(pid);
    const has = (kind: string): boolean => streams.some((one) => one.kind === kind);
    if (streams.length > 0) this.#publication.promise({ video: has('video'), audio: has('audio') });
    else {
      const message = 'no stream of the program has a codec that is taken';
      this.#failure = new ParseError('TS_CODEC_UNSUPPORTED', 'ISO/IEC 13818-1 Table 2-34', message);
    }
  }

  #track(track: Track): void {
    const id = this.#ids.get(track.id) ?? this.#newId(track);
    this.#ids.set(track.id, id);
    const own: Track = { ...track, id };
    for (const known of this.#tracks.keys()) if (known.id === track.id) this.#tracks.delete(known);
    this.#tracks.set(track, own);
    this.#publication.setTrack(own);
  }

  /** Odd for pictures and even for sound, the first of each 1 and 2, as with other publishers. */
  #newId({ parameters }: Track): number {
    const first = parameters.kind === 'video' ? 1 : 2;
    let id = first;
    const taken = new Set(this.#ids.values());
    while (taken.has(id)) id += 2;
    return id;
  }

  #sample(sample: Sample): void {
    const track = this.#tracks.get(sample.track);
    if (track === undefined) return;
    const { dts, pts, duration, keyframe, data } = sample;
    this.#count.barren = 0;
    this.#count.inARow = 0;
    this.#publication.push({ track, dts, pts, duration, keyframe, data });
    this.#now = rescale(pts, track.timebase, MICROSECONDS);
    if (this.#early.length === 0 || this.#publication.sourceOffset === undefined) return;
    this.#early = this.#early.filter((one) => !this.#settle(one));
  }

  #tag(tag: Uint8Array, time: number): void {
    if (tag.length > MAX_METADATA_BYTES) {
      this.#fault(new ParseError('TS_LIMIT', 'ID3v2.4 §3.1', `a tag of ${tag.length} bytes`));
      return;
    }
    this.#whenTimed(() => this.#events.ofTag(tag, time));
  }

  /** Tells events once there is a timeline that they fit, which may be now. */
  #whenTimed(read: Early['read']): void {
    const one: Early = { read, left: EARLY_SAMPLES };
    if (this.#settle(one)) return;
    if (this.#early.length < MAX_EARLY) this.#early.push(one);
    else this.#count.faults++;
  }

  /** True if nothing is left to do. */
  #settle(one: Early): boolean {
    const now = this.#now;
    if (now === undefined || this.#publication.sourceOffset === undefined) return false;
    try {
      const events = one.read(now);
      if (one.left-- > 0 && events.some(({ at }) => Math.abs(at - now) > FAR_US)) return false;
      for (const { draft, at } of events) this.#publication.announce(draft, at);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#fault(error);
    }
    return true;
  }

  #fault(error: ParseError): void {
    // A stream beside the others that is of no use is nothing wrong.
    if (error.code === 'TS_CODEC_UNSUPPORTED') return;
    this.#count.faults++;
    this.#count.inARow++;
    this.#lastFault = error.code;
  }
}

const CLAUSE = 'ISO/IEC 13818-1 §2.4';
