import type { Command } from 'commander';
import { seconds } from './numbers.ts';
import { stopSignal } from './stop-signal.ts';

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
        const [{ inspectInput }, { writeOut }] = await Promise.all([
          import('./inspect-run.ts'),
          import('./output.ts'),
        ]);
        const sound = await inspectInput({
          input,
          json: flags.json,
          boxes: flags.boxes,
          watch: flags.watch === true ? 1 : flags.watch,
          write: writeOut,
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
