import type { Command } from 'commander';
import { redactUrl } from '../observe/index.ts';
import { seconds } from './numbers.ts';
import { playStream } from './play-source.ts';
import { stopSignal } from './stop-signal.ts';
import { StreamStats, statsLine } from './stream-stats.ts';

/** How a stream is watched. */
export interface PlayOptions {
  readonly url: string;
  /** Reports in between; without, only one at the end. */
  readonly stats: boolean;
  /** Between reports, in seconds. */
  readonly interval: number;
  /** In seconds; until the stream ends if undefined. */
  readonly duration: number | undefined;
  /** Where finished text goes. */
  readonly write: (text: string) => void;
  /** Rewrites one status line instead of writing one JSON object per line. */
  readonly terminal: boolean;
  /** Takes any certificate of an RTMP server. */
  readonly insecure?: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Receives a stream as a viewer does, shows nothing, and tells how it arrives.
 * @returns whether there was a picture or sound. @throws whatever ends it too early.
 */
export async function watchStream(options: PlayOptions): Promise<boolean> {
  const { url, stats: live, interval, duration, write, terminal, signal } = options;
  const stats = new StreamStats(performance.now());
  const ended = new AbortController();
  const end = (): void => ended.abort();
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  const timers: NodeJS.Timeout[] = [];
  if (duration !== undefined) timers.push(setTimeout(end, duration * 1000));
  const tell = (last: boolean): boolean => {
    const report = stats.report(performance.now());
    if (!terminal) write(`${JSON.stringify({ url: redactUrl(url), ...report })}\n`);
    else if (live) write(`\r\u001b[2K${statsLine(report)}`);
    if (terminal && last) write(`${live ? '\n' : `${statsLine(report)}\n`}${report.tracks.join('\n')}\n`);
    return report.frames + report.audioFrames > 0;
  };
  if (live) timers.push(setInterval(() => tell(false), interval * 1000));
  try {
    const sink = {
      bytes: (count: number) => stats.bytes(count),
      sample: (sample: Parameters<StreamStats['sample']>[0]) =>
        stats.sample(sample, performance.now(), Date.now()),
    };
    await playStream(url, sink, ended.signal, options.insecure);
  } finally {
    signal.removeEventListener('abort', end);
    for (const timer of timers) clearTimeout(timer);
  }
  return tell(true);
}

interface Flags {
  readonly stats: boolean;
  readonly interval: number;
  readonly duration?: number;
  readonly json: boolean;
  readonly insecure: boolean;
}

/** Adds `onair play URL`. */
export function registerPlayCommand(program: Command): void {
  program
    .command('play')
    .description(
      'receive a stream and tell how it arrives: rtmp(s|t|ts|e|te)://, http(s)://….flv, ws(s)://….flv, ws(s)://….fmp4',
    )
    .argument('<url>', 'address of the stream')
    .option(
      '--stats',
      'tell once per interval: a status line in a terminal, else a JSON object per line',
      false,
    )
    .option('--interval <seconds>', 'between reports', seconds, 1)
    .option('--duration <seconds>', 'stop after so long', seconds)
    .option('--json', 'JSON lines in a terminal, too', false)
    .option('--insecure', 'take any certificate of an RTMP server', false)
    .action(async (url: string, flags: Flags) => {
      const stop = stopSignal();
      try {
        const seen = await watchStream({
          url,
          stats: flags.stats,
          interval: flags.interval,
          duration: flags.duration,
          insecure: flags.insecure,
          write: (text) => void process.stdout.write(text),
          terminal: process.stdout.isTTY === true && !flags.json,
          signal: stop.signal,
        });
        if (!seen) process.exitCode = 1;
      } catch (error) {
        process.stderr.write(`onair: ${error instanceof Error ? reason(error) : String(error)}\n`);
        process.exitCode = 1;
      } finally {
        stop.release();
      }
    });
}

/** fetch() hides what happened in `cause`. */
function reason(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
