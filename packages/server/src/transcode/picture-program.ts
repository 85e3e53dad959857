import { type ChildProcess, spawn } from 'node:child_process';
import { type Sample, type Track, ticks, type VideoParameters } from '@onair/media';
import { WebmMuxer } from '@onair/media/webm';
import { argumentsFor, type PictureTarget, pictureReader, type ReadPicture } from './picture-format.ts';

/** Pictures that the program may hold, a publisher's whole group of pictures at the start included … */
export const MAX_PICTURES_INSIDE = 600;
/** … octets that may wait for it … */
export const MAX_OCTETS_WAITING = 16 * 1024 * 1024;
/** … and how long the oldest picture may be inside, in milliseconds. Beyond any of them it is too slow. */
export const MAX_INSIDE_MS = 4_000;
/** So many pictures a decoder holds back, however long none comes, until it knows what is shown before them. */
const MAX_REORDERED = 32;
/** Octets of the program's complaints that are kept. */
const MAX_COMPLAINT = 2_048;
/** Pictures of another codec, as {@link PictureProgram} makes them. */
export interface MadePicture {
  readonly parameters: VideoParameters;
  readonly keyframe: boolean;
  /** Presentation and decoding time in ticks of the source's track. */
  readonly time: number;
  readonly data: Uint8Array;
}

/** Who takes what a program makes. */
export interface PictureListener {
  picture(picture: MadePicture): void;
  /** Nothing will come any more. Not called after {@link PictureProgram.close}. */
  failed(reason: string): void;
  /** All that went in has come out; after {@link PictureProgram.end} only, in place of `failed`. */
  ended?(): void;
}

/** How a program is run. */
export interface PictureProgramOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Name or path of ffmpeg. */
  readonly program: string;
  /** The first picture that is wanted, in milliseconds behind the first that goes in; those before it only lead to it. */
  readonly fromMs?: number;
}

/**
 * A running `ffmpeg` that turns the pictures of one track into another codec, in the order of
 * showing: Matroska goes in, FLV or IVF comes out, picture by picture. The child is this object's.
 */
export class PictureProgram {
  readonly #child: ChildProcess;
  readonly #track: Track;
  readonly #listener: PictureListener;
  readonly #muxer: WebmMuxer;
  readonly #now: () => number;
  #ending = false;
  /** Times of the pictures inside, by the milliseconds under which they went in, and when. */
  readonly #inside = new Map<number, { readonly time: number; readonly since: number }>();
  #base: number | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #complaint = '';
  #over = false;

  constructor(
    track: Track,
    target: PictureTarget,
    listener: PictureListener,
    { now, program, fromMs }: PictureProgramOptions,
  ) {
    this.#track = track;
    this.#listener = listener;
    this.#now = now;
    this.#muxer = new WebmMuxer([track]);
    const child = spawn(program, argumentsFor(track, target, fromMs), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    // Of a program that is not there, or ends: `close` tells.
    child.on('error', (error: NodeJS.ErrnoException) => {
      this.#complaint =
        error.code === 'ENOENT' ? `${program} is not on the PATH of the server` : error.message;
    });
    child.stdin!.on('error', () => undefined);
    child.stderr!.on('data', (part) => {
      this.#complaint = (this.#complaint + String(part)).slice(-MAX_COMPLAINT);
    });
    child.on('close', (code) => {
      if (this.#ending && code === 0) this.#ended();
      else this.#fail(lastLine(this.#complaint) ?? 'ffmpeg ended');
    });
    this.#read(target);
    child.stdin!.write(this.#muxer.header());
  }

  /** True if more is inside than a program that keeps up with real time has. */
  get behind(): boolean {
    const oldest = this.#inside.values().next().value;
    return (
      this.#inside.size > MAX_PICTURES_INSIDE ||
      this.#child.stdin!.writableLength > MAX_OCTETS_WAITING ||
      (oldest !== undefined &&
        this.#inside.size > MAX_REORDERED &&
        this.#now() - oldest.since > MAX_INSIDE_MS)
    );
  }

  /** Hands over a picture of the track; those of one track come in decoding order. */
  push(sample: Sample): void {
    if (this.#over) return;
    this.#base ??= sample.dts;
    const pts = sample.pts - this.#base;
    // Shown before the first key frame: it cannot be decoded.
    if (pts < 0) return;
    const key = Math.round((pts * 1000) / this.#track.timebase);
    this.#inside.set(key, { time: sample.pts, since: this.#now() });
    this.#child.stdin!.write(
      this.#muxer.push({
        ...sample,
        track: this.#track,
        dts: ticks(sample.dts - this.#base),
        pts: ticks(pts),
      }),
    );
  }

  /** Nothing more goes in: what is inside comes out, and then the listener is told. */
  end(): void {
    this.#ending = true;
    this.#child.stdin!.end();
  }

  /** Ends the program at once. Safe to call twice. */
  close(): void {
    this.#over = true;
    this.#inside.clear();
    this.#child.kill('SIGKILL');
  }

  #read(target: PictureTarget): void {
    const push = pictureReader(target, (picture) => this.#made(picture));
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      if (this.#over) return;
      try {
        push(chunk);
      } catch (error) {
        this.#fail(String(error));
      }
    });
  }

  #made({ parameters, keyframe, ms, data }: ReadPicture): void {
    if (this.#over) return;
    const found = this.#inside.get(ms);
    // What is older has come out, or never will.
    for (const key of this.#inside.keys()) if (key <= ms) this.#inside.delete(key);
    const time = found?.time ?? Math.round((ms * this.#track.timebase) / 1000) + (this.#base ?? 0);
    if (time <= this.#last) return;
    this.#last = time;
    this.#listener.picture({ parameters, keyframe, time, data });
  }

  #ended(): void {
    if (this.#over) return;
    this.close();
    this.#listener.ended?.();
  }

  #fail(reason: string): void {
    if (this.#over) return;
    this.close();
    this.#listener.failed(reason);
  }
}

function lastLine(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .at(-1);
}
