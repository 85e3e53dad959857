/** What stands in the place of a secret. */
export const REDACTED = '***';

/** Names of query parameters and fields whose values are secrets, in lower case without `-` and `_`. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'key',
  'streamkey',
  'apikey',
  'token',
  'accesstoken',
  'admintoken',
  'refreshtoken',
  'idtoken',
  'jwt',
  'auth',
  'authorization',
  'cookie',
  'setcookie',
  'secret',
  'password',
  'passwd',
  'pass',
  'pwd',
  'signature',
  'sig',
  'xonairtoken',
]);

const PAIR = /([?&;#])([^=&;#?\s"'\\]{1,64})=([^&;#\s"'\\]*)/g;
const USER_INFO = /([a-z][a-z0-9+.-]{0,20}:\/\/)[^/@\s"'\\]{1,512}@/gi;
const BEARER = /\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{4,}/gi;

/** True if a field or parameter of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(decoded(name).toLowerCase().replaceAll(/[-_]/g, ''));
}

/** The text with every secret in its URLs and headers blanked; works on relative addresses and whole log lines. */
export function redactUrl(text: string): string {
  return text
    .replace(PAIR, (pair: string, before: string, name: string) =>
      isSecretName(name) ? `${before}${name}=${REDACTED}` : pair,
    )
    .replace(USER_INFO, `$1${REDACTED}@`)
    .replace(BEARER, `$1$2${REDACTED}`);
}

/** Longest string that is logged, in UTF-16 units. */
export const MAX_LOGGED_STRING = 2000;
const MAX_DEPTH = 5;
const MAX_ENTRIES = 100;

/** A copy of a log record in which secrets are blanked and long strings, lists and nestings are cut. */
export function redactFields(record: Readonly<Record<string, unknown>>, depth = 0): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(record).slice(0, MAX_ENTRIES)) {
    const value = isSecretName(name) ? blank(record[name]) : clean(record[name], depth);
    Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

function blank(value: unknown): unknown {
  return value === undefined || value === null || typeof value === 'boolean' ? value : REDACTED;
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shorten(value);
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((item) => clean(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return redactFields(value as Record<string, unknown>, depth + 1);
}

/** The string, cut to {@link MAX_LOGGED_STRING}. */
export function shorten(text: string): string {
  return text.length > MAX_LOGGED_STRING ? `${text.slice(0, MAX_LOGGED_STRING)}…` : text;
}

function decoded(name: string): string {
  if (!name.includes('%')) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

// Control characters (C0, DEL, C1), line and paragraph separators, marks and overrides of direction.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The text with control characters, line separators and direction marks written as `\uXXXX`. */
export function escapeControls(text: string): string {
  return text.replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
