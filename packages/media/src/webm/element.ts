import { ParseError } from '../model/errors.ts';
import { Crc32 } from './crc32.ts';
import { ID } from './element-id.ts';
import { elementName } from './schema.ts';
import { MAX_ID_BYTES, readVint, vintAllOnes, vintBytes } from './vint.ts';

/** Deepest nesting of elements that is followed, Segment being the first. */
export const MAX_ELEMENT_DEPTH = 8;
/** Most elements that are read out of one element held in memory. */
export const MAX_ELEMENTS = 250_000;
/** Longest text that is decoded, in octets; longer ones are cut off. */
export const MAX_TEXT_BYTES = 4096;

const ID_CLAUSE = 'RFC 8794 §5';
const SIZE_CLAUSE = 'RFC 8794 §6';
const VALUE_CLAUSE = 'RFC 8794 §7';

/** An element that lies whole in memory. */
export interface Element {
  readonly id: number;
  /** Octet of its header, from the start of the stream. */
  readonly offset: number;
  readonly headerBytes: number;
  /** Its content: a view, not a copy. */
  readonly body: Uint8Array;
}

/** Counts elements over a whole parse; hand the same one to every {@link readElements} of that parse. */
export interface ElementBudget {
  /** Elements that may still be read. */
  left: number;
}

/** A fresh budget of {@link MAX_ELEMENTS}. */
export function elementBudget(): ElementBudget {
  return { left: MAX_ELEMENTS };
}

/** True for an element id that RFC 8794 §5 allows; ChapterDisplay breaks the rule about zeros. */
export function isElementId(id: number, bytes: number): boolean {
  const data = id - 2 ** (7 * bytes);
  return data !== vintAllOnes(bytes) && (data !== 0 || bytes === 1);
}

/**
 * The elements that follow each other in the content of `parent`, all of them whole and of known size.
 * @throws ParseError `EBML_ID`, `EBML_SIZE`, or `EBML_LIMIT` past the budget.
 */
export function readElements(parent: Element, budget: ElementBudget): Element[] {
  const { body } = parent;
  const base = parent.offset + parent.headerBytes;
  const found: Element[] = [];
  for (let at = 0; at < body.length; ) {
    if (--budget.left < 0) {
      throw new ParseError('EBML_LIMIT', 'RFC 8794 §8', `more than ${MAX_ELEMENTS} elements`, base + at);
    }
    const idBytes = vintBytes(body[at]!);
    let id = 0;
    for (let i = 0; i < idBytes && at + i < body.length; i++) id = id * 256 + body[at + i]!;
    if (idBytes > MAX_ID_BYTES || at + idBytes >= body.length || !isElementId(id, idBytes)) {
      throw new ParseError('EBML_ID', ID_CLAUSE, `no element id within ${elementName(parent.id)}`, base + at);
    }
    const size = readVint(body, at + idBytes);
    const headerBytes = idBytes + (size?.bytes ?? 0);
    if (size === undefined || size.value > body.length - at - headerBytes) {
      const told = size === undefined ? 'no size' : `${size.value} octets`;
      const what = `${elementName(id)} has ${told} where ${body.length - at} are left`;
      throw new ParseError('EBML_SIZE', SIZE_CLAUSE, what, base + at);
    }
    const end = at + headerBytes + size.value;
    found.push({ id, offset: base + at, headerBytes, body: body.subarray(at + headerBytes, end) });
    at = end;
  }
  return found;
}

/**
 * Checks the CRC-32 with which the content of a master element may begin. RFC 8794 §11.3.1.
 * @throws ParseError `EBML_CRC`
 */
export function checkCrc(parent: Element): void {
  const { body } = parent;
  if (body[0] !== ID.CRC32 || body[1] !== 0x84 || body.length < 6) return;
  const told = crcValue(body.subarray(2, 6));
  if (new Crc32().update(body.subarray(6)).value !== told) throw crcMismatch(parent.id, parent.offset);
}

/** The sum in the content of a CRC-32 element: the only number of EBML that is little-endian. */
export function crcValue(content: Uint8Array): number {
  return (content[0]! | (content[1]! << 8) | (content[2]! << 16) | (content[3]! << 24)) >>> 0;
}

/** The error for a master element whose content is not what its CRC-32 says. */
export function crcMismatch(id: number, offset: number): ParseError {
  return new ParseError(
    'EBML_CRC',
    'RFC 8794 §11.3.1',
    `the content of ${elementName(id)} is damaged`,
    offset,
  );
}

/** An unsigned integer. RFC 8794 §7.2. @throws ParseError `EBML_VALUE` above 2^53 − 1 or 8 octets. */
export function readUint(element: Element): number {
  const { body } = element;
  if (body.length > 8) throw badValue(element, `an integer of ${body.length} octets`);
  let value = 0;
  for (const octet of body) value = value * 256 + octet;
  if (!Number.isSafeInteger(value)) throw badValue(element, 'above 2^53 - 1');
  return value;
}

/** A signed integer. RFC 8794 §7.1. @throws ParseError `EBML_VALUE` beyond ±2^53 or 8 octets. */
export function readInt(element: Element): number {
  const { body } = element;
  if (body.length > 8) throw badValue(element, `an integer of ${body.length} octets`);
  if (body.length === 0) return 0;
  let value = (body[0]! << 24) >> 24;
  for (let i = 1; i < body.length; i++) value = value * 256 + body[i]!;
  if (!Number.isSafeInteger(value)) throw badValue(element, 'beyond 2^53 - 1');
  return value;
}

/** A float of 0, 4 or 8 octets. RFC 8794 §7.3. @throws ParseError `EBML_VALUE`, also for what is not finite. */
export function readFloat(element: Element): number {
  const { body } = element;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length !== 0 && body.length !== 4 && body.length !== 8) {
    throw badValue(element, `a float of ${body.length} octets`);
  }
  const value = body.length === 0 ? 0 : body.length === 4 ? view.getFloat32(0) : view.getFloat64(0);
  if (!Number.isFinite(value)) throw badValue(element, 'a float that is no number');
  return value;
}

const decoder = new TextDecoder('utf-8', { fatal: false });

/** A text up to its terminating zero. RFC 8794 §7.4, §7.5. Malformed UTF-8 becomes U+FFFD. */
export function readText(element: Element): string {
  const { body } = element;
  const zero = body.indexOf(0);
  return decoder.decode(body.subarray(0, Math.min(zero < 0 ? body.length : zero, MAX_TEXT_BYTES)));
}

/** The first element of `id`. */
export function findElement(elements: readonly Element[], id: number): Element | undefined {
  for (const element of elements) if (element.id === id) return element;
  return undefined;
}

/** The error for a value that its type does not allow. */
function badValue(element: Element, what: string): ParseError {
  return new ParseError('EBML_VALUE', VALUE_CLAUSE, `${elementName(element.id)} is ${what}`, element.offset);
}
