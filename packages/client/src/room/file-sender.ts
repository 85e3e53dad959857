import { FILE_PART_BYTES, type PartRange } from '@onair/contracts/rooms';
import { partCount } from './file-parts.ts';

/** A way for parts of a file. */
export interface PartWay {
  /** Takes a part; resolves once there is room for another. Rejects when the way is gone. */
  send(index: number, data: Uint8Array): Promise<void>;
  /** Closes it. Safe to call twice. */
  close(): void;
}

/** What a {@link FileSender} tells. */
export interface FileSenderEvents {
  /** All parts that were asked for went out. */
  sent(): void;
  progress(bytes: number): void;
  failed(): void;
}

/** Sends one file to one receiver, and again what got lost. */
export class FileSender {
  readonly #file: Blob;
  readonly #way: PartWay;
  readonly #events: FileSenderEvents;
  #wanted: PartRange[];
  #running = false;
  #over = false;

  /** The sender owns `way`. */
  constructor(file: Blob, way: PartWay, events: FileSenderEvents) {
    this.#file = file;
    this.#way = way;
    this.#events = events;
    this.#wanted = [[0, partCount(file.size) - 1]];
    void this.#run();
  }

  /** The receiver says what it does not have. */
  again(parts: readonly PartRange[]): void {
    const last = partCount(this.#file.size) - 1;
    const ranges = parts.filter(([, end]) => end <= last);
    // While it still runs the report may be older than what is on its way.
    if (this.#over || this.#running || ranges.length === 0) return;
    this.#wanted = ranges;
    void this.#run();
  }

  /** Ends it. Safe to call twice. */
  close(): void {
    this.#over = true;
    this.#way.close();
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      for (const [first, last] of this.#wanted) {
        for (let index = first; index <= last && !this.#over; index++) {
          const from = index * FILE_PART_BYTES;
          const data = await this.#file.slice(from, from + FILE_PART_BYTES).arrayBuffer();
          if (this.#over) return;
          await this.#way.send(index, new Uint8Array(data));
          this.#events.progress(Math.min(from + data.byteLength, this.#file.size));
        }
      }
      this.#running = false;
      if (!this.#over) this.#events.sent();
    } catch {
      this.#running = false;
      if (this.#over) return;
      this.close();
      this.#events.failed();
    }
  }
}
