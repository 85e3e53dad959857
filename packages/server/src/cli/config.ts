import type { Command } from 'commander';
import { stringify } from 'yaml';
import { loadConfig, withoutSecrets } from '../config/index.ts';
import { reportFault } from './fault.ts';
import { addCommonFlags, type CommonFlags, configSources } from './settings.ts';

/** Adds `onair config check|show`. */
export function registerConfigCommand(program: Command): void {
  const config = program.command('config').description('check or show the configuration');
  addCommonFlags(config.command('check').description('validate file, environment and flags')).action(
    (flags: CommonFlags) =>
      run(() => {
        const sources = configSources(flags);
        loadConfig(sources);
        process.stdout.write(`${sources.file ?? 'the configuration'} is fine\n`);
      }),
  );
  addCommonFlags(config.command('show').description('print every key with the value in force')).action(
    (flags: CommonFlags) =>
      run(() => {
        process.stdout.write(stringify(withoutSecrets(loadConfig(configSources(flags)))));
      }),
  );
}

function run(work: () => void): void {
  try {
    work();
  } catch (error) {
    reportFault(error);
  }
}
