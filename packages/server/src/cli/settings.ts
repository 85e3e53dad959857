import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { Assignment, ConfigSources } from '../config/index.ts';

/** Configuration file that is read if it is in the working folder and nothing else is named. */
export const DEFAULT_CONFIG_FILE = 'onair.yaml';

/** Flags that every command with a configuration takes. */
export interface CommonFlags {
  readonly config?: string;
  readonly data?: string;
  readonly set?: readonly Assignment[];
}

/** Flags of `onair serve`. */
export interface ServeFlags extends CommonFlags {
  readonly host?: string;
  readonly httpPort?: string;
  readonly rtmpPort?: string;
  readonly tlsPort?: string;
  readonly log?: string;
  readonly logLevel?: string;
  readonly demo?: boolean;
  readonly compat?: boolean;
}

/** The key that each flag sets. */
const KEYS: Readonly<Record<string, readonly [flag: string, ...path: string[]]>> = {
  data: ['--data', 'data'],
  host: ['--host', 'host'],
  httpPort: ['--http-port', 'http', 'port'],
  tlsPort: ['--tls-port', 'http', 'tlsPort'],
  rtmpPort: ['--rtmp-port', 'rtmp', 'port'],
  log: ['--log', 'log', 'format'],
  logLevel: ['--log-level', 'log', 'level'],
  demo: ['--demo', 'demo'],
  compat: ['--compat', 'compat'],
};

/** Adds the flags of {@link CommonFlags} to a command. */
export function addCommonFlags(command: Command): Command {
  return command
    .option(
      '-c, --config <file>',
      `configuration file (default: ONAIR_CONFIG, else ${DEFAULT_CONFIG_FILE} if there)`,
    )
    .option('--data <folder>', 'folder for token, keys and everything that outlives a restart')
    .option('--set <key=value>', 'set any key, e.g. --set hub.mergeWindowMs=50', collectAssignment);
}

/** Reads `http.port=8081`. @throws InvalidArgumentError */
export function parseAssignment(text: string): Assignment {
  const at = text.indexOf('=');
  const path = text.slice(0, at).split('.');
  if (at < 1 || path.some((name) => !/^\w+$/.test(name))) {
    throw new InvalidArgumentError('wanted: a key, "=" and a value, as in http.port=8081');
  }
  return { path, text: text.slice(at + 1), source: `--set ${path.join('.')}` };
}

function collectAssignment(text: string, before: readonly Assignment[] = []): readonly Assignment[] {
  return [...before, parseAssignment(text)];
}

/** Where the configuration of a command comes from. */
export function configSources(
  flags: ServeFlags,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ConfigSources {
  const assignments: Assignment[] = [];
  for (const [name, [source, ...path]] of Object.entries(KEYS)) {
    const value = flags[name as keyof ServeFlags];
    if (value !== undefined) assignments.push({ path, text: String(value), source });
  }
  const named = flags.config ?? (environment.ONAIR_CONFIG === '' ? undefined : environment.ONAIR_CONFIG);
  const file = named ?? (existsSync(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : undefined);
  return { file, environment, flags: [...assignments, ...(flags.set ?? [])] };
}
