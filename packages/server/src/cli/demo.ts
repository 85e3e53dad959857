import { setTimeout as sleep } from 'node:timers/promises';
import { parseRtmpUrl } from '@onair/media/rtmp';
import type { Command } from 'commander';
import { type DemoOptions, DemoSource } from '../demo/index.ts';
import { RtmpClient } from '../net/rtmp-client.ts';
import { createLog, type Logger, redactUrl } from '../observe/index.ts';
import { wholeNumber } from './numbers.ts';
import { RtmpSender } from './rtmp-sender.ts';
import { stopSignal } from './stop-signal.ts';

/** Where the demo goes if no address is given. */
export const DEMO_URL = 'rtmp://127.0.0.1:1935/live/demo';
/** Waits between attempts, in milliseconds; the last one holds. */
const BACK_OFF_MS = [500, 1000, 2000, 4000, 5000] as const;
/** Publishing for so long makes the next loss the first one again, in milliseconds. */
const STEADY_MS = 10_000;
/** Bytes that may wait for the server; beyond it frames are left out up to a keyframe. */
const MAX_WAITING_BYTES = 2 * 1024 * 1024;

/** How the demo is published. */
export interface DemoPublication {
  /** An rtmp or rtmps address of a stream. */
  readonly url: string;
  /** Picture; its own defaults unless given. */
  readonly demo?: DemoOptions;
  readonly logger: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Publishes the built-in test picture by RTMP until `signal`, again after every loss with growing waits.
 * @throws ParseError `RTMP_URL_INVALID`, RangeError for a picture that is not offered.
 */
export async function publishDemo({ url, demo = {}, logger, signal }: DemoPublication): Promise<void> {
  const address = parseRtmpUrl(url);
  const shown = redactUrl(url);
  const source = new DemoSource(demo);
  let failures = 0;
  while (!signal.aborted) {
    const connection = new RtmpClient({ url: address, intent: 'publish' });
    const leave = (): void => void connection.close();
    signal.addEventListener('abort', leave);
    let since = Number.POSITIVE_INFINITY;
    try {
      await connection.ready;
      since = performance.now();
      logger.info({ url: shown }, 'demo on air');
      await runDemo(source, connection);
    } catch {
      // What went wrong is told by `closed`.
    }
    signal.removeEventListener('abort', leave);
    await connection.close();
    const error = await connection.closed;
    if (signal.aborted) break;
    if (performance.now() - since > STEADY_MS) failures = 0;
    const waitMs = BACK_OFF_MS[Math.min(failures++, BACK_OFF_MS.length - 1)]!;
    logger.warn({ url: shown, reason: error?.message ?? 'closed by the server', waitMs }, 'demo not on air');
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
  logger.info({ url: shown }, 'demo ended');
}

async function runDemo(source: DemoSource, connection: RtmpClient): Promise<void> {
  const publisher = new RtmpSender(connection);
  for (const track of source.tracks) publisher.announce(track);
  let skipping = false;
  const handle = source.start((sample) => {
    const video = sample.track === source.tracks[0];
    if (connection.waitingBytes > MAX_WAITING_BYTES) skipping = true;
    else if (video && sample.keyframe) skipping = false;
    if (!skipping) publisher.send(sample);
  });
  try {
    await connection.closed;
  } finally {
    handle.stop();
  }
}

interface Flags {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

/** Adds `onair demo [URL]`. */
export function registerDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('publish the built-in moving test picture with sound and a burnt-in clock')
    .argument('[url]', 'where to publish', DEMO_URL)
    .option('--width <pixels>', 'picture width', wholeNumber, 640)
    .option('--height <pixels>', 'picture height', wholeNumber, 360)
    .option('--fps <rate>', 'frames per second: 24, 25, 30, 50 or 60', wholeNumber, 30)
    .action(async (url: string, flags: Flags) => {
      const log = createLog({ level: 'info', format: 'auto' });
      const stop = stopSignal();
      const demo = { width: flags.width, height: flags.height, frameRate: flags.fps };
      try {
        await publishDemo({ url, demo, logger: log.logger, signal: stop.signal });
      } catch (error) {
        log.logger.error(error instanceof Error ? error.message : String(error));
        process.exitCode = 1;
      } finally {
        stop.release();
        log.flush();
      }
    });
}
