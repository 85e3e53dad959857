import { ParseError } from '../model/errors.ts';

/** Most boxes one parse looks at, so that a file of empty boxes cannot cost more than its bytes. */
export const MAX_BOXES = 100_000;
/** Deepest nesting of boxes that is followed. */
export const MAX_BOX_DEPTH = 16;

const CLAUSE = 'ISO/IEC 14496-12 §4.2.2';

/** One box: where it lies in the bytes it was read from, and a view of what it contains. */
export interface Box {
  /** Four-character code, e.g. `moof`; bytes above 0x7f appear as Latin-1. */
  readonly type: string;
  /** Offset of the box's first header byte in the bytes given to {@link readBoxes}. */
  readonly start: number;
  /** Bytes of the whole box, header included. */
  readonly size: number;
  /** Content after the header (a `uuid` box keeps its 16-byte type here); a view, not a copy. */
  readonly body: Uint8Array;
}

/** Counts boxes over a whole parse; hand the same one to every {@link readBoxes} of that parse. */
export interface BoxBudget {
  /** Boxes that may still be read. */
  left: number;
}

/** A fresh budget of {@link MAX_BOXES}. */
export function boxBudget(): BoxBudget {
  return { left: MAX_BOXES };
}

/** Size and type at the start of a box. */
export interface BoxHeader {
  readonly type: string;
  /** Bytes of the whole box; 0 if it reaches to the end of the file. */
  readonly size: number;
  /** Bytes of the header: 8, or 16 with a 64-bit size. */
  readonly headerSize: number;
}

/**
 * The header of the box at `at`, or undefined while some of its 8 or 16 bytes are missing.
 * ISO/IEC 14496-12 §4.2.2: size 1 announces a 64-bit `largesize`, size 0 a box that reaches to the end.
 * @throws ParseError `MP4_BOX_SIZE` if the size is smaller than the header or above 2^53 − 1.
 */
export function readBoxHeader(bytes: Uint8Array, at: number): BoxHeader | undefined {
  if (bytes.length - at < 8) return undefined;
  const type = readType(bytes, at + 4);
  let size = readU32(bytes, at);
  let headerSize = 8;
  if (size === 1) {
    if (bytes.length - at < 16) return undefined;
    size = readU32(bytes, at + 8) * 0x1_0000_0000 + readU32(bytes, at + 12);
    headerSize = 16;
    if (!Number.isSafeInteger(size)) fail(`box ${show(type)} announces more than 2^53 - 1 bytes`, at);
  }
  if (size < headerSize && !(size === 0 && headerSize === 8)) {
    fail(`box ${show(type)} announces ${size} bytes, fewer than its header`, at);
  }
  return { type, size, headerSize };
}

/**
 * The boxes that lie one after another in `bytes`, all of them whole.
 * A box of size 0 takes what is left (§4.2.2 allows it for the last one only).
 * @throws ParseError `MP4_BOX_SIZE` if one reaches past the end, `MP4_BOX_COUNT` past the budget.
 */
export function readBoxes(bytes: Uint8Array, budget: BoxBudget = boxBudget(), from = 0): Box[] {
  const boxes: Box[] = [];
  let at = from;
  while (at < bytes.length) {
    if (--budget.left < 0) {
      throw new ParseError('MP4_BOX_COUNT', CLAUSE, `more than ${MAX_BOXES} boxes`, at);
    }
    const header = readBoxHeader(bytes, at);
    if (header === undefined) fail(`${bytes.length - at} bytes are no box header`, at);
    const size = header.size === 0 ? bytes.length - at : header.size;
    if (size > bytes.length - at) {
      fail(`box ${show(header.type)} announces ${size} bytes where ${bytes.length - at} are left`, at);
    }
    boxes.push({
      type: header.type,
      start: at,
      size,
      body: bytes.subarray(at + header.headerSize, at + size),
    });
    at += size;
  }
  return boxes;
}

/** The only box of `type` among `boxes`. @throws ParseError `MP4_BOX_MISSING` if there is none. */
export function requireBox(boxes: readonly Box[], type: string, clause: string): Box {
  const found = findBox(boxes, type);
  if (found === undefined) throw new ParseError('MP4_BOX_MISSING', clause, `no ${type} box`);
  return found;
}

/** The first box of `type` among `boxes`. */
export function findBox(boxes: readonly Box[], type: string): Box | undefined {
  for (const box of boxes) if (box.type === type) return box;
  return undefined;
}

/** Four bytes at `at` as Latin-1 characters. */
export function readType(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
}

function readU32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 0x100_0000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
}

function show(type: string): string {
  return JSON.stringify(type);
}

function fail(message: string, at: number): never {
  throw new ParseError('MP4_BOX_SIZE', CLAUSE, message, at);
}
