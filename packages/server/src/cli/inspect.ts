import { inspect, isDamaged, nodeLine, type Report, reportText } from '@onair/media/inspect';
import type { Command } from 'commander';
import { redactUrl } from '../observe/index.ts';
import { openInput } from './input.ts';
import { seconds } from './numbers.ts';
import { stopSignal } from './stop-signal.ts';

/** How a file is inspected. */
export interface InspectOptions {
  /** A path, an address of HTTP, or `-` for standard input. */
  readonly input: string;
  /** One JSON object instead of text. */
  readonly json: boolean;
  /** Every box, element, tag or packet, too. */
  readonly boxes: boolean;
  /** Seconds between reports while a stream goes on; only one at the end if undefined. */
  readonly watch: number | undefined;
  /** Where finished text goes; resolves when it can take more. */
  readonly write: (text: string) => Promise<void>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Characters of lines that are written together. */
const WRITE_LENGTH = 64 * 1024;

/**
 * Looks into a file or stream and says what is inside.
 * @returns false if it is damaged. @throws if it cannot be read.
 */
export async function inspectInput(options: InspectOptions): Promise<boolean> {
  const { input, json, boxes, watch, write, signal } = options;
  const name = input === '-' ? 'standard input' : redactUrl(input);
  const tell = (report: Report): string =>
    json ? `${JSON.stringify({ file: name, ...report })}\n` : reportText(name, report);
  const source = await openInput(input, signal);
  let lines = '';
  let writing = Promise.resolve();
  const flush = (): void => {
    const text = lines;
    lines = '';
    if (text !== '') writing = writing.then(() => write(text));
  };
  try {
    let told = performance.now();
    const report = await inspect(
      {
        size: source.size,
        read: async (at, length) => {
          flush();
          await writing;
          return source.read(at, length);
        },
      },
      {
        ...(boxes
          ? {
              onNode: (node) => {
                lines += json ? `${JSON.stringify(node)}\n` : `${nodeLine(node)}\n`;
                if (lines.length > WRITE_LENGTH) flush();
              },
            }
          : {}),
        onProgress: (_bytes, soFar) => {
          if (watch === undefined || performance.now() - told < watch * 1000) return;
          told = performance.now();
          lines += `${tell(soFar())}\n`;
        },
      },
    );
    lines += `${boxes && !json ? '\n' : ''}${tell(report)}`;
    flush();
    await writing;
    return !isDamaged(report);
  } finally {
    await source.close();
  }
}

interface Flags {
  readonly json: boolean;
  readonly boxes: boolean;
  readonly watch?: true | number;
}

/** Adds `onair inspect FILE`. */
export function registerInspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('say what is inside a file, stream or playlist: MP4, WebM, FLV, MPEG-TS, HLS, DASH')
    .argument('<input>', 'file, http(s) address, or - for standard input')
    .option('--json', 'one JSON object', false)
    .option('--boxes', 'list every box, element, tag or packet', false)
    .option('--watch [seconds]', 'report again and again while a stream goes on', seconds)
    .action(async (input: string, flags: Flags) => {
      const stop = stopSignal();
      try {
        const sound = await inspectInput({
          input,
          json: flags.json,
          boxes: flags.boxes,
          watch: flags.watch === true ? 1 : flags.watch,
          write: toStandardOutput,
          signal: stop.signal,
        });
        if (!sound) process.exitCode = 1;
      } catch (error) {
        process.stderr.write(`onair: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exitCode = 1;
      } finally {
        stop.release();
      }
    });
}

/** Resolves when standard output can take more. */
function toStandardOutput(text: string): Promise<void> {
  return new Promise((resolve) => {
    if (process.stdout.write(text)) resolve();
    else process.stdout.once('drain', resolve);
  });
}
