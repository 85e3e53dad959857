import { ParseError } from '../model/errors.ts';
import { readSignedVint, readVint } from './vint.ts';

/** Octets of a block's header behind its track number: relative timestamp and flags. */
const FIXED_BYTES = 3;
const CLAUSE = 'RFC 9559 §10.1';
const LACING_CLAUSE = 'RFC 9559 §10.3';

/** How several frames share a block. RFC 9559 §10.3. */
export type Lacing = 'none' | 'xiph' | 'fixed' | 'ebml';
const LACINGS: readonly Lacing[] = ['none', 'xiph', 'fixed', 'ebml'];

/** What stands in front of the frames of a Block or SimpleBlock. */
export interface BlockHeader {
  readonly trackNumber: number;
  /** Ticks of the Segment from the Cluster's Timestamp, −32768 to 32767. */
  readonly relativeTime: number;
  /** Flag of a SimpleBlock; of no meaning in a Block. */
  readonly keyframe: boolean;
  /** The frame is decoded, but not shown. */
  readonly invisible: boolean;
  readonly lacing: Lacing;
  /** Flag of a SimpleBlock. */
  readonly discardable: boolean;
  readonly headerBytes: number;
}

/** A block with its frames, which are views into it. */
export interface Block extends BlockHeader {
  readonly frames: readonly Uint8Array[];
}

/** Reads what stands in front of the frames; undefined if it is cut off or no track number. */
export function readBlockHeader(body: Uint8Array): BlockHeader | undefined {
  const track = readVint(body, 0);
  if (track === undefined || body.length < track.bytes + FIXED_BYTES) return undefined;
  const at = track.bytes;
  const flags = body[at + 2]!;
  return {
    trackNumber: track.value,
    relativeTime: (((body[at]! << 8) | body[at + 1]!) << 16) >> 16,
    keyframe: (flags & 0x80) !== 0,
    invisible: (flags & 0x08) !== 0,
    lacing: LACINGS[(flags >> 1) & 3]!,
    discardable: (flags & 0x01) !== 0,
    headerBytes: at + FIXED_BYTES,
  };
}

/**
 * Reads the content of a Block or SimpleBlock. RFC 9559 §10.
 * @throws ParseError `WEBM_BLOCK` if the header is cut off or the lace sizes do not fit; offsets count from
 * the start of `body`.
 */
export function readBlock(body: Uint8Array): Block {
  const header = readBlockHeader(body);
  if (header === undefined) throw new ParseError('WEBM_BLOCK', CLAUSE, 'a block without its header', 0);
  const payload = body.subarray(header.headerBytes);
  if (header.lacing === 'none') return { ...header, frames: [payload] };
  const count = (payload[0] ?? fail('no number of frames', header.headerBytes)) + 1;
  const { sizes, at } = laceSizes(header.lacing, payload, count);
  let position = at;
  const frames: Uint8Array[] = [];
  for (const size of sizes) {
    frames.push(payload.subarray(position, position + size));
    position += size;
  }
  return { ...header, frames };
}

/** The sizes of all frames, which together fill the payload, and where the first begins. */
function laceSizes(
  lacing: Exclude<Lacing, 'none'>,
  payload: Uint8Array,
  count: number,
): { readonly sizes: readonly number[]; readonly at: number } {
  if (lacing === 'fixed') {
    const size = (payload.length - 1) / count;
    if (!Number.isInteger(size)) fail(`${payload.length - 1} octets for ${count} equal frames`, 0);
    return { sizes: new Array<number>(count).fill(size), at: 1 };
  }
  const sizes: number[] = [];
  let at = 1;
  let total = 0;
  for (let i = 0; i < count - 1; i++) {
    const { size, bytes } = lacing === 'xiph' ? xiphSize(payload, at) : ebmlSize(payload, at, sizes.at(-1));
    at += bytes;
    total += size;
    if (size < 0 || total > payload.length - at) fail(`frame ${i} of ${size} octets`, at);
    sizes.push(size);
  }
  sizes.push(payload.length - at - total);
  return { sizes, at };
}

/** A sum of octets that ends with the first below 255. RFC 9559 §10.3.2. */
function xiphSize(payload: Uint8Array, at: number): { size: number; bytes: number } {
  let size = 0;
  for (let i = at; i < payload.length; i++) {
    size += payload[i]!;
    if (payload[i] !== 255) return { size, bytes: i + 1 - at };
  }
  return fail('a lace size that does not end', at);
}

/** The first size as it is, the others as differences to the one before. RFC 9559 §10.3.3. */
function ebmlSize(
  payload: Uint8Array,
  at: number,
  before: number | undefined,
): { size: number; bytes: number } {
  const found = before === undefined ? readVint(payload, at) : readSignedVint(payload, at);
  if (found === undefined) return fail('a lace size that is cut off', at);
  return { size: (before ?? 0) + found.value, bytes: found.bytes };
}

function fail(what: string, at: number): never {
  throw new ParseError('WEBM_BLOCK', LACING_CLAUSE, `lacing with ${what}`, at);
}
