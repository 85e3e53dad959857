import { isNamePart } from '@onair/media';
import { type Command, InvalidArgumentError } from 'commander';
import { FileKeyStore, type KeyScope } from '../auth/index.ts';
import { loadConfig } from '../config/index.ts';
import { reportFault } from './fault.ts';
import { addCommonFlags, type CommonFlags, configSources } from './settings.ts';

/** Adds `onair key create|list|remove`. They work on the data folder, whether the server runs or not. */
export function registerKeyCommand(program: Command): void {
  const key = program.command('key').description('stream keys: who may publish from other machines');
  addCommonFlags(
    key
      .command('create')
      .description('make a key and print it once')
      .argument('<scope>', 'APP for every stream of an application, or APP/NAME', parseScope)
      .option('--label <text>', 'whose key it is'),
  ).action((scope: KeyScope, flags: CommonFlags & { label?: string }) =>
    run(flags, (store) => {
      const made = store.create({ ...scope, ...(flags.label === undefined ? {} : { label: flags.label }) });
      print(`id:      ${made.id}`);
      print(`opens:   ${opens(made)}`);
      print(`key:     ${made.key}`);
      print(`publish: rtmp://HOST/${made.app}/${made.name ?? 'NAME'}?key=${made.key}`);
    }),
  );
  addCommonFlags(key.command('list').description('list keys without their secrets')).action(
    (flags: CommonFlags) =>
      run(flags, (store) => {
        for (const one of store.list()) {
          print(
            `${one.id}  ${opens(one).padEnd(24)}  ${new Date(one.created).toISOString()}  ${one.label ?? ''}`.trimEnd(),
          );
        }
      }),
  );
  addCommonFlags(key.command('remove').description('remove a key').argument('<id>', 'as in the list')).action(
    (id: string, flags: CommonFlags) =>
      run(flags, (store) => {
        if (!store.remove(id)) throw new Error(`there is no key with the id ${JSON.stringify(id)}`);
      }),
  );
}

function parseScope(text: string): KeyScope {
  const [app, name, ...rest] = text.split('/');
  if (!isNamePart(app) || (name !== undefined && !isNamePart(name)) || rest.length > 0) {
    throw new InvalidArgumentError('wanted: APP or APP/NAME, 1 to 64 of A-Z a-z 0-9 _ - each');
  }
  return { app, ...(name === undefined ? {} : { name }) };
}

function opens({ app, name }: KeyScope): string {
  return `${app}/${name ?? '*'}`;
}

function run(flags: CommonFlags, work: (store: FileKeyStore) => void): void {
  try {
    work(new FileKeyStore(loadConfig(configSources(flags)).data));
  } catch (error) {
    reportFault(error);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
