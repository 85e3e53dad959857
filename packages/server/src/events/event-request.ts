import { DecodeError, type Field } from '@onair/contracts';
import {
  bytesOfHex,
  type EventSplice,
  isEventId,
  isEventName,
  MAX_EVENT_BYTES,
  MAX_EVENT_ID,
  MAX_EVENT_NAME,
} from '@onair/media';
import { hexOf } from '@onair/media/amf';
import { hexOfBase64 } from '@onair/media/flv';

/** When an event is: now, at a place of the stream, so long from now, or when a clock shows a time. */
export type EventMoment =
  | { readonly kind: 'now' }
  | { readonly kind: 'media' /** µs of stream time. */; readonly time: number }
  | { readonly kind: 'after' /** µs from now. */; readonly delay: number }
  | { readonly kind: 'wall' /** ms since the Unix epoch. */; readonly wallMs: number };

/** An event that somebody asks for. */
export interface EventRequest {
  readonly id?: string;
  readonly name: string;
  readonly at: EventMoment;
  /** µs. */
  readonly duration: number;
  readonly data: unknown;
  readonly raw?: boolean;
  readonly splice?: EventSplice;
}

/** Fields of a request. */
const FIELDS = [
  'id',
  'name',
  'data',
  'base64',
  'time',
  'after',
  'wall',
  'duration',
  'raw',
  'scte35',
] as const;
/** Longest `splice_info_section`, in bytes: section_length has 12 bits. SCTE 35 §9.6. */
const MAX_SECTION = 4096;
/** `table_id` of a `splice_info_section`. */
const SPLICE_TABLE = 0xfc;

/** Reads a request as the API documents it. @throws DecodeError */
export function readEventRequest(field: Field): EventRequest {
  for (const name of Object.keys(field.object())) {
    if ((FIELDS as readonly string[]).includes(name)) continue;
    throw new DecodeError({
      path: name.slice(0, 64),
      expected: 'no field of this name',
      received: 'an unknown field',
    });
  }
  const splice = field.at('scte35').present ? readSplice(field.at('scte35')) : undefined;
  const bytes = field.at('base64');
  if (bytes.present && field.at('data').present) bytes.fail('nothing beside `data`');
  return {
    ...field.optional('id', readId),
    name:
      !field.at('name').present && splice !== undefined
        ? `scte35-${splice.kind}`
        : readName(field.at('name')),
    at: readMoment(field),
    duration: field.at('duration').present ? microseconds(field.at('duration'), 86_400) : 0,
    data: bytes.present ? { hex: readBytes(bytes) } : (field.at('data').value ?? null),
    ...(field.at('raw').present && field.at('raw').boolean() ? { raw: true } : {}),
    ...(splice === undefined ? {} : { splice }),
  };
}

function readId(field: Field): string {
  return isEventId(field.value) ? field.value : field.fail(`1 to ${MAX_EVENT_ID} of A-Z a-z 0-9 . _ : -`);
}

function readName(field: Field): string {
  return isEventName(field.value)
    ? field.value
    : field.fail(`1 to ${MAX_EVENT_NAME} characters without quotes and control characters`);
}

function readMoment(field: Field): EventMoment {
  const given = ['time', 'after', 'wall'].filter((name) => field.at(name).present);
  if (given.length > 1) field.at(given[1]!).fail(`nothing beside \`${given[0]}\``);
  switch (given[0]) {
    case 'time':
      return { kind: 'media', time: microseconds(field.at('time'), 1e9) };
    case 'after':
      return { kind: 'after', delay: microseconds(field.at('after'), 3600) };
    case 'wall': {
      const wall = field.at('wall');
      const wallMs = typeof wall.value === 'string' ? Date.parse(wall.string(40)) : wall.number(0);
      if (!(wallMs >= 0 && wallMs < 8.64e15)) wall.fail('milliseconds since 1970 or a date as in ISO 8601');
      return { kind: 'wall', wallMs };
    }
    default:
      return { kind: 'now' };
  }
}

/** Seconds as µs. */
function microseconds(field: Field, most: number): number {
  const seconds = field.number(0);
  if (seconds > most) field.fail(`at most ${most} seconds`);
  return Math.round(seconds * 1_000_000);
}

function readBytes(field: Field): string {
  const text = field.string(2 * MAX_EVENT_BYTES);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return field.fail('bytes in base64');
  return hexOf(Buffer.from(text, 'base64'));
}

/** `{ "kind": "out" | "in" | "command", "section": base64 or hexadecimal, "of": id of the event that began the break }` */
function readSplice(field: Field): EventSplice {
  const kind = field.at('kind').oneOf(['out', 'in', 'command'] as const);
  const text = field.at('section');
  const written = text.string(2 * MAX_SECTION + 2).replace(/^0x/i, '');
  const section = bytesOfHex(written) === undefined ? hexOfBase64(written) : written.toLowerCase();
  const bytes = section === undefined ? undefined : bytesOfHex(section);
  if (section === undefined || bytes === undefined || bytes.length < 3 || bytes[0] !== SPLICE_TABLE) {
    return text.fail('a splice_info_section in base64 or hexadecimal digits');
  }
  const length = ((bytes[1]! & 0x0f) << 8) | bytes[2]!;
  if (bytes.length !== length + 3) text.fail(`a section of ${length + 3} bytes as it says`);
  return { kind, section, ...(field.at('of').present ? { of: readId(field.at('of')) } : {}) };
}
