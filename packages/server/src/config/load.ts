import { closeSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, type ConfigFault, faultsOf } from './faults.ts';
import { fieldsOf, notesOf, unwrap } from './field.ts';
import {
  type Assignment,
  assignmentLayer,
  environmentAssignments,
  fileLayer,
  isRecord,
  type Layer,
  MAX_CONFIG_BYTES,
  mergeLayers,
} from './layers.ts';
import { type Config, configSchema } from './schema.ts';

/** Where the configuration comes from; later entries of the list win: file, environment, flags. */
export interface ConfigSources {
  /** YAML file; undefined for none. */
  readonly file?: string | undefined;
  /** Usually `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Settings of the command line. */
  readonly flags?: readonly Assignment[];
}

/**
 * Reads, joins and validates a configuration.
 * @throws ConfigError that names every bad field with its path, what was expected and what was received.
 */
export function loadConfig(sources: ConfigSources): Config {
  return buildConfig(sources, sources.file === undefined ? undefined : readConfigFile(sources.file));
}

/** As {@link loadConfig}, with the text of the file already read. */
export function buildConfig(sources: ConfigSources, fileText: string | undefined): Config {
  const layers: Layer[] = [];
  if (fileText !== undefined) layers.push(fileLayer(fileText, sources.file ?? 'configuration'));
  layers.push(assignmentLayer(environmentAssignments(sources.environment ?? {})));
  layers.push(assignmentLayer(sources.flags ?? []));
  return validate(mergeLayers(layers), (path) => {
    for (const layer of layers.toReversed()) {
      const source = layer.sourceOf(path);
      if (source !== undefined) return source;
    }
    return '';
  });
}

/** Validates joined values. @throws ConfigError */
export function validate(
  values: unknown,
  sourceOf: (path: readonly PropertyKey[]) => string = () => '',
): Config {
  const result = configSchema.safeParse(values, { reportInput: true });
  if (result.success) return withoutDoubles(result.data);
  const faults: ConfigFault[] = [];
  for (const issue of result.error.issues) {
    for (const { keys, ...fault } of faultsOf(issue, isSecret(issue.path))) {
      faults.push({ ...fault, source: sourceOf(keys) });
    }
  }
  throw new ConfigError(faults);
}

function withoutDoubles(config: Config): Config {
  const seen = new Set<string>();
  config.pulls.forEach((pull, index) => {
    if (seen.has(pull.stream)) {
      throw new ConfigError([
        {
          path: `pulls[${index}].stream`,
          expected: 'each stream once',
          received: JSON.stringify(pull.stream),
          source: '',
        },
      ]);
    }
    seen.add(pull.stream);
  });
  return config;
}

/** Reads a configuration file of at most {@link MAX_CONFIG_BYTES} UTF-8 bytes. @throws ConfigError */
export function readConfigFile(file: string): string {
  const fail = (expected: string, received: string): never => {
    throw new ConfigError([{ path: '', expected, received, source: file }]);
  };
  const buffer = Buffer.allocUnsafe(MAX_CONFIG_BYTES + 1);
  let length = 0;
  try {
    const descriptor = openSync(file, 'r');
    try {
      for (let read = -1; read !== 0 && length < buffer.length; length += read) {
        read = readSync(descriptor, buffer, length, buffer.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    fail('a readable file', (error as NodeJS.ErrnoException).code ?? 'a fault');
  }
  if (length > MAX_CONFIG_BYTES) fail(`at most ${MAX_CONFIG_BYTES} bytes`, 'more');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
  } catch {
    return fail('UTF-8', 'other bytes');
  }
}

function isSecret(path: readonly PropertyKey[]): boolean {
  let schema: z.ZodType | undefined = configSchema;
  for (const part of path) {
    if (schema === undefined) return false;
    const inner: z.ZodType = unwrap(schema);
    schema =
      typeof part === 'number' ? (inner as z.ZodArray<z.ZodType>).element : fieldsOf(inner)?.[String(part)];
    if (schema !== undefined && !fieldsOf(schema) && notesOf(schema)?.secret) return true;
  }
  return false;
}

/** A copy for people to see: secrets are blanked. */
export function withoutSecrets(config: Config): unknown {
  const walk = (value: unknown, schema: z.ZodType | undefined): unknown => {
    const inner = schema && unwrap(schema);
    if (Array.isArray(value)) {
      return value.map((item) =>
        walk(item, inner instanceof z.ZodArray ? (inner.element as z.ZodType) : undefined),
      );
    }
    const fields = schema && fieldsOf(schema);
    if (isRecord(value) && fields !== undefined) {
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, walk(item, fields[name])]),
      );
    }
    return schema !== undefined && notesOf(schema)?.secret ? '***' : value;
  };
  return walk(config, configSchema);
}
