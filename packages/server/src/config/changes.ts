import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { fieldsOf, notesOf } from './field.ts';
import { type Config, configSchema } from './schema.ts';

/** What a reload brought. */
export interface ConfigChange {
  readonly previous: Config;
  readonly current: Config;
  /** Paths of the keys that have a new value now, e.g. `hub.mergeWindowMs`. */
  readonly applied: readonly string[];
  /** Paths of keys whose new value waits for a restart; `current` still has the old one. */
  readonly waiting: readonly string[];
}

/** Compares a configuration with its successor and keeps what only a restart can change. */
export function planChange(previous: Config, wanted: Config): ConfigChange {
  const applied: string[] = [];
  const waiting: string[] = [];
  const walk = (schema: z.ZodType, before: unknown, after: unknown, path: string): unknown => {
    const fields = fieldsOf(schema);
    if (fields !== undefined) {
      const merged: Record<string, unknown> = {};
      for (const [name, field] of Object.entries(fields)) {
        const value = walk(
          field,
          (before as Record<string, unknown>)[name],
          (after as Record<string, unknown>)[name],
          path === '' ? name : `${path}.${name}`,
        );
        if (value !== undefined) merged[name] = value;
      }
      return merged;
    }
    if (isDeepStrictEqual(before, after)) return before;
    if (notesOf(schema)?.reload) {
      applied.push(path);
      return after;
    }
    waiting.push(path);
    return before;
  };
  const current = walk(configSchema, previous, wanted, '') as Config;
  return { previous, current, applied, waiting };
}
