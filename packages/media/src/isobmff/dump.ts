import { type Box, type BoxBudget, boxBudget, MAX_BOX_DEPTH, readBoxes } from './box.ts';
import { readEventMessage } from './event-message.ts';
import { readFileType } from './file-type.ts';
import { readDecodeTime, readSequence, readTrackFragmentHeader, readTrackRun } from './fragment.ts';
import { readHandler } from './handler.ts';
import { readMediaHeader } from './media-header.ts';
import { readProducerReferenceTime } from './producer-reference-time.ts';
import { readTrackExtends } from './track-extends.ts';
import { readTrackHeader } from './track-header.ts';

/** Boxes that contain boxes, and how many bytes of their body come before the first. */
export const BOX_CONTAINERS: Readonly<Record<string, number>> = {
  moov: 0,
  trak: 0,
  mdia: 0,
  minf: 0,
  dinf: 0,
  dref: 8,
  stbl: 0,
  stsd: 8,
  mvex: 0,
  moof: 0,
  traf: 0,
  avc1: 78,
  avc3: 78,
  hvc1: 78,
  hev1: 78,
  vvc1: 78,
  av01: 78,
  vp08: 78,
  vp09: 78,
  mp4a: 28,
  Opus: 28,
  fLaC: 28,
  'ac-3': 28,
  'ec-3': 28,
};

/** Bytes shown of a box whose fields we do not name. */
const SHOWN_BYTES = 32;

/**
 * A readable tree of the boxes in `bytes`: type, size, fields. For review, tests and the inspector.
 * @throws ParseError as {@link readBoxes}; boxes deeper than {@link MAX_BOX_DEPTH} are not opened.
 */
export function dumpBoxes(bytes: Uint8Array): string {
  const lines: string[] = [];
  dumpInto(lines, readBoxes(bytes), 0, boxBudget());
  return `${lines.join('\n')}\n`;
}

function dumpInto(lines: string[], boxes: readonly Box[], depth: number, budget: BoxBudget): void {
  for (const box of boxes) {
    const skip = BOX_CONTAINERS[box.type];
    const indent = '  '.repeat(depth);
    if (skip === undefined || depth >= MAX_BOX_DEPTH || box.body.length < skip) {
      lines.push(`${indent}${box.type} ${box.size}${boxFields(box)}`);
      continue;
    }
    const head = skip > 0 ? ` [${hex(box.body.subarray(0, skip))}]` : '';
    lines.push(`${indent}${box.type} ${box.size}${head}`);
    dumpInto(lines, readBoxes(box.body, budget, skip), depth + 1, budget);
  }
}

/**
 * What a box says, each field with a blank in front; its first bytes in hexadecimal if its fields are not named here.
 * @throws ParseError if they reach behind the body.
 */
export function boxFields({ type, body }: Pick<Box, 'type' | 'body'>): string {
  switch (type) {
    case 'ftyp':
    case 'styp':
      return named(readFileType(body));
    case 'tkhd':
      return named(readTrackHeader(body));
    case 'mdhd':
      return named(readMediaHeader(body));
    case 'hdlr':
      return ` handler=${readHandler(body)}`;
    case 'trex':
      return named(readTrackExtends(body));
    case 'mfhd':
      return ` sequence=${readSequence(body)}`;
    case 'tfhd':
      return ` bits=${hex(body.subarray(1, 4))}${named(readTrackFragmentHeader(body))}`;
    case 'tfdt':
      return ` baseDecodeTime=${readDecodeTime(body)}`;
    case 'trun':
      return runFields(body);
    case 'prft':
      return named(readProducerReferenceTime(body));
    case 'emsg':
      return named(readEventMessage(body));
    default:
      return body.length === 0 ? '' : ` ${hex(body)}`;
  }
}

function runFields(body: Uint8Array): string {
  const { entries, ...run } = readTrackRun(body);
  const rows = entries.map((entry) => `{${named(entry)} }`);
  return `${named({ version: body[0], bits: body.subarray(1, 4), ...run })} ${rows.join(' ')}`;
}

function named(value: object): string {
  return Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => ` ${name}=${show(field)}`)
    .join('');
}

function show(field: unknown): string {
  if (field instanceof Uint8Array) return hex(field);
  if (Array.isArray(field)) return field.join(',');
  return String(field);
}

function hex(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, SHOWN_BYTES), (byte) => byte.toString(16).padStart(2, '0'));
  return shown.join('') + (bytes.length > SHOWN_BYTES ? `… ${bytes.length} bytes` : '');
}
