import { concatBytes } from '@onair/media/bytes';
import { type Batch, BatchRing, PIECE_BYTES, socketBytes } from './batch-ring.ts';
import type { Clock } from './clock.ts';
import type { Envelope } from './envelope.ts';
import type { Block, FormatLog, LogEpoch, LogReader } from './format-log.ts';
import { AWAITS_START, Viewer, type ViewerEnd, type ViewerTransport } from './viewer.ts';

/** How a pump treats its viewers. */
export interface PumpPolicy {
  /** Writes are merged for this long, in milliseconds; 0 writes at every video frame. */
  readonly windowMs: number;
  /** A viewer that lags by more is moved to the newest independent block, in milliseconds. */
  readonly lagMs: number;
  /** A viewer that takes nothing for so long is closed, in milliseconds. */
  readonly stallMs: number;
}

/** Values that serve most installations. */
export const DEFAULT_PUMP_POLICY: PumpPolicy = { windowMs: 0, lagMs: 6_000, stallMs: 10_000 };

/**
 * Which media a pump lets through; set-up and notices always pass. `default` is the first track of each kind,
 * `audio` and `video` the first of that kind.
 */
export type PumpTracks = 'all' | 'default' | 'audio' | 'video';

/** What a pump reads, how it writes, and for whom. */
export interface PumpSource<C> {
  readonly log: FormatLog<C>;
  readonly envelope: Envelope<C>;
  readonly tracks: PumpTracks;
  readonly clock: Clock;
  policy(): PumpPolicy;
  /** The last viewer has left. */
  idle?(): void;
}

/** How a viewer comes. */
export interface JoinOptions {
  /** Go on behind this seq if the log still holds what follows and the epoch is still `epoch`. */
  readonly after?: number;
  /** Epoch the viewer's decoder is set up for already. */
  readonly epoch?: number;
  /** Notices in front of this seq were told already. */
  readonly told?: number;
}

/** Longest time audio waits for the next video frame in frame mode, in milliseconds. */
const AUDIO_WAIT_MS = 50;
/** Viewers served in one turn of the event loop; more would delay everybody's reads. */
const SLICE = 64;
/** The same while viewers come: their handshakes take several turns each, so turns are kept short. */
const SLICE_WHILE_JOINING = 16;
/** A viewer that joined so lately means that others are on their way, in milliseconds. */
const JOINING_MS = 1_000;
/** Most bytes a resuming viewer gets as a copy of its own. */
const MAX_RESUME_BYTES = 1024 * 1024;

/**
 * Wakes the viewers of a log together: joins what came within a window into one buffer and writes that same
 * buffer to everybody. A viewer holds no data; one that cannot take bytes is passed over and catches up from
 * the batches, or skips to the newest independent one.
 */
export class Pump<C> implements LogReader<C> {
  readonly #source: PumpSource<C>;
  readonly #viewers: Viewer[] = [];
  readonly #pending: Block<C>[] = [];
  readonly #ring = new BatchRing<C>();
  readonly #unfollow: () => void;
  #cancelSoon: (() => void) | undefined;
  #cancelLater: (() => void) | undefined;
  /** Viewers still to be served in this round, where the round goes on, and when somebody joined last. */
  readonly #round = { left: 0, at: 0, cancel: undefined as (() => void) | undefined, joinedAt: 0 };
  #closed = false;

  constructor(source: PumpSource<C>) {
    this.#source = source;
    const { log } = source;
    let bytes = 0;
    for (let seq = this.#primeFrom(); seq >= 0 && seq < log.end; seq++) {
      const block = log.at(seq)!;
      this.#enqueue(block);
      bytes += block.bytes.length;
      if (bytes >= PIECE_BYTES) {
        this.#cutBatch();
        bytes = 0;
      }
    }
    this.#cutBatch();
    this.#unfollow = log.follow(this);
  }

  /** True after the end of the stream; a new pump is needed for what may follow. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Viewers at present. */
  get size(): number {
    return this.#viewers.length;
  }

  /** Adds a viewer. It gets the newest group of pictures at once, or waits for one. */
  join(transport: ViewerTransport, options: JoinOptions = {}): Viewer {
    const viewer = new Viewer(
      transport,
      (self) => this.#service(self, this.#source.clock.now()),
      (self) => this.#leave(self),
    );
    if (this.#closed) {
      viewer.closed = true;
      transport.end('stream-ended');
      return viewer;
    }
    this.#viewers.push(viewer);
    viewer.nextSeq = options.told ?? 0;
    if (options.epoch !== undefined) {
      viewer.opened = true;
      viewer.epoch = options.epoch;
      if (options.after !== undefined) this.#resume(viewer, options.after, options.epoch);
    }
    this.#round.joinedAt = this.#source.clock.now();
    this.#service(viewer, this.#round.joinedAt);
    return viewer;
  }

  appended(block: Block<C>): void {
    if (!this.#accepts(block)) return;
    this.#enqueue(block);
    if (this.#cancelSoon !== undefined) return;
    const { windowMs } = this.#source.policy();
    // A notice is for now: no window holds it back. There are few of them.
    const alone = block.kind === 'notice';
    if (alone || (windowMs <= 0 && (block.video || block.kind !== 'media' || !this.#paced(block.epoch)))) {
      this.#cancelSoon = this.#source.clock.soon(() => this.flush());
    } else {
      this.#cancelLater ??= this.#source.clock.after(windowMs > 0 ? windowMs : AUDIO_WAIT_MS, () =>
        this.flush(),
      );
    }
  }

  ended(reason: string): void {
    this.flush();
    this.close(reason === 'server-stopping' ? 'server-stopping' : 'stream-ended');
  }

  /** Joins what is pending and serves the viewers. */
  flush(): void {
    this.#cancelTimers();
    this.#cutBatch();
    const idleRound = this.#round.left === 0;
    this.#round.left = this.#viewers.length;
    if (idleRound) this.#serve();
  }

  /** Ends every viewer's feed and lets the log go. */
  close(reason: ViewerEnd): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimers();
    this.#round.cancel?.();
    this.#unfollow();
    for (const viewer of [...this.#viewers]) {
      viewer.closed = true;
      viewer.transport.end(reason);
    }
    this.#viewers.length = 0;
    this.#ring.clear();
  }

  /** Serves a slice of the viewers in turn, so that thousands do not hold up the event loop. */
  #serve(): void {
    const now = this.#source.clock.now();
    const viewers = this.#viewers;
    const round = this.#round;
    round.cancel = undefined;
    const slice = now - round.joinedAt < JOINING_MS ? SLICE_WHILE_JOINING : SLICE;
    for (let served = 0; served < slice && round.left > 0; served++) {
      round.left--;
      if (round.at >= viewers.length) round.at = 0;
      const viewer = viewers[round.at++];
      if (viewer !== undefined) this.#service(viewer, now);
    }
    if (round.left > 0 && !this.#closed) round.cancel = this.#source.clock.soon(() => this.#serve());
  }

  #service(viewer: Viewer, now: number): void {
    const { transport } = viewer;
    if (viewer.paused || viewer.closed) return;
    if (transport.blocked) {
      viewer.blockedSince ??= now;
      if (now - viewer.blockedSince > this.#source.policy().stallMs) {
        viewer.close();
        transport.end('too-slow');
      }
      return;
    }
    viewer.blockedSince = undefined;
    const ring = this.#ring;
    if (viewer.position !== AWAITS_START) this.#skipIfLate(viewer);
    if (viewer.position === AWAITS_START && (!this.#start(viewer) || transport.blocked)) return;
    if (viewer.position >= ring.end) return;
    // Whether it is blocked was asked above: most rounds are one write, and asking again would be a part of its cost.
    do {
      const batch = ring.at(viewer.position);
      if (batch === undefined) {
        viewer.position = AWAITS_START;
        return;
      }
      const piece = viewer.position + 1 < ring.end ? ring.piece(viewer.position) : undefined;
      const last = piece === undefined ? batch : ring.at(piece.to - 1)!;
      viewer.position = piece === undefined ? viewer.position + 1 : piece.to;
      viewer.nextSeq = last.endSeq;
      viewer.epoch = last.epoch.number;
      this.#write(viewer, (piece ?? batch).bytes);
    } while (viewer.position < ring.end && !transport.blocked && !viewer.closed);
  }

  /** Sets a viewer on the newest group of pictures. False while there is none. */
  #start(viewer: Viewer): boolean {
    const batch = this.#ring.at(this.#ring.start);
    if (batch === undefined) return false;
    viewer.position = this.#ring.start;
    const { envelope } = this.#source;
    const opening = viewer.opened ? undefined : envelope.opening(batch.epoch);
    const config = viewer.epoch === batch.epoch.number ? undefined : envelope.config(batch.epoch);
    const from = viewer.nextSeq;
    viewer.opened = true;
    viewer.epoch = batch.epoch.number;
    if (opening !== undefined && config !== undefined) this.#write(viewer, concatBytes([opening, config]));
    else if (opening !== undefined) this.#write(viewer, opening);
    else if (config !== undefined) this.#write(viewer, config);
    const missed = this.#source.log.standing(from, batch.firstSeq, batch.time);
    if (missed.length > 0) this.#write(viewer, envelope.batch(missed));
    return true;
  }

  /** Moves a viewer that is too far behind to where the newest group of pictures starts, if that is ahead. */
  #skipIfLate(viewer: Viewer): void {
    const ring = this.#ring;
    const batch = ring.at(viewer.position);
    const newest = ring.at(ring.end - 1);
    const gone = batch === undefined && viewer.position < ring.end;
    const late =
      batch !== undefined &&
      newest !== undefined &&
      newest.time - batch.time > this.#source.policy().lagMs * 1000;
    if (!gone && !late) return;
    const target = ring.at(ring.start);
    if (target === undefined || ring.start <= viewer.position) {
      if (gone) viewer.position = AWAITS_START;
      return;
    }
    const blocks = Math.max(0, target.firstSeq - viewer.nextSeq);
    viewer.counters.skips++;
    viewer.counters.skippedBlocks += blocks;
    viewer.transport.skipped?.(blocks);
    viewer.position = AWAITS_START;
  }

  #resume(viewer: Viewer, after: number, epoch: number): void {
    this.#cutBatch();
    const { log, envelope } = this.#source;
    const first = log.at(after + 1);
    const newest = this.#ring.at(this.#ring.end - 1);
    if (first === undefined || newest === undefined || first.epoch.number !== epoch) return;
    const blocks: Block<C>[] = [];
    let bytes = 0;
    for (let seq = after + 1; seq < newest.endSeq; seq++) {
      const block = log.at(seq)!;
      if (this.#accepts(block)) blocks.push(block);
      bytes += block.bytes.length;
      if (bytes > MAX_RESUME_BYTES) return;
    }
    viewer.epoch = newest.epoch.number;
    viewer.position = this.#ring.end;
    viewer.nextSeq = newest.endSeq;
    if (blocks.length > 0) this.#write(viewer, envelope.batch(blocks));
  }

  #write(viewer: Viewer, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    viewer.counters.bytes += bytes.length;
    viewer.counters.writes++;
    viewer.transport.write(bytes);
  }

  #enqueue(block: Block<C>): void {
    if (!this.#accepts(block)) return;
    // Where a viewer can start, a batch starts; without video that is everywhere, and merging matters more.
    if (block.independent && this.#pending.length > 0 && this.#paced(block.epoch)) this.#cutBatch();
    this.#pending.push(block);
  }

  #cutBatch(): void {
    const pending = this.#pending;
    const head = pending[0];
    if (head === undefined) return;
    const paced = this.#paced(head.epoch);
    const batch: Batch<C> = {
      epoch: head.epoch,
      firstSeq: head.seq,
      endSeq: pending[pending.length - 1]!.seq + 1,
      independent: paced ? head.independent : head.kind === 'media',
      time: head.time,
      bytes: socketBytes(this.#source.envelope.batch(pending)),
    };
    pending.length = 0;
    this.#ring.push(batch, paced, this.#source.policy().lagMs * 1000, this.#source.log.start);
  }

  /** Where the batches of a new pump begin: at the newest place a viewer can start, or -1. */
  #primeFrom(): number {
    const { log } = this.#source;
    const newest = log.newestIndependent;
    if (newest < 0) return -1;
    const end = log.at(log.end - 1)!;
    if (this.#paced(end.epoch)) return newest;
    let from = newest;
    while (from > log.start && log.at(from)!.epoch === end.epoch && end.time - log.at(from)!.time < 1_000_000)
      from--;
    return from;
  }

  #accepts(block: Block<C>): boolean {
    const { tracks } = this.#source;
    if (tracks === 'all' || block.kind !== 'media') return true;
    if (tracks !== 'default' && block.video !== (tracks === 'video')) return false;
    const kind = block.video ? 'video' : 'audio';
    const first = block.epoch.tracks.find((track) => track.parameters.kind === kind);
    return first === undefined || first.id === block.track;
  }

  /** True if video frames set the rhythm, so that viewers can start at keyframes only. */
  #paced(epoch: LogEpoch<C>): boolean {
    return this.#source.tracks !== 'audio' && epoch.tracks[0]?.parameters.kind === 'video';
  }

  #cancelTimers(): void {
    this.#cancelSoon?.();
    this.#cancelLater?.();
    this.#cancelSoon = undefined;
    this.#cancelLater = undefined;
  }

  #leave(viewer: Viewer): void {
    const at = this.#viewers.indexOf(viewer);
    if (at < 0) return;
    const last = this.#viewers.pop()!;
    if (last !== viewer) this.#viewers[at] = last;
    if (this.#viewers.length === 0) this.#source.idle?.();
  }
}
