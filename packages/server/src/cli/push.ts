import { setTimeout as sleep } from 'node:timers/promises';
import type { Sample, Track } from '@onair/media/model';
import { parseRtmpUrl } from '@onair/media/rtmp';
import { MILLISECONDS, rescale, ticks } from '@onair/media/time';
import type { Command } from 'commander';
import { RtmpClient } from '../net/rtmp-client.ts';
import { createLog, type Logger, redactUrl } from '../observe/index.ts';
import { readMediaFile } from './media-file.ts';
import { RtmpSender } from './rtmp-sender.ts';
import { stopSignal } from './stop-signal.ts';

/** Between two passes of a looped file, in milliseconds, if the last sample tells no duration. */
const LAST_SAMPLE_MS = 33;
/** Timestamps that step back by more than this are a new start of the file's clock, in milliseconds. */
const MAX_STEP_BACK_MS = 1000;

/** How a file is pushed. */
export interface PushOptions {
  readonly file: string;
  /** An rtmp address of a stream, in any of its ways. */
  readonly url: string;
  /** From the start again whenever it ends. */
  readonly loop: boolean;
  /** Takes any certificate of the server. */
  readonly insecure?: boolean;
  readonly logger: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Publishes a file by RTMP in real time, told by its decoding times.
 * @throws whatever ends it before the file or `signal` does.
 */
export async function pushFile(options: PushOptions): Promise<void> {
  const { file, url, loop, logger, signal } = options;
  if (signal.aborted) return;
  const verify = options.insecure !== true;
  const connection = new RtmpClient({ url: parseRtmpUrl(url), intent: 'publish', verify });
  const leave = (): void => void connection.close();
  signal.addEventListener('abort', leave);
  try {
    await connection.ready;
    logger.info({ file, url: redactUrl(url) }, 'on air');
    await send(file, loop, connection, signal);
    logger.info({ file, url: redactUrl(url) }, 'ended');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', leave);
    await connection.close();
  }
}

async function send(file: string, loop: boolean, connection: RtmpClient, signal: AbortSignal): Promise<void> {
  const publisher = new RtmpSender(connection);
  const timeline = new Timeline();
  let announced = new Map<number, Track>();
  const gone = connection.closed.then((error) => {
    if (!signal.aborted) throw error ?? new Error('the server closed the connection');
  });
  gone.catch(() => undefined);
  do {
    const before = announced;
    announced = new Map();
    let samples = 0;
    for await (const item of readMediaFile(file)) {
      if (item.kind === 'track') {
        const { track } = item;
        announced.set(track.id, track);
        if (before.get(track.id) === undefined) publisher.announce(track);
        continue;
      }
      samples++;
      const { sample, dueMs } = timeline.place(item.sample);
      const waitMs = dueMs - performance.now();
      if (waitMs > 1) await Promise.race([sleep(waitMs, undefined, { signal }), gone]);
      await Promise.race([connection.drained(), gone]);
      if (signal.aborted) return;
      publisher.send(sample);
    }
    if (samples === 0) throw new Error(`${file} has no samples`);
    timeline.startOver();
  } while (loop);
}

/** Puts the samples of one pass after another onto one timeline and tells when each is due. */
class Timeline {
  #startedAt: number | undefined; // clock, ms
  #offsetMs: number | undefined; // from the file's time to ours
  #lastMs = 0;
  #endMs = 0;
  /** First and last moment of each track in this pass, in ms of our time. */
  readonly #spans = new Map<number, { readonly first: number; end: number }>();

  /** @returns the sample at its place, and when to send it on the clock of `performance.now()`, in ms. */
  place(sample: Sample): { readonly sample: Sample; readonly dueMs: number } {
    const { timebase, id } = sample.track;
    const fileMs = rescale(sample.dts, timebase, MILLISECONDS);
    this.#offsetMs ??= -fileMs;
    if (fileMs + this.#offsetMs < this.#lastMs - MAX_STEP_BACK_MS) this.#offsetMs = this.#endMs - fileMs;
    const ms = fileMs + this.#offsetMs;
    const lengthMs =
      sample.duration === undefined ? LAST_SAMPLE_MS : rescale(sample.duration, timebase, MILLISECONDS);
    this.#lastMs = ms;
    this.#endMs = Math.max(this.#endMs, ms + lengthMs);
    const span = this.#spans.get(id);
    if (span === undefined) this.#spans.set(id, { first: ms, end: ms + lengthMs });
    else span.end = Math.max(span.end, ms + lengthMs);
    this.#startedAt ??= performance.now() - ms;
    const shift = Math.round((this.#offsetMs * timebase) / MILLISECONDS);
    return {
      sample: { ...sample, dts: ticks(sample.dts + shift), pts: ticks(sample.pts + shift) },
      dueMs: this.#startedAt + ms,
    };
  }

  /** The next pass begins when the longest track of this one is over. */
  startOver(): void {
    const longest = Math.max(...[...this.#spans.values()].map(({ first, end }) => end - first));
    if (this.#offsetMs !== undefined) this.#offsetMs += longest;
    this.#lastMs = Number.NEGATIVE_INFINITY;
    this.#spans.clear();
  }
}

/** Adds `onair push FILE URL`. */
export function registerPushCommand(program: Command): void {
  program
    .command('push')
    .description('publish an FLV or MP4 file by RTMP in real time')
    .argument('<file>', 'FLV or MP4 file')
    .argument('<url>', 'where to publish, e.g. rtmp://127.0.0.1/live/test')
    .option('--loop', 'from the start again whenever it ends', false)
    .option('--insecure', 'take any certificate', false)
    .action(async (file: string, url: string, flags: { loop: boolean; insecure: boolean }) => {
      const log = createLog({ level: 'info', format: 'auto' });
      const stop = stopSignal();
      try {
        await pushFile({ file, url, ...flags, logger: log.logger, signal: stop.signal });
      } catch (error) {
        log.logger.error(error instanceof Error ? error.message : String(error));
        process.exitCode = 1;
      } finally {
        stop.release();
        log.flush();
      }
    });
}
