import { FileKeyStore, type KeyScope } from '../auth/index.ts';
import { loadConfig } from '../config/index.ts';
import { type CommonFlags, configSources } from './settings.ts';

/** Makes a stream key; the text shows it, once. */
export function createKey(flags: CommonFlags, scope: KeyScope): string {
  const made = openStore(flags).create(scope);
  return [
    `id:      ${made.id}`,
    `opens:   ${opens(made)}`,
    `key:     ${made.key}`,
    `publish: rtmp://HOST/${made.app}/${made.name ?? 'NAME'}?key=${made.key}`,
    '',
  ].join('\n');
}

/** One line per stream key, without secrets. */
export function listKeys(flags: CommonFlags): string {
  return openStore(flags)
    .list()
    .map((key) => {
      const made = new Date(key.created).toISOString();
      return `${`${key.id}  ${opens(key).padEnd(24)}  ${made}  ${key.label ?? ''}`.trimEnd()}\n`;
    })
    .join('');
}

/** Removes a stream key. @throws Error if there is none with the id. */
export function removeKey(flags: CommonFlags, id: string): string {
  if (!openStore(flags).remove(id)) throw new Error(`there is no key with the id ${JSON.stringify(id)}`);
  return `removed ${id}\n`;
}

function openStore(flags: CommonFlags): FileKeyStore {
  return new FileKeyStore(loadConfig(configSources(flags)).data);
}

function opens({ app, name }: KeyScope): string {
  return `${app}/${name ?? '*'}`;
}
