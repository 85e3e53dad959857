/** Containers that are read from the middle, too: their units can be told from what lies around them. */
export type StreamedFormat = 'webm' | 'flv' | 'mpegts';

const PACKET = 188;
const SYNC = 0x47;
/** Packets in a row that make a transport stream believed. */
const SYNC_PACKETS = 5;
const TAG_HEADER = 11;
/** Largest tag that is believed where its end lies behind the bytes at hand. */
const MAX_TAG = 0x80_0000;
const CLUSTER = [0x1f, 0x43, 0xb6, 0x75] as const;
/** First elements of a Cluster (RFC 9559 §5.1.3): Timestamp, or CRC-32 before it. */
const CLUSTER_BEGINS: ReadonlySet<number> = new Set([0xe7, 0xbf]);

/**
 * The first place at or after `from` where a unit of the container begins: a transport packet, an FLV tag, a Cluster.
 * Undefined if there is none in `bytes`, which lie anywhere in the file.
 */
export function findUnit(format: StreamedFormat, bytes: Uint8Array, from = 0): number | undefined {
  const begins = BEGINS[format];
  for (let at = from; at < bytes.length; at++) if (begins(bytes, at)) return at;
  return undefined;
}

const BEGINS: Readonly<Record<StreamedFormat, (bytes: Uint8Array, at: number) => boolean>> = {
  mpegts: (bytes, at) => {
    for (let packet = 0; packet < SYNC_PACKETS; packet++) {
      const place = at + packet * PACKET;
      if (place >= bytes.length) return packet > 1;
      if (bytes[place] !== SYNC) return false;
    }
    return true;
  },
  flv: (bytes, at) => {
    const next = afterTag(bytes, at);
    if (next === undefined) return false;
    return next >= bytes.length ? next - at < MAX_TAG : afterTag(bytes, next) !== undefined;
  },
  webm: (bytes, at) => {
    if (CLUSTER.some((byte, i) => bytes[at + i] !== byte)) return false;
    const first = bytes[at + 4];
    if (first === undefined || first === 0) return false;
    const begin = bytes[at + 4 + Math.clz32(first) - 23];
    return begin === undefined || CLUSTER_BEGINS.has(begin);
  },
};

/**
 * Where the tag behind the one at `at` begins; undefined if there is none. A tag is a known type, a stream id of zero
 * (FLV v10.1 §E.4.1) and, where it is told, its size again behind it; several writers put zero there.
 */
function afterTag(bytes: Uint8Array, at: number): number | undefined {
  const type = bytes[at];
  if (type !== 8 && type !== 9 && type !== 18) return undefined;
  if (at + TAG_HEADER > bytes.length) return bytes.length;
  if (number24(bytes, at + 8) !== 0) return undefined;
  const end = at + TAG_HEADER + number24(bytes, at + 1);
  if (end + 4 > bytes.length) return end + 4;
  const told = bytes[end]! * 0x100_0000 + number24(bytes, end + 1);
  return told === end - at || told === 0 ? end + 4 : undefined;
}

function number24(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 0x1_0000 + bytes[at + 1]! * 0x100 + bytes[at + 2]!;
}
