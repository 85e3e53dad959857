import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HttpProblem, refusedForNow } from '../net/index.ts';
import { hasEncoder } from './encoder-look.ts';

/** MP3s made at one time: each takes a core. */
const MAX_JOBS = 2;
/** Longest time that one may take, also if its receiver is slow, in milliseconds. */
const MAX_MS = 30 * 60_000;
const ARGUMENTS = ['-v', 'error', '-protocol_whitelist', 'pipe', '-f', 'mov', '-i', 'pipe:0'];
const OUTPUT = ['-map', '0:a:0', '-c:a', 'libmp3lame', '-b:a', '128k', '-f', 'mp3', 'pipe:1'];

/** Makes MP3, which podcasts are in, out of finished MP4 files: by `ffmpeg`, where there is one on the PATH. */
export class Mp3Maker {
  readonly #program: string;
  #jobs = 0;
  #known: Promise<boolean> | undefined;

  constructor(program = 'ffmpeg') {
    this.#program = program;
  }

  /** True if the program is there; looked for once. */
  get available(): Promise<boolean> {
    this.#known ??= hasEncoder(this.#program, 'libmp3lame');
    return this.#known;
  }

  /**
   * Begins to make one; `source` is read as fast as the result is.
   * @param ended resolves when nobody takes the result any more.
   * @throws HttpProblem `CODEC_NOT_CARRIED` without the program, `OVERLOADED` if enough are being made.
   */
  async make(source: Readable, ended: Promise<unknown>): Promise<Readable> {
    if (!(await this.available)) {
      source.destroy();
      throw new HttpProblem('CODEC_NOT_CARRIED', {
        detail: 'MP3 is made by ffmpeg, which is not on the PATH of the server.',
      });
    }
    if (this.#jobs >= MAX_JOBS) {
      source.destroy();
      throw refusedForNow('OVERLOADED', 10, `${MAX_JOBS} are being made already`);
    }
    this.#jobs++;
    const child = spawn(this.#program, [...ARGUMENTS, ...OUTPUT], { stdio: ['pipe', 'pipe', 'ignore'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), MAX_MS).unref();
    // Only the program's end tells whether what it made is all.
    const made = child.stdout.pipe(new PassThrough(), { end: false });
    const over = once(child, 'close').catch(() => [1]); // of a program that is gone since
    void over.then(([code]) => {
      this.#jobs--;
      clearTimeout(timer);
      source.destroy();
      if (code === 0) made.end();
      else made.destroy(new Error('the MP3 could not be made'));
    });
    void ended.then(() => child.kill('SIGKILL'));
    // A program that ends early closes its input; what it made is what counts.
    pipeline(source, child.stdin).catch(() => undefined);
    return made;
  }
}
