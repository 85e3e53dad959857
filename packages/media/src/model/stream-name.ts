import { ParseError } from './errors.ts';

declare const brand: unique symbol;
/** A checked `app/name` pair; the only form in which a stream's name travels past the edge. */
export type StreamName = string & { readonly [brand]: 'StreamName' };

/** Longest application or stream name, in characters. */
export const MAX_NAME_LENGTH = 64;
/** Application used when an address names none. */
export const DEFAULT_APP = 'live';

const PART = /^[A-Za-z0-9_-]{1,64}$/;

/** True if `part` may stand as an application or stream name. */
export function isNamePart(part: unknown): part is string {
  return typeof part === 'string' && PART.test(part);
}

/**
 * The stream name for an application and a name.
 * @throws ParseError `NAME_INVALID` unless both match `[A-Za-z0-9_-]{1,64}`.
 */
export function streamName(app: unknown, name: unknown): StreamName {
  if (!isNamePart(app) || !isNamePart(name)) {
    throw new ParseError(
      'NAME_INVALID',
      'onair names',
      `a stream is named APP/NAME with 1 to ${MAX_NAME_LENGTH} of A-Z a-z 0-9 _ - each, received ${quote(app)}/${quote(name)}`,
    );
  }
  return `${app}/${name}` as StreamName;
}

/** Application part and name part of a stream name. */
export function splitStreamName(full: StreamName): { readonly app: string; readonly name: string } {
  const slash = full.indexOf('/');
  return { app: full.slice(0, slash), name: full.slice(slash + 1) };
}

function quote(part: unknown): string {
  if (typeof part !== 'string') return `a ${typeof part}`;
  return JSON.stringify(part.length > 40 ? `${part.slice(0, 40)}…` : part);
}
