import { z } from 'zod';

/** What the configuration page and the reload know about a key. */
export interface KeyNotes {
  /** Text of `docs/config.md`. */
  readonly description: string;
  /** True if a running server applies a change of the key at once. */
  readonly reload?: boolean;
  /** True if the value must never be shown. */
  readonly secret?: boolean;
}

const notes = z.registry<KeyNotes>();

/** Attaches the notes that make a schema a configuration key. */
export function key<T extends z.ZodType>(schema: T, note: KeyNotes): T {
  notes.add(schema, note);
  return schema;
}

/** Notes of a key, or undefined for schemas in between. */
export function notesOf(schema: z.ZodType): KeyNotes | undefined {
  return notes.get(schema);
}

/** The schema below `default`, `prefault`, `optional` and `nullable`. */
export function unwrap(schema: z.ZodType): z.ZodType {
  let inner: z.ZodType = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable
  ) {
    inner = inner.unwrap() as z.ZodType;
  }
  return inner;
}

/** Fields of an object schema, or undefined for any other. */
export function fieldsOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> | undefined {
  const inner = unwrap(schema);
  return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : undefined;
}

/** A TCP port; 0 lets the system pick one. */
export const port = (): z.ZodNumber => z.int().min(0).max(65_535);

/** A number of bytes from 1 to `max`. */
export const bytes = (max = 2 ** 40): z.ZodNumber => z.int().min(1).max(max);

/** A duration in milliseconds; never above what a timer can hold (2^31 - 1). */
export const milliseconds = (min: number, max = 2 ** 31 - 1): z.ZodNumber => z.int().min(min).max(max);

/** A number of things from 1 to `max`. */
export const count = (max = 10_000_000): z.ZodNumber => z.int().min(1).max(max);

/** An application or stream name. */
export const namePart = (): z.ZodString => z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
