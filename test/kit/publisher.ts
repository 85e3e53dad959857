import { Child } from './child.ts';
import { lastLines } from './report.ts';
import type { Owned, Scope } from './scope.ts';
import { until } from './until.ts';

/** Sound of a test publisher. */
export interface TestAudio {
  /** Hz; default 44,100. */
  readonly sampleRate?: number;
  /** Default 2. */
  readonly channels?: number;
  /** Bits per second; default 64,000. */
  readonly bitrate?: number;
}

/** What a test publisher sends. */
export interface PublisherOptions {
  /** Where to: an `rtmp://` URL, or a file. */
  readonly url: string;
  /** Frames per second; default 30. */
  readonly fps?: number;
  /** `WIDTHxHEIGHT`; default 320x180. */
  readonly size?: string;
  /** Seconds between keyframes; default 1. */
  readonly gopSeconds?: number;
  /** Consecutive B-frames; default 0. */
  readonly bFrames?: number;
  /** Bits per second of the picture; default 400,000. */
  readonly bitrate?: number;
  /** False: sound only. */
  readonly video?: boolean;
  /** False: picture only. */
  readonly audio?: TestAudio | false;
  /** Ends by itself after so many seconds of media; default: never. */
  readonly seconds?: number;
  /** Container, `flv` by default. */
  readonly format?: string;
  /** False: as fast as possible, for making files. Default true. */
  readonly realTime?: boolean;
  /** Further arguments of ffmpeg in front of the output. */
  readonly extra?: readonly string[];
}

/** The ffmpeg arguments of a publisher, without the program's name. */
export function publisherArguments(options: PublisherOptions): string[] {
  const fps = options.fps ?? 30;
  const gop = Math.round((options.gopSeconds ?? 1) * fps);
  const pace = options.realTime === false ? [] : ['-re'];
  const args = ['-hide_banner', '-nostdin', '-loglevel', 'warning'];
  args.push('-progress', 'pipe:1', '-stats_period', '0.1', '-y');
  if (options.video !== false) {
    args.push(...pace, '-f', 'lavfi', '-i', `testsrc2=size=${options.size ?? '320x180'}:rate=${fps}`);
  }
  const audio = options.audio === false ? undefined : (options.audio ?? {});
  if (audio !== undefined) {
    args.push(...pace, '-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${audio.sampleRate ?? 44_100}`);
  }
  if (options.video !== false) {
    const bitrate = String(options.bitrate ?? 400_000);
    const bFrames = options.bFrames ?? 0;
    args.push('-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-profile:v', 'main');
    if (bFrames === 0) args.push('-tune', 'zerolatency');
    else args.push('-x264-params', 'b-adapt=0:rc-lookahead=0:sync-lookahead=0');
    args.push('-bf', String(bFrames), '-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0');
    args.push('-b:v', bitrate, '-maxrate', bitrate, '-bufsize', bitrate);
  }
  if (audio !== undefined) {
    args.push('-c:a', 'aac', '-b:a', String(audio.bitrate ?? 64_000), '-ac', String(audio.channels ?? 2));
  }
  if (options.seconds !== undefined) args.push('-t', String(options.seconds));
  args.push(...(options.extra ?? []), '-f', options.format ?? 'flv', options.url);
  return args;
}

/** An ffmpeg that publishes a moving test picture with a tone. */
export class Publisher implements Owned {
  readonly child: Child;
  #frames = 0;
  #outTimeUs = 0;

  constructor(options: PublisherOptions) {
    this.child = new Child('publisher', 'ffmpeg', publisherArguments(options));
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const [, key, value] of text.matchAll(/^(frame|out_time_us)=\s*(\d+)/gm)) {
        if (key === 'frame') this.#frames = Number(value);
        else this.#outTimeUs = Number(value);
      }
    });
  }

  /** Video frames encoded so far. */
  get frames(): number {
    return this.#frames;
  }

  /** Milliseconds of media sent so far. */
  get sentMs(): number {
    return this.#outTimeUs / 1000;
  }

  /** Returns once media flows; throws with ffmpeg's words when it ended before. */
  async started(timeoutMs = 15_000): Promise<void> {
    await until(() => this.sentMs > 0 || this.child.exit !== undefined, {
      timeoutMs,
      message: 'publisher sends',
    });
    if (this.sentMs === 0) throw new Error(`publisher ended: ${lastLines(this.child)}`);
  }

  /** End the stream properly (ffmpeg unpublishes) and wait until it is gone. */
  async stop(): Promise<void> {
    await this.child.stop('SIGTERM');
  }

  /** Vanish without a word, as a crash does. */
  async kill(): Promise<void> {
    await this.child.stop('SIGKILL');
  }
}

/** Start a publisher and wait until its media flows. */
export async function startPublisher(scope: Scope, options: PublisherOptions): Promise<Publisher> {
  const publisher = scope.own(new Publisher(options));
  await publisher.started();
  return publisher;
}

/** Make a media file of `seconds` as fast as possible; `options.url` is its path. */
export async function makeFile(options: PublisherOptions & { readonly seconds: number }): Promise<void> {
  const { child } = new Publisher({ ...options, realTime: false });
  const exit = await child.exited;
  if (exit.code !== 0) throw new Error(`ffmpeg made no file: ${lastLines(child)}`);
}
