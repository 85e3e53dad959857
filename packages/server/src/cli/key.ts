import { isNamePart } from '@onair/media';
import { type Command, InvalidArgumentError } from 'commander';
import type { KeyScope } from '../auth/index.ts';
import { addCommonFlags, type CommonFlags } from './settings.ts';

type Work = typeof import('./key-work.ts');

/** Adds `onair key create|list|remove`. They work on the data folder, whether the server runs or not. */
export function registerKeyCommand(program: Command): void {
  const key = program.command('key').description('stream keys: who may publish from other machines');
  const create = key
    .command('create')
    .description('make a key and print it once')
    .argument('<scope>', 'APP for every stream of an application, or APP/NAME', parseScope)
    .option('--label <text>', 'whose key it is');
  addCommonFlags(create).action((scope: KeyScope, flags: CommonFlags & { label?: string }) =>
    run(({ createKey }) =>
      createKey(flags, flags.label === undefined ? scope : { ...scope, label: flags.label }),
    ),
  );
  const list = key.command('list').description('list keys without their secrets');
  addCommonFlags(list).action((flags: CommonFlags) => run(({ listKeys }) => listKeys(flags)));
  const remove = key.command('remove').description('remove a key').argument('<id>', 'as in the list');
  addCommonFlags(remove).action((id: string, flags: CommonFlags) =>
    run(({ removeKey }) => removeKey(flags, id)),
  );
}

function parseScope(text: string): KeyScope {
  const [app, name, ...rest] = text.split('/');
  if (!isNamePart(app) || (name !== undefined && !isNamePart(name)) || rest.length > 0) {
    throw new InvalidArgumentError('wanted: APP or APP/NAME, 1 to 64 of A-Z a-z 0-9 _ - each');
  }
  return { app, ...(name === undefined ? {} : { name }) };
}

async function run(work: (module: Work) => string): Promise<void> {
  const [module, { reportFault }] = await Promise.all([import('./key-work.ts'), import('./fault.ts')]);
  try {
    process.stdout.write(work(module));
  } catch (error) {
    reportFault(error);
  }
}
