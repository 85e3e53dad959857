import { ChunkCutter, type MediaChunk, type SeekableFile } from '@onair/media/file';

/** Where a file goes. */
export interface FileSink {
  /** Sends a chunk. Resolves when the next one may be sent; never rejects. */
  chunk(chunk: MediaChunk): Promise<void>;
  /** What follows begins at `start` seconds, as an answer to the seek `id`. */
  seeked(id: number, start: number): void;
  /** Bytes read so far, told now and then and before every wait. */
  read(bytes: number): void;
  ended(): void;
}

/** Milliseconds between two tellings of how much was read. */
const TELL_MS = 250;
/** Below any place of a file: nothing is wanted yet. */
const NOTHING = -1;

/**
 * Sends a file to one viewer, no faster than the viewer asks for it: up to the second that is wanted. While nothing is
 * wanted nothing is read.
 */
export class FileSender {
  readonly #file: SeekableFile;
  readonly #sink: FileSink;
  #until = NOTHING;
  #seek: { readonly id: number; readonly to: number } | undefined = { id: 0, to: 0 };
  #closed = false;
  #wake: (() => void) | undefined;
  #told = { bytes: 0, at: Number.NEGATIVE_INFINITY };

  constructor(file: SeekableFile, sink: FileSink) {
    this.#file = file;
    this.#sink = sink;
  }

  /** The viewer takes everything up to `until` seconds. */
  want(until: number): void {
    this.#until = until;
    this.#wake?.();
  }

  /** What follows begins at the keyframe at or before `to` seconds; nothing is wanted until it is said anew. */
  seek(id: number, to: number): void {
    this.#seek = { id, to };
    this.#until = NOTHING;
    this.#wake?.();
  }

  /** Stops {@link run}. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Sends until closed. @throws what reading the file throws. */
  async run(): Promise<void> {
    while (!this.#closed) {
      const seek = this.#seek;
      this.#seek = undefined;
      if (seek === undefined) await this.#woken();
      else if (await this.#send(seek.id, seek.to)) {
        this.#tell(true);
        this.#sink.ended();
      }
    }
  }

  /** True if the end was reached, false if something else is wanted. */
  async #send(id: number, to: number): Promise<boolean> {
    const cutter = new ChunkCutter();
    let begun = false;
    const send = async (chunk: MediaChunk): Promise<boolean> => {
      if (!begun) {
        begun = true;
        this.#sink.seeked(id, chunk.shown);
      }
      while (this.#goesOn && chunk.decoded > this.#until) {
        this.#tell(true);
        await this.#woken();
      }
      if (this.#goesOn) await this.#sink.chunk(chunk);
      return this.#goesOn;
    };
    if (!(await this.#wanted(to))) return false;
    for await (const batch of this.#file.from(to)) {
      if (!this.#goesOn) return false;
      this.#tell(false);
      for (const item of batch) {
        const chunk = item.kind === 'sample' ? cutter.push(item.sample) : undefined;
        if (chunk !== undefined && !(await send(chunk))) return false;
      }
    }
    for (const chunk of cutter.end()) if (!(await send(chunk))) return false;
    return this.#goesOn;
  }

  /** Waits until something from `to` on is wanted. */
  async #wanted(to: number): Promise<boolean> {
    while (this.#goesOn && this.#until < Math.min(to, this.#file.duration)) await this.#woken();
    return this.#goesOn;
  }

  get #goesOn(): boolean {
    return !this.#closed && this.#seek === undefined;
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  #tell(now: boolean): void {
    const bytes = this.#file.bytesRead();
    const at = performance.now();
    if (bytes === this.#told.bytes || (!now && at - this.#told.at < TELL_MS)) return;
    this.#told = { bytes, at };
    this.#sink.read(bytes);
  }
}
