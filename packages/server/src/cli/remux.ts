import type { OutputFormat } from '@onair/media/file';
import { type Command, InvalidArgumentError } from 'commander';
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
interface Flags {
  readonly to?: OutputFormat;
}

async function act(input: string, output: string, format: OutputFormat): Promise<void> {
  const stop = stopSignal();
  const terminal = process.stderr.isTTY === true;
  try {
    const { remuxFile } = await import('./remux-run.ts');
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
    await fail(error);
  } finally {
    stop.release();
  }
}

async function fail(error: unknown): Promise<void> {
  const { reportFault } = await import('./fault.ts');
  reportFault(error);
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
        await fail(new Error('the ending of the output names no container; name it with --to'));
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
