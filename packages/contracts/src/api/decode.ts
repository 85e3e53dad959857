import type { FieldFault } from '../errors/index.ts';

/** A message that is not what its contract says. Names the field, what it should be and what it is. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly fault: FieldFault;

  constructor(fault: FieldFault) {
    super(
      `${fault.path === '' ? 'the message' : fault.path}: expected ${fault.expected}, received ${fault.received}`,
    );
    this.fault = fault;
  }
}

/** Longest string that a decoder accepts where its contract names no other limit, in UTF-16 units. */
export const MAX_STRING_LENGTH = 4096;
/** Longest list that a decoder accepts where its contract names no other limit. */
export const MAX_LIST_LENGTH = 10_000;

/** A value from outside together with where it was found. Each reader checks one kind or throws. */
export class Field {
  readonly value: unknown;
  readonly path: string;

  constructor(value: unknown, path = '') {
    this.value = value;
    this.path = path;
  }

  /** The field `key` of this object. */
  at(key: string): Field {
    const path = this.path === '' ? key : `${this.path}.${key}`;
    return new Field(Object.hasOwn(this.object(), key) ? this.object()[key] : undefined, path);
  }

  /** True if the field is there and not null. */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  object(): Readonly<Record<string, unknown>> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) {
      return this.fail('an object');
    }
    return this.value as Record<string, unknown>;
  }

  string(maxLength = MAX_STRING_LENGTH): string {
    if (typeof this.value !== 'string') return this.fail('a string');
    if (this.value.length > maxLength) return this.fail(`a string of at most ${maxLength} characters`);
    return this.value;
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.fail('true or false');
  }

  /** A finite number not below `min`. */
  number(min = Number.NEGATIVE_INFINITY): number {
    if (typeof this.value !== 'number' || !Number.isFinite(this.value)) return this.fail('a finite number');
    return this.value < min ? this.fail(`a number of at least ${min}`) : this.value;
  }

  /** A safe integer not below 0. */
  count(): number {
    const value = this.value;
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
      ? value
      : this.fail('an integer of at least 0');
  }

  /** One of the given words. */
  oneOf<T extends string>(words: readonly T[]): T {
    return words.includes(this.value as T) ? (this.value as T) : this.fail(`one of ${words.join(', ')}`);
  }

  list<T>(item: (field: Field) => T, maxLength = MAX_LIST_LENGTH): T[] {
    if (!Array.isArray(this.value)) return this.fail('a list');
    if (this.value.length > maxLength) return this.fail(`a list of at most ${maxLength}`);
    return this.value.map((value, index) => item(new Field(value, `${this.path}[${index}]`)));
  }

  /** A map from names to values; the result has no prototype. */
  map<T>(item: (field: Field) => T): Record<string, T> {
    const out = Object.create(null) as Record<string, T>;
    for (const key of Object.keys(this.object())) out[key] = item(this.at(key));
    return out;
  }

  /** `{ [key]: read(field) }` if the field `key` is present, else `{}`; to spread into a result. */
  optional<K extends string, T>(key: K, read: (field: Field) => T): { [P in K]?: T } {
    const field = this.at(key);
    return (field.present ? { [key]: read(field) } : {}) as { [P in K]?: T };
  }

  /** @throws DecodeError always. */
  fail(expected: string): never {
    throw new DecodeError({ path: this.path, expected, received: describeValue(this.value) });
  }
}

/** What a value is, short enough for an error message. Strings are quoted, which escapes control characters. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      return 'an object';
    default:
      return `a ${typeof value}`;
  }
}
