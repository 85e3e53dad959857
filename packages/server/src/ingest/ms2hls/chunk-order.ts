import { mkdirSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendFile, writeWhole } from '../../disk/index.ts';
import type { Clock } from '../../hub/index.ts';
import { CHUNK_JOURNAL } from '../upload/uploads.ts';

/** Chunks that may wait for a missing one. */
export const MAX_WAITING = 256;
/** Octets that may wait for a missing chunk. */
export const MAX_WAITING_BYTES = 512 * 1024 * 1024;
/** Folder of the chunks that wait. */
const WAITING_FOLDER = 'waiting';

/** How long a disk that takes nothing is left alone, in milliseconds. */
const RETRY_MS = 1_000;

/** Who takes the chunks in order. */
export interface ChunkTaker {
  /** Takes a chunk, which is its own from then on. */
  take(bytes: Uint8Array): Promise<void>;
  /** Brings what it took to the disk; resolves with the octets there. */
  flush(): Promise<number>;
  /** A chunk will not come any more. */
  lost(): Promise<void>;
  /** True if it will take nothing any more. */
  over(): boolean;
}

/** What became of a chunk. */
export type ChunkAnswer = 'taken' | 'repeated' | 'late' | 'full';

/**
 * Numbered chunks in the order of their numbers, however they come. Each is on the disk before it is acknowledged:
 * in a folder of its own until its turn, then in the upload's spool. A journal tells which the spool has, so that a
 * restart neither loses nor repeats one.
 */
export class ChunkOrder {
  readonly #folder: string;
  readonly #taker: ChunkTaker;
  readonly #clock: Clock;
  readonly #gapMs: () => number;
  readonly #journal: AppendFile;
  /** Octets by number. */
  readonly #waiting: Map<number, number>;
  #next: number;
  #draining: Promise<void> = Promise.resolve();
  #cancelTimer: (() => void) | undefined;
  /** The chunk whose turn it is, once the taker has it, and once the journal tells so. */
  #given = { number: 0, noted: false };
  /** Why the next chunk could not be handed over, if it could not. */
  #failure: unknown;
  /** Numbers of which the media was given up. */
  readonly #missing = new Set<number>();

  private constructor(
    at: { readonly folder: string; readonly taker: ChunkTaker; readonly clock: Clock; gapMs(): number },
    journal: AppendFile,
    next: number,
    waiting: Map<number, number>,
  ) {
    this.#folder = at.folder;
    this.#taker = at.taker;
    this.#clock = at.clock;
    this.#gapMs = () => at.gapMs();
    this.#journal = journal;
    this.#next = next;
    this.#waiting = waiting;
  }

  /** Begins, or goes on with what is in the folder of the upload. */
  static async open(at: {
    readonly folder: string;
    readonly taker: ChunkTaker;
    readonly clock: Clock;
    gapMs(): number;
  }): Promise<ChunkOrder> {
    const waitingFolder = join(at.folder, WAITING_FOLDER);
    mkdirSync(waitingFolder, { recursive: true, mode: 0o700 });
    const path = join(at.folder, CHUNK_JOURNAL);
    const text = await readFile(path, 'utf8').catch(() => '');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const journal = new AppendFile(path, Buffer.byteLength(whole));
    const last = Number(whole.trimEnd().split('\n').at(-1)?.split(' ')[0] ?? 0);
    if (whole === '') journal.append(Buffer.from('0 0\n'));
    await journal.flush();
    const waiting = new Map<number, number>();
    for (const file of await readdir(waitingFolder)) {
      const number = Number(/^(\d{1,9})\.webm$/.exec(file)?.[1] ?? 0);
      if (number > last) waiting.set(number, (await stat(join(waitingFolder, file))).size);
      else await rm(join(waitingFolder, file), { force: true });
    }
    const order = new ChunkOrder(at, journal, last + 1, waiting);
    order.#drain();
    return order;
  }

  /** Number of the chunk whose turn it is. */
  get next(): number {
    return this.#next;
  }

  /** Takes a chunk, which is on the disk when this resolves with `taken`. @param number from 1 on. */
  async add(number: number, bytes: Uint8Array): Promise<ChunkAnswer> {
    if (this.#missing.has(number)) return 'late';
    if (number < this.#next || this.#waiting.has(number)) return 'repeated';
    let sum = bytes.length;
    for (const size of this.#waiting.values()) sum += size;
    if (this.#waiting.size >= MAX_WAITING || sum > MAX_WAITING_BYTES) return 'full';
    this.#waiting.set(number, bytes.length);
    try {
      await writeWhole(this.#fileOf(number), bytes);
    } catch (error) {
      this.#waiting.delete(number);
      throw error;
    }
    this.#drain();
    return 'taken';
  }

  /** Gives up what is missing and hands over all the rest. Rejects, and can be called again, if the disk refuses. */
  async finish(): Promise<void> {
    this.#cancelTimer?.();
    this.#drain();
    await this.#draining;
    for (let left = Infinity; this.#waiting.size > 0 && this.#waiting.size < left; ) {
      left = this.#waiting.size;
      this.#skip();
      await this.#draining;
    }
    if (this.#failure !== undefined && !this.#taker.over()) throw this.#failure;
    await this.close();
  }

  /** Stops; what waits stays on the disk. Safe to call twice. */
  async close(): Promise<void> {
    this.#cancelTimer?.();
    await this.#draining;
    this.#cancelTimer?.();
    await this.#journal.close();
  }

  #fileOf(number: number): string {
    return join(this.#folder, WAITING_FOLDER, `${number}.webm`);
  }

  #drain(): void {
    this.#draining = this.#draining.then(() => this.#handOver()).catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#cancelTimer?.();
    // If the upload has failed, nobody takes what waits.
    if (this.#taker.over()) this.#waiting.clear();
    else this.#cancelTimer = this.#clock.after(RETRY_MS, () => this.#drain());
  }

  async #handOver(): Promise<void> {
    this.#cancelTimer?.();
    this.#failure = undefined;
    for (;;) {
      const number = this.#next;
      const bytes = this.#waiting.has(number)
        ? await readFile(this.#fileOf(number)).catch(() => undefined)
        : undefined;
      // Its file is being written still; that ends with another call.
      if (bytes === undefined) break;
      if (this.#given.number !== number) {
        await this.#taker.take(new Uint8Array(bytes));
        this.#given = { number, noted: false };
      }
      if (!this.#given.noted) {
        const size = await this.#taker.flush();
        this.#journal.append(Buffer.from(`${number} ${size}\n`));
        this.#given.noted = true;
      }
      await this.#journal.flush();
      this.#waiting.delete(number);
      this.#next = number + 1;
      await rm(this.#fileOf(number), { force: true });
    }
    if (this.#waiting.size > 0 && !this.#waiting.has(this.#next)) {
      this.#cancelTimer = this.#clock.after(this.#gapMs(), () => this.#skip());
    }
  }

  /** Goes on with the first chunk there is. */
  #skip(): void {
    this.#draining = this.#draining
      .then(async () => {
        if (this.#waiting.size === 0 || this.#waiting.has(this.#next)) return;
        const first = Math.min(...this.#waiting.keys());
        await this.#taker.lost();
        for (let number = this.#next; number < first && this.#missing.size < 10_000; number++) {
          this.#missing.add(number);
        }
        this.#next = first;
      })
      .then(() => this.#handOver())
      .catch((error: unknown) => this.#fail(error));
  }
}
