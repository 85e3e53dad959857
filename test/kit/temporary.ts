import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Global set-up of a run: what tests and the programs that they start write to the temporary folder lies in one of the run's own, and goes
 * with it.
 */
export default function setup(): () => void {
  const outer = process.env.TMPDIR;
  const folder = mkdtempSync(join(tmpdir(), 'onair-run-'));
  process.env.TMPDIR = folder;
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  // A run that is ended by a signal is not torn down.
  process.once('exit', remove);
  return () => {
    process.off('exit', remove);
    if (outer === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = outer;
    remove();
  };
}
