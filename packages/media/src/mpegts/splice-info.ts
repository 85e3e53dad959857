import { ByteReader } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { EventSplice } from '../model/timed-event.ts';
import { CLOCK_RANGE } from './clock.ts';

const CLAUSE = 'SCTE 35 §9.6';
const SPLICE_TABLE = 0xfc;
/** `splice_command_type`. SCTE 35 Table 6. */
const COMMAND = { null: 0x00, insert: 0x05, timeSignal: 0x06, bandwidth: 0x07 } as const;
/** `splice_descriptor_tag` of a segmentation_descriptor. SCTE 35 §10.1. */
const SEGMENTATION = 0x02;
/** `identifier` of the descriptors of SCTE 35: `CUEI`. */
const CUEI = 0x43554549;
/** Most descriptors of a section that are looked at. */
const MAX_DESCRIPTORS = 32;
/**
 * `segmentation_type_id` of what takes the viewer out of the program: breaks, advertisements, opportunities for them and
 * promotions. The id above each is that of its end. SCTE 35 Table 23.
 */
const OUT_TYPES: ReadonlySet<number> = new Set([
  0x22, 0x30, 0x32, 0x34, 0x36, 0x38, 0x3a, 0x3c, 0x3e, 0x44, 0x46,
]);

/** What a `splice_info_section` says. */
export interface SpliceInfo {
  readonly kind: EventSplice['kind'];
  /** `splice_event_id` or `segmentation_event_id`; undefined for a command without one. */
  readonly event: number | undefined;
  /** When, in 90 kHz ticks of 33 bits, with the adjustment; undefined for at once. */
  readonly pts: number | undefined;
  /** 90 kHz ticks, if it tells how long what begins will last. */
  readonly duration: number | undefined;
  /** `segmentation_type_id` of the descriptor that decides the kind. */
  readonly segmentation: number | undefined;
}

interface Segment {
  readonly event: number;
  readonly cancelled: boolean;
  readonly type: number;
  readonly duration: number | undefined;
}

/**
 * Reads a whole section whose CRC was checked.
 * @returns undefined for one that asks for nothing: `splice_null` and bandwidth reservations.
 * @throws ParseError `TS_SECTION`, `BYTES_OUT_OF_RANGE`
 */
export function readSplice(section: Uint8Array): SpliceInfo | undefined {
  const reader = new ByteReader(section, CLAUSE);
  if (reader.u8() !== SPLICE_TABLE) throw malformed('another table_id');
  const length = reader.u16() & 0x0fff;
  if (length !== reader.remaining) throw malformed(`${reader.remaining} bytes behind a length of ${length}`);
  const version = reader.u8();
  if (version !== 0) throw malformed(`protocol_version ${version}`);
  const flags = reader.u8();
  const adjustment = (flags & 1) * 2 ** 32 + reader.u32();
  reader.skip(4); // cw_index, tier, splice_command_length
  const command = reader.u8();
  const unknown = { event: undefined, pts: undefined, duration: undefined, segmentation: undefined };
  if (command === COMMAND.null || command === COMMAND.bandwidth) return undefined;
  const encrypted = (flags & 0x80) !== 0;
  if (encrypted) return { kind: 'command', ...unknown };
  if (command === COMMAND.insert) return readInsert(reader, adjustment);
  if (command !== COMMAND.timeSignal) return { kind: 'command', ...unknown };
  const pts = readTime(reader, adjustment);
  const segments = readSegments(reader);
  const chosen = segments.find(({ type }) => kindOf(type) !== 'command') ?? segments[0];
  if (chosen === undefined) return { kind: 'command', ...unknown, pts };
  const { event, type, duration, cancelled } = chosen;
  return { kind: cancelled ? 'command' : kindOf(type), event, pts, duration, segmentation: type };
}

/** `splice_insert()`. SCTE 35 §9.7.3. */
function readInsert(reader: ByteReader, adjustment: number): SpliceInfo {
  const event = reader.u32();
  const cancelled = (reader.u8() & 0x80) !== 0;
  if (cancelled)
    return { kind: 'command', event, pts: undefined, duration: undefined, segmentation: undefined };
  const flags = reader.u8();
  const whole = (flags & 0x40) !== 0;
  const immediate = (flags & 0x10) !== 0;
  let pts: number | undefined;
  if (whole && !immediate) pts = readTime(reader, adjustment);
  if (!whole) {
    // Components may splice at times of their own; the first stands for all.
    for (let left = reader.u8(); left > 0; left--) {
      reader.skip(1);
      const own = immediate ? undefined : readTime(reader, adjustment);
      pts ??= own;
    }
  }
  const duration = (flags & 0x20) !== 0 ? readBreak(reader) : undefined;
  return { kind: (flags & 0x80) !== 0 ? 'out' : 'in', event, pts, duration, segmentation: undefined };
}

/** `splice_time()`. SCTE 35 §9.8.1. */
function readTime(reader: ByteReader, adjustment: number): number | undefined {
  const first = reader.u8();
  if ((first & 0x80) === 0) return undefined;
  return ((first & 1) * 2 ** 32 + reader.u32() + adjustment) % CLOCK_RANGE;
}

/** `break_duration()`. SCTE 35 §9.8.2. */
function readBreak(reader: ByteReader): number {
  return (reader.u8() & 1) * 2 ** 32 + reader.u32();
}

/** The segmentation descriptors behind a command. SCTE 35 §10.3.3. */
function readSegments(reader: ByteReader): Segment[] {
  const segments: Segment[] = [];
  const loop = new ByteReader(reader.bytes(reader.u16()), CLAUSE);
  for (let count = 0; loop.remaining >= 2 && count < MAX_DESCRIPTORS; count++) {
    const tag = loop.u8();
    const own = new ByteReader(loop.bytes(loop.u8()), 'SCTE 35 §10.3.3');
    if (tag !== SEGMENTATION || own.remaining < 9 || own.u32() !== CUEI) continue;
    segments.push(readSegment(own));
  }
  return segments;
}

function readSegment(own: ByteReader): Segment {
  const event = own.u32();
  if ((own.u8() & 0x80) !== 0) return { event, cancelled: true, type: 0, duration: undefined };
  const flags = own.u8();
  const whole = (flags & 0x80) !== 0;
  if (!whole) own.skip(own.u8() * 6);
  const duration = (flags & 0x40) !== 0 ? own.u8() * 2 ** 32 + own.u32() : undefined;
  own.skip(1); // segmentation_upid_type
  own.skip(own.u8());
  return { event, cancelled: false, type: own.u8(), duration };
}

function kindOf(type: number): EventSplice['kind'] {
  if (OUT_TYPES.has(type)) return 'out';
  return OUT_TYPES.has(type - 1) ? 'in' : 'command';
}

function malformed(what: string): ParseError {
  return new ParseError('TS_SECTION', CLAUSE, what);
}
