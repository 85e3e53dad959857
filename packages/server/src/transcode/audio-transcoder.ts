import { Worker } from 'node:worker_threads';
import type { AudioParameters } from '@onair/media';
import type { BridgedCodec, FromWorker, ToWorker } from './protocol.ts';

/** What one line of work tells. */
export interface LineListener {
  /** @param time in ticks of 48 kHz. */
  packet(time: number, data: Uint8Array): void;
  /** Nothing will come any more. */
  failed(reason: string): void;
}

/** One stream's sound on its way through the worker. */
export interface TranscoderLine {
  /**
   * Hands a packet over, or leaves it out if too much waits already.
   * @param time in ticks of 48 kHz. @param past it was there before the line was: such come all at once.
   */
  push(time: number, data: Uint8Array, past?: boolean): boolean;
  /** Packets that wait or are being worked on. */
  readonly waiting: number;
  close(): void;
}

/** Packets of one line that may wait: two seconds of Opus at 20 ms. */
export const MAX_WAITING = 100;
/** Packets that may wait besides, of those that were there before the line was. */
const MAX_PAST = 1_000;
/** Packets that may wait behind such. */
const MAX_BEHIND_PAST = 250;

interface Open {
  readonly listener: LineListener;
  waiting: number;
  /** Those of the past that wait; they are the first. */
  past: number;
}

/** Turns AAC into Opus and back in a worker thread, which runs while there is work. */
export class AudioTranscoder {
  readonly #open = new Map<number, Open>();
  #worker: Worker | undefined;
  #next = 1;
  #left = 0;

  /** Packets that were left out because the worker is slower than real time. */
  get left(): number {
    return this.#left;
  }

  /** Begins a line; the thread is started if it does not run. @param from the source's parameters. */
  open(to: BridgedCodec, from: AudioParameters, listener: LineListener): TranscoderLine {
    const id = this.#next++;
    const entry: Open = { listener, waiting: 0, past: 0 };
    this.#open.set(id, entry);
    const { description, sampleRate, channels } = from;
    this.#post({ kind: 'open', id, to, description, sampleRate, channels });
    return {
      get waiting() {
        return entry.past + entry.waiting;
      },
      push: (time, data, past = false) => {
        if (!this.#open.has(id)) return false;
        const old = past && entry.waiting === 0;
        const most = entry.past > 0 ? MAX_BEHIND_PAST : MAX_WAITING;
        if (old ? entry.past >= MAX_PAST : entry.waiting >= most) {
          this.#left++;
          return false;
        }
        if (old) entry.past++;
        else entry.waiting++;
        this.#post({ kind: 'packet', id, time, data });
        return true;
      },
      close: () => {
        if (!this.#open.delete(id)) return;
        this.#post({ kind: 'close', id });
        if (this.#open.size === 0) this.#stop();
      },
    };
  }

  /** Ends every line and the thread. */
  close(): void {
    this.#open.clear();
    this.#stop();
  }

  #post(message: ToWorker): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(entryFile());
    worker.unref();
    worker.on('message', (message: FromWorker) => {
      const entry = this.#open.get(message.id);
      if (entry === undefined) return;
      if (message.kind === 'packet') entry.listener.packet(message.time, message.data);
      else if (message.kind === 'done') {
        if (entry.past > 0) entry.past--;
        else entry.waiting--;
      } else this.#fail(message.id, entry, message.reason);
    });
    worker.on('error', (error) => this.#died(worker, error.message));
    worker.on('exit', () => this.#died(worker, 'the thread ended'));
    return worker;
  }

  #died(worker: Worker, reason: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    for (const [id, entry] of [...this.#open]) this.#fail(id, entry, reason);
  }

  #fail(id: number, { listener }: Open, reason: string): void {
    this.#open.delete(id);
    listener.failed(reason);
  }

  #stop(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }
}

/** A thread takes compiled code only; where this runs from its source, the build's. */
function entryFile(): URL {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new URL('../transcode/audio-worker.js', here);
  return new URL('../../dist/transcode/audio-worker.js', here);
}
