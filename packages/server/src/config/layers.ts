import { LineCounter, parse, parseDocument } from 'yaml';
import { z } from 'zod';
import { ConfigError, pathText } from './faults.ts';
import { fieldsOf, unwrap } from './field.ts';
import { configSchema } from './schema.ts';

/** Longest configuration file, bytes. */
export const MAX_CONFIG_BYTES = 262_144;

/** Values of one origin, before validation. */
export interface Layer {
  readonly values: Readonly<Record<string, unknown>>;
  /** Where the value at `path` came from, for messages; undefined if this layer does not have it. */
  sourceOf(path: readonly PropertyKey[]): string | undefined;
}

/** The layer of a YAML text. @throws ConfigError with file and line if it is no YAML or no mapping. */
export function fileLayer(text: string, fileName: string): Layer {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: '1.2', merge: false });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    const received = broken.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
    throw new ConfigError([
      { path: '', expected: 'YAML 1.2', received, source: `${fileName}:${line}:${col}` },
    ]);
  }
  let values: unknown;
  try {
    values = document.toJS({ maxAliasCount: 100 });
  } catch {
    throw new ConfigError([
      { path: '', expected: 'at most 100 aliases', received: 'more', source: fileName },
    ]);
  }
  if (values === null || values === undefined) values = {};
  if (!isRecord(values)) {
    throw new ConfigError([
      {
        path: '',
        expected: 'a mapping of sections',
        received: Array.isArray(values) ? 'a list' : 'a scalar',
        source: fileName,
      },
    ]);
  }
  return {
    values,
    sourceOf(path) {
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true);
        if (node === undefined) continue;
        const range = (node as { range?: readonly [number, number, number] | null }).range;
        return range ? `${fileName}:${lines.linePos(range[0]).line}` : fileName;
      }
      return undefined;
    },
  };
}

/** Settings that have an environment variable of their own. */
export const ENVIRONMENT: Readonly<Record<string, readonly string[]>> = {
  ONAIR_DATA: ['data'],
  ONAIR_HOST: ['host'],
  ONAIR_HTTP_PORT: ['http', 'port'],
  ONAIR_TLS_PORT: ['http', 'tlsPort'],
  ONAIR_RTMP_PORT: ['rtmp', 'port'],
  ONAIR_WEBRTC_PORT: ['webrtc', 'port'],
  ONAIR_COMPAT: ['compat'],
  ONAIR_LOG: ['log', 'format'],
};

/** One setting given as text outside the file. */
export interface Assignment {
  readonly path: readonly string[];
  readonly text: string;
  /** For messages, e.g. `--http-port`. */
  readonly source: string;
}

/** The settings in an environment. Empty variables count as unset. */
export function environmentAssignments(
  environment: Readonly<Record<string, string | undefined>>,
): Assignment[] {
  const found: Assignment[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || text === '') continue;
    const source = `environment ${name}`;
    const own = Object.hasOwn(ENVIRONMENT, name) ? ENVIRONMENT[name] : undefined;
    if (own !== undefined) found.push({ path: own, text, source });
    else if (name.startsWith('ONAIR__')) found.push({ path: name.slice(7).split('__'), text, source });
  }
  return found;
}

/** The layer of settings given as text: names in any case, values read as the key's kind demands. */
export function assignmentLayer(assignments: readonly Assignment[]): Layer {
  const values: Record<string, unknown> = {};
  const sources = new Map<string, string>();
  for (const { path: names, text, source } of assignments) {
    const { path, schema } = resolvePath(names);
    let at = values;
    for (const name of path.slice(0, -1)) {
      const below = Object.hasOwn(at, name) ? at[name] : undefined;
      if (isRecord(below)) at = below;
      else {
        const made: Record<string, unknown> = {};
        put(at, name, made);
        at = made;
      }
    }
    put(at, path.at(-1)!, readText(text, schema, pathText(path), source));
    sources.set(path.join('.'), source);
  }
  return {
    values,
    sourceOf(path) {
      for (let length = path.length; length > 0; length--) {
        const source = sources.get(path.slice(0, length).map(String).join('.'));
        if (source !== undefined) return source;
      }
      return undefined;
    },
  };
}

/** Key names as the schema spells them, and the schema there; unknown names stay as they are. */
function resolvePath(names: readonly string[]): { path: string[]; schema: z.ZodType | undefined } {
  let schema: z.ZodType | undefined = configSchema;
  const path: string[] = [];
  for (const name of names) {
    const fields: Readonly<Record<string, z.ZodType>> | undefined = schema && fieldsOf(schema);
    const known: string | undefined =
      fields && Object.keys(fields).find((field) => field.toLowerCase() === name.toLowerCase());
    path.push(known ?? name);
    schema = known === undefined ? undefined : fields![known];
  }
  return { path, schema };
}

function readText(text: string, schema: z.ZodType | undefined, path: string, source: string): unknown {
  const inner = schema && unwrap(schema);
  if (inner instanceof z.ZodString || inner instanceof z.ZodEnum) return text;
  if (inner instanceof z.ZodBoolean && (text === '0' || text === '1')) return text === '1';
  try {
    return parse(text, { maxAliasCount: 0 }) as unknown;
  } catch {
    throw new ConfigError([{ path, expected: 'a YAML value', received: 'text that is none', source }]);
  }
}

function put(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

/** True for a plain mapping. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Joins layers, the first one weakest; mappings are joined key by key, lists are replaced. */
export function mergeLayers(layers: readonly Layer[]): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  for (const layer of layers) mergeInto(merged, layer.values);
  return merged;
}

function mergeInto(target: Record<string, unknown>, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    const below = Object.hasOwn(target, name) ? target[name] : undefined;
    if (isRecord(value)) {
      const inner = isRecord(below) ? below : {};
      if (inner !== below) put(target, name, inner);
      mergeInto(inner, value);
    } else put(target, name, value);
  }
}
