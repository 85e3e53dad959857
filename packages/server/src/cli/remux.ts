import { resolve } from 'node:path';
import { type OutputFormat, openMediaFile, remux } from '@onair/media/file';
import { type Command, InvalidArgumentError } from 'commander';
import { reportFault } from './fault.ts';
import { openInput } from './input.ts';
import { openOutput } from './output.ts';
import { stopSignal } from './stop-signal.ts';

const FORMATS: Readonly<Record<string, OutputFormat>> = {
  mp4: 'mp4',
  m4v: 'mp4',
  m4a: 'mp4',
  mov: 'mp4',
  fmp4: 'fmp4',
  m4s: 'fmp4',
  webm: 'webm',
  mkv: 'mkv',
  flv: 'flv',
  ts: 'ts',
};
/** Milliseconds between two tellings of progress. */
const PROGRESS_MS = 200;

/** What is written where. */
export interface RemuxOptions {
  /** A path, an address of HTTP, or `-` for standard input. */
  readonly input: string;
  /** A path, or `-` for standard output. */
  readonly output: string;
  readonly format: OutputFormat;
  /** Told now and then: 0 to 1 if the size of the input is known, bytes written. */
  readonly onProgress?: (share: number | undefined, written: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Writes a media file into another container without encoding anew.
 * @returns one line that says what was done. @throws what ends it; then nothing is left of the output.
 */
export async function remuxFile(options: RemuxOptions): Promise<string> {
  const { input, output, format, onProgress, signal } = options;
  if (input !== '-' && output !== '-' && resolve(input) === resolve(output)) {
    throw new Error('input and output are the same file');
  }
  const started = performance.now();
  const source = await openInput(input, signal);
  try {
    const file = await openMediaFile(source);
    const sink = await openOutput(output);
    let told = started;
    const watched = {
      ...(sink.patch === undefined ? {} : { patch: sink.patch.bind(sink) }),
      write: async (parts: readonly Uint8Array[]) => {
        signal.throwIfAborted();
        await sink.write(parts);
        if (performance.now() - told < PROGRESS_MS) return;
        told = performance.now();
        const share = source.size === undefined ? undefined : Math.min(1, file.progress() / source.size);
        onProgress?.(share, sink.written);
      },
    };
    try {
      const { samples, duration, tracks } = await remux(file, format, watched);
      await sink.done();
      const codecs = tracks.map(({ parameters }) => parameters.codec).join(' and ');
      const seconds = (performance.now() - started) / 1000;
      const how = `${samples} samples of ${codecs}, ${duration.toFixed(3)} s, ${sink.written} bytes`;
      return `${how}, written in ${seconds.toFixed(1)} s`;
    } catch (error) {
      await sink.drop();
      throw error;
    }
  } finally {
    await source.close();
  }
}

interface Flags {
  readonly to?: OutputFormat;
}

async function act(input: string, output: string, format: OutputFormat): Promise<void> {
  const stop = stopSignal();
  const terminal = process.stderr.isTTY === true;
  try {
    const line = await remuxFile({
      input,
      output,
      format,
      signal: stop.signal,
      onProgress: (share, written) => {
        if (!terminal) return;
        const part = share === undefined ? '' : `${Math.floor(share * 100)} %, `;
        process.stderr.write(`\r\u001b[2K${part}${(written / 1e6).toFixed(1)} MB`);
      },
    });
    process.stderr.write(`${terminal ? '\r\u001b[2K' : ''}${line}\n`);
  } catch (error) {
    if (terminal) process.stderr.write('\r\u001b[2K');
    reportFault(error);
  } finally {
    stop.release();
  }
}

function formatOf(name: string): OutputFormat {
  const format = FORMATS[name];
  if (format !== undefined) return format;
  throw new InvalidArgumentError(`one of ${Object.keys(FORMATS).join(', ')} is wanted`);
}

/** Adds `onair remux IN OUT` and `onair fragment IN OUT`. */
export function registerRemuxCommands(program: Command): void {
  program
    .command('remux')
    .description('write a media file into another container, frame by frame as they are')
    .argument('<input>', 'MP4, WebM, FLV or MPEG-TS: file, http(s) address, or - for standard input')
    .argument('<output>', 'file whose ending names the container, or - for standard output')
    .option('--to <format>', 'container, whatever the ending: mp4, fmp4, webm, mkv, flv, ts', formatOf)
    .action(async (input: string, output: string, { to }: Flags) => {
      const ending = /\.(\w+)$/.exec(output)?.[1]?.toLowerCase() ?? '';
      const format = to ?? FORMATS[ending];
      if (format === undefined) {
        reportFault(new Error('the ending of the output names no container; name it with --to'));
        return;
      }
      await act(input, output, format);
    });
  program
    .command('fragment')
    .description('write a media file as fragmented MP4, which Media Source Extensions, HLS and DASH take')
    .argument('<input>', 'MP4, WebM, FLV or MPEG-TS: file, http(s) address, or - for standard input')
    .argument('<output>', 'file, or - for standard output')
    .action((input: string, output: string) => act(input, output, 'fmp4'));
}
