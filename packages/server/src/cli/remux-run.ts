import { resolve } from 'node:path';
import { type OutputFormat, openMediaFile, remux } from '@onair/media/file';
import { openInput } from './input.ts';
import { openOutput } from './output.ts';

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
