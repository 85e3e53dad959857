import { expect, it } from 'vitest';
import { IvfReader, MAX_IVF_FRAME_BYTES } from './ivf-reader.ts';

function file(frames: readonly (readonly [time: number, data: Uint8Array])[]): Buffer {
  const head = Buffer.alloc(32);
  head.write('DKIF');
  head.writeUInt16LE(32, 6);
  const parts: Uint8Array[] = [head];
  for (const [time, data] of frames) {
    const header = Buffer.alloc(12);
    header.writeUInt32LE(data.length, 0);
    header.writeBigInt64LE(BigInt(time), 4);
    parts.push(header, data);
  }
  return Buffer.concat(parts);
}

it('gives the same frames however the file is cut', () => {
  const frames = [
    [0, Uint8Array.of(1, 2, 3)],
    [33, new Uint8Array(0)],
    [2 ** 33, Uint8Array.of(4)],
  ] as const;
  const bytes = file(frames);
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new IvfReader();
    const found = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...reader.push(bytes.subarray(at, at + size)));
    expect(found.map(({ time, data }) => [time, [...data]])).toEqual(
      frames.map(([time, data]) => [time, [...data]]),
    );
  }
});

it('refuses what is no IVF, and frames that are too large', () => {
  expect(() => new IvfReader().push(new Uint8Array(64))).toThrow('no IVF');
  const bytes = file([[0, Uint8Array.of(1)]]);
  bytes.writeUInt32LE(MAX_IVF_FRAME_BYTES + 1, 32);
  expect(() => new IvfReader().push(bytes)).toThrow('a frame of');
});
