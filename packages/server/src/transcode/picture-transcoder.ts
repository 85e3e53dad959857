import { availableParallelism } from 'node:os';
import type { Sample, Track } from '@onair/media';
import type { Cut, Stream, StreamSink, StreamState } from '../hub/index.ts';
import type { PictureTarget } from './picture-format.ts';
import { type MadePicture, type PictureListener, PictureProgram } from './picture-program.ts';

/** Pictures since the last key frame that are kept for outputs that come later. */
const MAX_KEPT = 600;

/** How a transcoder works; asked at each start of a program. */
export interface PictureSettings {
  readonly enabled: boolean;
  /** Name or path of `ffmpeg`. */
  readonly program: string;
  /** Programs at one time, each of which may take a core; the machine's cores if left out. */
  readonly maxStreams?: number | undefined;
}

/** Turns pictures into another codec: one program for each track and codec, however many outputs want it. */
export class PictureTranscoder {
  readonly #settings: () => PictureSettings;
  readonly #jobs = new Set<PictureJob>();
  #left = 0;

  constructor(settings: () => PictureSettings) {
    this.#settings = settings;
  }

  /** Programs that run. */
  get running(): number {
    return this.#jobs.size;
  }

  /** Pictures left out because a program is slower than real time. */
  get left(): number {
    return this.#left;
  }

  /**
   * Gives `listener` the track's pictures from the last key frame on; the program is started if it does not run, and
   * ends with its last listener. The returned function takes the listener off.
   */
  open(stream: Stream, track: Track, target: PictureTarget, listener: PictureListener): () => void {
    let job = [...this.#jobs].find((one) => one.serves(stream, track, target));
    if (job === undefined) {
      const { enabled, program, maxStreams } = this.#settings();
      const most = maxStreams ?? Math.max(2, availableParallelism());
      if (!enabled || this.#jobs.size >= most) {
        listener.failed(enabled ? `${most} streams are being turned already` : 'this server is set not to');
        return () => undefined;
      }
      try {
        job = this.#begin(stream, track, target, program);
      } catch (error) {
        // Of a machine that has no more files or memory.
        listener.failed(error instanceof Error ? error.message : String(error));
        return () => undefined;
      }
    }
    return job.join(listener);
  }

  #begin(stream: Stream, track: Track, target: PictureTarget, program: string): PictureJob {
    const job: PictureJob = new PictureJob(stream, track, target, {
      program,
      over: () => this.#jobs.delete(job),
      left: () => this.#left++,
    });
    this.#jobs.add(job);
    job.start();
    return job;
  }

  /** Ends every program. */
  close(): void {
    for (const job of [...this.#jobs]) job.close();
  }
}

/** What a job needs of its transcoder. */
interface JobOwner {
  readonly program: string;
  over(): void;
  left(): void;
}

/** One track on its way through a program. */
class PictureJob implements StreamSink {
  readonly #stream: Stream;
  readonly #track: Track;
  readonly #program: PictureProgram;
  readonly #target: PictureTarget;
  readonly #owner: JobOwner;
  readonly #listeners = new Set<PictureListener>();
  readonly #kept: MadePicture[] = [];
  #unsubscribe: (() => void) | undefined;
  /** Decoding time of the newest picture seen. */
  #last = Number.NEGATIVE_INFINITY;
  /** Pictures are left out until the next key frame. */
  #shedding = true;
  #over = false;

  constructor(stream: Stream, track: Track, target: PictureTarget, owner: JobOwner) {
    this.#stream = stream;
    this.#track = track;
    this.#target = target;
    this.#owner = owner;
    const listener: PictureListener = {
      picture: (picture) => this.#made(picture),
      failed: (reason) => this.#failed(reason),
    };
    const { program } = owner;
    this.#program = new PictureProgram(track, target, listener, { now: () => performance.now(), program });
  }

  /** Begins with the stream's last key frame. */
  start(): void {
    this.#unsubscribe = this.#stream.subscribe(this);
    if (this.#over) this.#unsubscribe();
  }

  serves(stream: Stream, track: Track, target: PictureTarget): boolean {
    return stream === this.#stream && track === this.#track && target === this.#target;
  }

  join(listener: PictureListener): () => void {
    for (const picture of this.#kept) listener.picture(picture);
    this.#listeners.add(listener);
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.close();
    };
  }

  cut({ epoch }: Cut): void {
    if (!epoch.tracks.includes(this.#track)) this.close();
  }

  sample(sample: Sample): void {
    if (sample.track.id !== this.#track.id || this.#over || sample.dts <= this.#last) return;
    this.#last = sample.dts;
    if (this.#program.behind && !this.#shedding) {
      this.#shedding = true;
      this.#stream.warn(
        'PICTURES_LEFT_OUT',
        'Turning the pictures into another codec is slower than real time here, so some are left out.',
      );
    }
    if (this.#shedding && (!sample.keyframe || this.#program.behind)) {
      this.#owner.left();
      return;
    }
    this.#shedding = false;
    this.#program.push(sample);
  }

  state(state: StreamState): void {
    if (state === 'ended') this.close();
  }

  /** Ends the program. Safe to call twice. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unsubscribe?.();
    this.#program.close();
    this.#kept.length = 0;
    this.#owner.over();
  }

  #made(picture: MadePicture): void {
    if (picture.keyframe || this.#kept.length >= MAX_KEPT) this.#kept.length = 0;
    if (picture.keyframe || this.#kept.length > 0) this.#kept.push(picture);
    for (const listener of [...this.#listeners]) listener.picture(picture);
  }

  #failed(reason: string): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    this.close();
    for (const listener of listeners) listener.failed(reason);
  }
}
