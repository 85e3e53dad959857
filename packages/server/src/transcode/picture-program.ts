import { type ChildProcess, spawn } from 'node:child_process';
import { type Sample, type Track, ticks, type VideoParameters } from '@onair/media';
import { FlvReader, TagDemuxer } from '@onair/media/flv';
import { WebmMuxer } from '@onair/media/webm';

/** Pictures that the program may hold, a publisher's whole group of pictures at the start included … */
export const MAX_PICTURES_INSIDE = 600;
/** … octets that may wait for it … */
export const MAX_OCTETS_WAITING = 16 * 1024 * 1024;
/** … and how long the oldest picture may be inside, in milliseconds. Beyond any of them it is too slow. */
export const MAX_INSIDE_MS = 4_000;
/** Octets of the program's complaints that are kept. */
const MAX_COMPLAINT = 2_048;
/** Octets per second of the picture, and of the buffer that evens it out. */
const MAX_BITRATE = '6M';
/** Pictures without a key frame, if the source has none for so long. */
const MAX_GROUP = 300;

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
}

/**
 * A running `ffmpeg` that turns the pictures of one track into H.264 without B-frames: Matroska goes in, FLV comes out,
 * picture by picture. The child is this object's.
 */
export class PictureProgram {
  readonly #child: ChildProcess;
  readonly #track: Track;
  readonly #listener: PictureListener;
  readonly #muxer: WebmMuxer;
  readonly #now: () => number;
  /** Times of the pictures inside, by the milliseconds under which they went in, and when. */
  readonly #inside = new Map<number, { readonly time: number; readonly since: number }>();
  #base: number | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #complaint = '';
  #over = false;

  /** @param now milliseconds of a clock that never goes back. */
  constructor(track: Track, listener: PictureListener, now: () => number, program = 'ffmpeg') {
    this.#track = track;
    this.#listener = listener;
    this.#now = now;
    this.#muxer = new WebmMuxer([track]);
    const child = spawn(program, argumentsFor(track), { stdio: ['pipe', 'pipe', 'pipe'] });
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
    child.on('close', () => this.#fail(lastLine(this.#complaint) ?? 'ffmpeg ended'));
    this.#read();
    child.stdin!.write(this.#muxer.header());
  }

  /** True if more is inside than a program that keeps up with real time has. */
  get behind(): boolean {
    const oldest = this.#inside.values().next().value;
    return (
      this.#inside.size > MAX_PICTURES_INSIDE ||
      this.#child.stdin!.writableLength > MAX_OCTETS_WAITING ||
      (oldest !== undefined && this.#now() - oldest.since > MAX_INSIDE_MS)
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

  /** Ends the program at once. Safe to call twice. */
  close(): void {
    this.#over = true;
    this.#inside.clear();
    this.#child.kill('SIGKILL');
  }

  #read(): void {
    const reader = new FlvReader();
    const tags = new TagDemuxer({
      onTrack: () => undefined,
      onSample: (sample) => this.#made(sample),
      onMetadata: () => undefined,
      onDataEvent: () => undefined,
    });
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      if (this.#over) return;
      try {
        reader.push(chunk);
        for (let item = reader.next(); item !== undefined && !this.#over; item = reader.next())
          if (item.kind === 'tag') tags.push(item.tag);
      } catch (error) {
        this.#fail(String(error));
      }
    });
  }

  #made({ track, pts, keyframe, data }: Sample): void {
    const { parameters } = track;
    if (parameters.kind !== 'video') return;
    const ms = Math.round((pts * 1000) / track.timebase);
    const found = this.#inside.get(ms);
    // What is older has come out, or never will.
    for (const key of this.#inside.keys()) if (key <= ms) this.#inside.delete(key);
    const time = found?.time ?? Math.round((ms * this.#track.timebase) / 1000) + (this.#base ?? 0);
    if (time <= this.#last) return;
    this.#last = time;
    this.#listener.picture({ parameters, keyframe, time, data });
  }

  #fail(reason: string): void {
    if (this.#over) return;
    this.close();
    this.#listener.failed(reason);
  }
}

function argumentsFor({ parameters }: Track): string[] {
  const { width, height } = parameters as VideoParameters;
  // A picture that changes its size keeps the first one's for the viewers; halves of colour need even numbers.
  const size = width > 1 && height > 1 ? `${width & ~1}:${height & ~1}` : 'trunc(iw/2)*2:trunc(ih/2)*2';
  return [
    ...['-v', 'error', '-nostdin', '-protocol_whitelist', 'pipe'],
    // Nothing is to be looked at in advance, and no thread may hold pictures back.
    ...[
      '-probesize',
      '32',
      '-analyzeduration',
      '0',
      '-threads',
      '1',
      '-copyts',
      '-f',
      'matroska',
      '-i',
      'pipe:0',
    ],
    ...['-map', '0:v:0', '-vf', `scale=${size},format=yuv420p`, '-fps_mode', 'passthrough'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-tune',
      'zerolatency',
      '-profile:v',
      'baseline',
      '-bf',
      '0',
    ],
    ...['-g', String(MAX_GROUP), '-force_key_frames', 'source'],
    ...['-crf', '24', '-maxrate', MAX_BITRATE, '-bufsize', MAX_BITRATE],
    ...['-flush_packets', '1', '-flvflags', 'no_duration_filesize', '-f', 'flv', 'pipe:1'],
  ];
}

function lastLine(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .at(-1);
}
