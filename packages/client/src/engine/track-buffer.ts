import { AppendQueue, type AppendQueueOwner } from './append-queue.ts';
import type { BufferPort } from './ports.ts';
import { type Span, spansOf } from './ranges.ts';

/** A track as the source announces it. */
export interface EngineTrack {
  /** Id the chunks carry. */
  readonly id: number;
  readonly kind: 'video' | 'audio';
  /** MIME type with codecs. */
  readonly mime: string;
}

/** A piece of media of one track. `bytes` belongs to the engine from now on. */
export interface EngineChunk {
  readonly track: number;
  /** `moof` and `mdat`. */
  readonly bytes: Uint8Array;
  /** Presentation time of the first sample, seconds of stream time. */
  readonly start: number;
  /** Seconds; 0 if unknown. */
  readonly duration: number;
  /** Decoding can start here. */
  readonly entry: boolean;
}

/** A step back in time beyond this many seconds is a new timeline, not reordering. */
const BACKWARDS = 2;

/** One kind of media (video or audio) on its way into its source buffer. */
export class TrackBuffer {
  readonly kind: 'video' | 'audio';
  readonly #queue: AppendQueue;
  #track: EngineTrack;
  #port: BufferPort | undefined;
  #hasInit = false;
  #needsEntry = true;
  #latest: number | undefined;
  #chunkDuration = 0;

  constructor(track: EngineTrack, owner: Pick<AppendQueueOwner, 'position' | 'done' | 'failed'>) {
    this.kind = track.kind;
    this.#track = track;
    this.#queue = new AppendQueue(track.mime, {
      position: () => owner.position(),
      done: (label) => owner.done(label),
      failed: (error) => owner.failed(error),
      dropped: () => {
        this.#needsEntry = true;
      },
    });
  }

  /** The track whose chunks are taken. */
  get track(): EngineTrack {
    return this.#track;
  }

  /** Start of the newest chunk in seconds, undefined before the first. */
  get latest(): number | undefined {
    return this.#latest;
  }

  /** Longest recent chunk in seconds: how coarsely media comes in. */
  get chunkDuration(): number {
    return this.#chunkDuration;
  }

  /** What the source buffer holds. */
  get spans(): Span[] {
    return this.#port === undefined ? [] : spansOf(this.#port.buffered);
  }

  /** The source buffer is there. */
  attach(port: BufferPort): void {
    this.#port = port;
    this.#queue.attach(port);
  }

  /** Chunks of `track` from now on; its init segment follows. */
  follow(track: EngineTrack): void {
    this.#track = track;
    this.#needsEntry = true;
  }

  /** Sets up the decoder for the track followed. */
  init(bytes: Uint8Array): void {
    this.#hasInit = true;
    this.#needsEntry = true;
    this.#queue.init(this.#track.mime, bytes);
  }

  /** True if `chunk` belongs to a timeline that begins again. */
  isNewTimeline(chunk: EngineChunk): boolean {
    return this.#latest !== undefined && chunk.start < this.#latest - BACKWARDS;
  }

  /** Takes a chunk; until the first one at which decoding can start they are left out. */
  append(chunk: EngineChunk): void {
    if (!this.#hasInit) return;
    const entry = chunk.entry || this.kind === 'audio';
    if (this.#needsEntry && !entry) return;
    this.#needsEntry = false;
    this.#latest = chunk.start;
    this.#chunkDuration = Math.max(chunk.duration, this.#chunkDuration * 0.98);
    this.#queue.append(chunk.bytes, entry ? chunk.start : undefined);
  }

  /** Lets go of the source buffer. */
  close(): void {
    this.#queue.close();
    this.#port = undefined;
  }
}
