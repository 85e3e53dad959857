import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ParseError } from '../model/errors.ts';
import {
  type ChunkMessage,
  ChunkReader,
  encodedLength,
  encodeMessage,
  encodeSharedMessage,
  MAX_CHUNK_STREAMS,
  MAX_MESSAGE_BYTES,
  UNFINISHED_BYTES_BEFORE_AUTH,
} from './index.ts';

/** Bytes from numbers, nested as is handy. */
type Wire = number | Uint8Array | readonly Wire[];
function wire(...parts: Wire[]): Uint8Array {
  const out: number[] = [];
  const add = (part: Wire): void => {
    if (typeof part === 'number') out.push(part);
    else for (const inner of part) add(inner);
  };
  parts.forEach(add);
  return Uint8Array.from(out);
}
const u24 = (n: number): number[] => [(n >> 16) & 255, (n >> 8) & 255, n & 255];
const u32 = (n: number): number[] => [(n >>> 24) & 255, ...u24(n)];
const le32 = (n: number): number[] => u32(n).reverse();
const fill = (n: number, from = 0): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (from + i) & 255);
/** Type 0 header on a one-byte chunk stream. */
const type0 = (csid: number, time: number, length: number, type = 9, streamId = 1): number[] => [
  csid,
  ...u24(Math.min(time, 0xff_ffff)),
  ...u24(length),
  type,
  ...le32(streamId),
  ...(time >= 0xff_ffff ? u32(time) : []),
];
const setChunkSize = (size: number): number[] => [...type0(2, 0, 4, 1, 0), ...u32(size)];

function read(bytes: Uint8Array, cuts: readonly number[] = [bytes.length]): ChunkMessage[] {
  const reader = new ChunkReader();
  const messages: ChunkMessage[] = [];
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    reader.push(bytes.slice(from, to));
    from = to;
    for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
  }
  return messages;
}
const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return 'accepted';
};
const brief = (messages: readonly ChunkMessage[]): unknown[] =>
  messages.map((m) => [m.csid, m.type, m.streamId, m.timestampMs, m.body.length]);

const conversation = wire(
  type0(3, 1000, 4),
  [1, 2, 3, 4],
  [0x43, u24(40), u24(2), 8],
  [5, 6],
  [0x83, u24(20)],
  [7, 8],
  [0xc3],
  [9, 10],
  // One of 130 bytes in two chunks, with a message of another stream in between.
  type0(6, 2000, 130),
  fill(128),
  type0(4, 2001, 3, 8),
  [1, 2, 3],
  [0xc6],
  fill(2, 128),
  // Extended timestamp, repeated and not repeated on type 3.
  type0(7, 0x1000000, 200),
  fill(128),
  [0xc7],
  u32(0x1000000),
  fill(72, 128),
  type0(8, 0x2000000, 200),
  fill(128),
  [0xc8],
  fill(72, 128),
  // Larger chunks, an empty message, an abort of an unfinished one, and one of an unknown stream.
  setChunkSize(200),
  type0(6, 3000, 180),
  fill(180),
  type0(9, 3000, 0),
  type0(10, 3000, 500),
  fill(200),
  type0(2, 0, 4, 2, 0),
  u32(10),
  type0(2, 0, 4, 2, 0),
  u32(99),
  type0(10, 3001, 1),
  [7],
);
const expected = [
  [3, 9, 1, 1000, 4],
  [3, 8, 1, 1040, 2],
  [3, 8, 1, 1060, 2],
  [3, 8, 1, 1080, 2],
  [4, 8, 1, 2001, 3],
  [6, 9, 1, 2000, 130],
  [7, 9, 1, 0x1000000, 200],
  [8, 9, 1, 0x2000000, 200],
  [2, 1, 0, 0, 4],
  [6, 9, 1, 3000, 180],
  [9, 9, 1, 3000, 0],
  [2, 2, 0, 0, 4],
  [2, 2, 0, 0, 4],
  [10, 9, 1, 3001, 1],
];

it('reads all header forms, interleaving, extended timestamps, chunk size and abort', () => {
  const messages = read(conversation);
  expect(brief(messages)).toEqual(expected);
  for (const message of messages.filter((m) => m.body.length >= 130)) {
    expect(message.body).toEqual(fill(message.body.length));
  }
});

it('gives the same whatever the pieces', () => {
  const digest = (messages: readonly ChunkMessage[]): string =>
    messages
      .map((m) => [m.csid, m.type, m.timestampMs, m.body.reduce((hash, b) => (hash * 31 + b) | 0, 7)])
      .join();
  const whole = digest(read(conversation));
  const everyByte = Array.from(conversation, (_, i) => i + 1);
  expect(digest(read(conversation, everyByte))).toBe(whole);
  for (const cut of everyByte) expect(digest(read(conversation, [cut]))).toBe(whole);
});

it.each([
  ['one byte', [0x02], 2],
  ['one byte', [0x3f], 63],
  ['two bytes', [0x00, 0], 64],
  ['two bytes', [0x00, 255], 319],
  ['three bytes', [0x01, 0, 0], 64],
  ['three bytes', [0x01, 2, 1], 322],
  ['three bytes', [0x01, 255, 255], 65_599],
])('reads a chunk stream id of %s (%j)', (_, header, csid) => {
  const bytes = wire(
    header,
    u24(5),
    u24(130),
    9,
    le32(1),
    fill(128),
    [header[0]! | 0xc0, ...header.slice(1)],
    [1, 2],
  );
  expect(brief(read(bytes))).toEqual([[csid, 9, 1, 5, 130]]);
});

it('lets deltas wrap at 2^32', () => {
  const bytes = wire(
    type0(3, 0xffff_fff0, 1),
    [0],
    [0x43, u24(0x20), u24(1), 9],
    [0],
    [0x43, u24(0xff_ffff), u24(1), 9, u32(0xffff_fffe)],
    [0],
  );
  expect(read(bytes).map((m) => m.timestampMs)).toEqual([0xffff_fff0, 0x10, 0x0e]);
});

it('takes the timestamp of a type 0 header for the delta of a type 3 message behind it', () => {
  expect(read(wire(type0(3, 40, 1), [0], [0xc3], [0], [0xc3], [0])).map((m) => m.timestampMs)).toEqual([
    40, 80, 120,
  ]);
  // With an extended one, repeated or not.
  const bytes = wire(type0(3, 0x1000000, 1), [0], [0xc3, u32(0x1000000)], [0], [0xc3], [9]);
  expect(read(bytes).map((m) => m.timestampMs)).toEqual([0x1000000, 0x2000000, 0x3000000]);
});

it('reads a control stream that opens with type 1, and refuses the shorter forms', () => {
  expect(brief(read(wire([0x42, u24(0), u24(6), 4], fill(6))))).toEqual([[2, 4, 0, 0, 6]]);
  expect(code(() => read(wire([0x83, u24(20)])))).toBe('RTMP_CHUNK_HEADER');
  expect(code(() => read(wire([0xc3])))).toBe('RTMP_CHUNK_HEADER');
  expect(code(() => read(wire(type0(3, 0, 200), fill(128), type0(3, 0, 200))))).toBe('RTMP_CHUNK_HEADER');
});

it('does not copy a message that lies within one received buffer', () => {
  const bytes = wire(type0(3, 0, 100), fill(100));
  const reader = new ChunkReader();
  reader.push(bytes);
  expect(reader.next()!.body.buffer).toBe(bytes.buffer);
});

it('does not let a later message change an earlier one', () => {
  const messages = read(
    wire(type0(3, 0, 200), fill(128), [0xc3], fill(72, 128), [0xc3], fill(128, 9), [0xc3], fill(72, 9)),
  );
  expect(messages[0]!.body).toEqual(fill(200));
});

it.each([
  [0, 'RTMP_CHUNK_SIZE'],
  [0x8000_0000, 'RTMP_CHUNK_SIZE'],
  [0xffff_ffff, 'RTMP_CHUNK_SIZE'],
  [1, 'accepted'],
  [0x7fff_ffff, 'accepted'],
])('chunk size %i: %s', (size, result) => {
  const reader = new ChunkReader();
  reader.push(wire(setChunkSize(size)));
  expect(code(() => reader.next())).toBe(result);
  if (result === 'accepted') expect(reader.chunkSize).toBe(Math.min(size, MAX_MESSAGE_BYTES));
});

it('reads chunks of one byte', () => {
  const body = Array.from(fill(50), (byte, i) => (i === 0 ? [byte] : [0xc3, byte]));
  expect(read(wire(setChunkSize(1), type0(3, 0, 50), body))[1]!.body).toEqual(fill(50));
});

it('allows so many chunk streams and no more', () => {
  const streams = (count: number): Uint8Array =>
    wire(Array.from({ length: count }, (_, i) => [0x00, i, ...type0(0, 0, MAX_MESSAGE_BYTES).slice(1)]));
  const one = (i: number): number[] => [0x00, i, ...type0(0, 0, 1).slice(1), 0];
  expect(code(() => read(wire(Array.from({ length: MAX_CHUNK_STREAMS }, (_, i) => one(i)))))).toBe(
    'accepted',
  );
  expect(code(() => read(wire(Array.from({ length: MAX_CHUNK_STREAMS + 1 }, (_, i) => one(i)))))).toBe(
    'RTMP_CHUNK_STREAMS',
  );
  expect(streams(1).length).toBe(13);
});

it('allocates with what it receives, not with what is announced', () => {
  const reader = new ChunkReader();
  reader.push(wire(setChunkSize(0xff_ffff)));
  reader.next();
  const before = process.memoryUsage().arrayBuffers;
  for (let csid = 3; csid < 60; csid++) {
    // Each chunk stream announces 16 MB and sends one chunk of it.
    const small = new ChunkReader();
    small.push(wire(type0(csid, 0, MAX_MESSAGE_BYTES), fill(128)));
    small.next();
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
});

it('bounds unfinished bytes', () => {
  const reader = new ChunkReader();
  reader.push(wire(setChunkSize(1 << 20)));
  const block = new Uint8Array(1 << 20);
  const run = (): void => {
    for (let csid = 3; csid < 12; csid++) {
      reader.push(wire(type0(csid, 0, MAX_MESSAGE_BYTES)));
      reader.push(block);
      while (reader.next() !== undefined);
    }
  };
  expect(code(run)).toBe('RTMP_UNFINISHED_LIMIT');
  expect(reader.unfinishedBytes).toBeLessThanOrEqual(UNFINISHED_BYTES_BEFORE_AUTH + block.length);
});

it('refuses commands of a size that only media have', () => {
  expect(code(() => read(wire(type0(3, 0, 1_048_577, 20))))).toBe('RTMP_MESSAGE_TOO_LARGE');
  expect(code(() => read(wire(type0(3, 0, 1_048_577, 9))))).toBe('accepted');
});

it.each([1, 2])('refuses a control message of type %i that is too short', (type) => {
  for (let length = 0; length < 4; length++) {
    expect(code(() => read(wire(type0(2, 0, length, type, 0), fill(length))))).toBe('RTMP_CONTROL_INVALID');
  }
});

it('reads back what the writer wrote, in any pieces', () => {
  const message = fc.record({
    csid: fc.integer({ min: 2, max: 63 }),
    type: fc.constantFrom(8, 9, 18, 20, 200),
    timestampMs: fc.oneof(fc.nat(1000), fc.constantFrom(0xff_fffe, 0xff_ffff, 0x100_0000, 0xffff_ffff)),
    body: fc.uint8Array({ maxLength: 600 }),
  });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 6 }),
      fc.constantFrom(1, 2, 128, 200, 4096),
      fc.array(fc.nat(4000), { maxLength: 6 }),
      (messages, chunkSize, cuts) => {
        const encoded = messages.map((m) => encodeMessage(m, 1, chunkSize));
        messages.forEach((m, i) => {
          expect(encoded[i]!.length).toBe(encodedLength(m.body.length, m.timestampMs, chunkSize));
        });
        const bytes = wire(setChunkSize(chunkSize), ...encoded);
        const back = read(
          bytes,
          cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
        );
        expect(back.slice(1)).toEqual(messages.map((m) => ({ ...m, streamId: 1 })));
      },
    ),
    { numRuns: 150 },
  );
});

it('never throws anything but its own errors at random bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (pieces) => {
      const reader = new ChunkReader();
      code(() => {
        for (const piece of pieces) {
          reader.push(piece);
          while (reader.next() !== undefined);
        }
      });
      expect(reader.unfinishedBytes).toBeLessThanOrEqual(20 * 64);
    }),
    { numRuns: 500 },
  );
});

it('makes shared messages of one form: type 0, stream 1, large chunks, extended time repeated', () => {
  const body = fill(65_537);
  const bytes = encodeSharedMessage({ csid: 6, type: 9, timestampMs: 0x1_0000_0005, body });
  expect([...bytes.subarray(0, 12)]).toEqual([6, 0, 0, 5, 1, 0, 1, 9, 1, 0, 0, 0]);
  expect(bytes[12 + 65_536]).toBe(0xc6);
  const late = encodeSharedMessage({ csid: 6, type: 9, timestampMs: 0xff_ffff, body });
  expect([...late.subarray(0, 16)]).toEqual([6, 255, 255, 255, 1, 0, 1, 9, 1, 0, 0, 0, 0, 255, 255, 255]);
  expect([...late.subarray(16 + 65_536)]).toEqual([0xc6, 0, 255, 255, 255, 0]);
});
