import { ParseError } from '../model/errors.ts';

const CLAUSE = 'RFC 8216 §4.2';
/** Most attributes on one line. */
export const MAX_ATTRIBUTES = 64;

/** One attribute list: names to typed values; each getter refuses a value of another type. RFC 8216 §4.2. */
export class Attributes {
  readonly #tag: string;
  readonly #values: ReadonlyMap<string, string>;

  /** @param text what follows the colon of `tag`. @throws ParseError `HLS_ATTRIBUTE`. */
  constructor(tag: string, text: string) {
    this.#tag = tag;
    this.#values = readList(tag, text);
  }

  /** Names and values as written, quotes included. */
  entries(): IterableIterator<[string, string]> {
    return this.#values.entries();
  }

  /** The value as written, quotes included. */
  written(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** A quoted string, without its quotes. */
  quoted(name: string): string | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    if (!value.startsWith('"')) this.#fail(name, 'a quoted string', value);
    return value.slice(1, -1);
  }

  /** A quoted string that must be there. */
  requireQuoted(name: string): string {
    return this.quoted(name) ?? this.#missing(name);
  }

  /** An enumerated string, not quoted. */
  enumerated(name: string): string | undefined {
    const value = this.#values.get(name);
    if (value?.startsWith('"')) this.#fail(name, 'an enumerated string', value);
    return value;
  }

  /** An enumerated string that must be there. */
  requireEnumerated(name: string): string {
    return this.enumerated(name) ?? this.#missing(name);
  }

  /** `YES` or absent; `NO` where the standard knows it. */
  yes(name: string): boolean {
    const value = this.enumerated(name);
    if (value !== undefined && value !== 'YES' && value !== 'NO') this.#fail(name, 'YES or NO', value);
    return value === 'YES';
  }

  /** A decimal integer up to 2^53 − 1. */
  integer(name: string): number | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!/^\d{1,20}$/.test(value) || !Number.isSafeInteger(number)) this.#fail(name, 'an integer', value);
    return number;
  }

  /** A decimal integer that must be there. */
  requireInteger(name: string): number {
    return this.integer(name) ?? this.#missing(name);
  }

  /** A decimal number; a sign only where the attribute is signed. */
  decimal(name: string, signed = false): number | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    const form = signed ? /^-?\d{1,20}(\.\d{1,20})?$/ : /^\d{1,20}(\.\d{1,20})?$/;
    if (!form.test(value)) this.#fail(name, 'a decimal number', value);
    return Number(value);
  }

  /** A decimal number that must be there. */
  requireDecimal(name: string, signed = false): number {
    return this.decimal(name, signed) ?? this.#missing(name);
  }

  #missing(name: string): never {
    throw new ParseError('HLS_ATTRIBUTE', CLAUSE, `${this.#tag} lacks ${name}`);
  }

  #fail(name: string, wanted: string, value: string): never {
    const shown = JSON.stringify(value.slice(0, 40));
    throw new ParseError('HLS_ATTRIBUTE', CLAUSE, `${this.#tag} ${name} should be ${wanted}, is ${shown}`);
  }
}

/** `AttributeName=AttributeValue`, divided by commas; no name twice. One pass over the text. */
function readList(tag: string, text: string): Map<string, string> {
  const values = new Map<string, string>();
  const pair = /([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)/y;
  let at = 0;
  while (at < text.length) {
    pair.lastIndex = at;
    const match = pair.exec(text);
    if (match === null) {
      throw new ParseError(
        'HLS_ATTRIBUTE',
        CLAUSE,
        `${tag} is no attribute list at ${JSON.stringify(text.slice(at, at + 40))}`,
      );
    }
    const [whole, name, value, comma] = match;
    if (values.has(name!)) throw new ParseError('HLS_ATTRIBUTE', CLAUSE, `${tag} has ${name} twice`);
    if (values.size >= MAX_ATTRIBUTES) {
      throw new ParseError('HLS_LIMIT', CLAUSE, `${tag} has more than ${MAX_ATTRIBUTES} attributes`);
    }
    values.set(name!, value!);
    at += whole.length;
    if (comma === ',' && at === text.length) {
      throw new ParseError('HLS_ATTRIBUTE', CLAUSE, `${tag} ends with a comma`);
    }
  }
  return values;
}
