import { describeValue, type FieldFault } from '@onair/contracts';
import type { z } from 'zod';

/** A fault of the configuration and where the bad value came from. */
export interface ConfigFault extends FieldFault {
  /** e.g. `onair.yaml:12`, `environment ONAIR_HTTP_PORT`, `--http-port`; empty if the value is missing. */
  readonly source: string;
}

/** The configuration cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(faults.map(faultText).join('\n'));
    this.faults = faults;
  }
}

/** One line for a person: where, which field, expected and received. */
export function faultText(fault: ConfigFault): string {
  const where = fault.source === '' ? '' : ` (${fault.source})`;
  const field = fault.path === '' ? 'configuration' : fault.path;
  return `${field}: expected ${fault.expected}, received ${fault.received}${where}`;
}

/** `a.b[0].c` for the path of a value. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? shortKey(part) : `.${shortKey(part)}`;
  }
  return text;
}

function shortKey(part: PropertyKey): string {
  const word = String(part);
  return /^[\w-]{1,64}$/.test(word) ? word : describeValue(word);
}

/** A fault before its source is known. */
export interface BareFault extends FieldFault {
  readonly keys: readonly PropertyKey[];
}

/** The faults that an issue of the schema stands for. */
export function faultsOf(issue: z.core.$ZodIssue, secret: boolean): BareFault[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => ({
      keys: [...path, name],
      path: pathText([...path, name]),
      expected: 'no field of this name',
      received: 'an unknown field',
    }));
  }
  const received = secret && typeof issue.input === 'string' ? 'a secret' : describeValue(issue.input);
  return [{ keys: path, path: pathText(path), expected: expectedOf(issue), received }];
}

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a whole number', // no key takes fractions
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

function expectedOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `at most ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_format':
      return issue.pattern === undefined ? issue.format : `a string that matches ${issue.pattern}`;
    default:
      return issue.message;
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  if (origin === 'array') return ' entries';
  return '';
}
