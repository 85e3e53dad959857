import type { Command } from 'commander';
import { addCommonFlags, type CommonFlags } from './settings.ts';

type Work = typeof import('./config-work.ts');

/** Adds `onair config check|show`. */
export function registerConfigCommand(program: Command): void {
  const config = program.command('config').description('check or show the configuration');
  const check = config.command('check').description('validate file, environment and flags');
  addCommonFlags(check).action((flags: CommonFlags) => run(({ checkConfig }) => checkConfig(flags)));
  const show = config.command('show').description('print every key with the value in force');
  addCommonFlags(show).action((flags: CommonFlags) => run(({ showConfig }) => showConfig(flags)));
}

async function run(work: (module: Work) => string): Promise<void> {
  const [module, { reportFault }] = await Promise.all([import('./config-work.ts'), import('./fault.ts')]);
  try {
    process.stdout.write(work(module));
  } catch (error) {
    reportFault(error);
  }
}
