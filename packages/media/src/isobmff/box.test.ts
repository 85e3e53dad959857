import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex } from '../../../../test/kit/mp4-tracks.ts';
import { ByteWriter, concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { boxBudget, MAX_BOXES, readBoxes } from './box.ts';
import { BoxStream } from './box-stream.ts';
import { writeBox, writeFullBox } from './box-writer.ts';
import { dumpBoxes } from './dump.ts';

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return 'none';
};

describe('boxes', () => {
  it('reads every size form of §4.2.2', () => {
    const bytes = hex(
      '0000000a 66726565 0102  00000001 6d646174 0000000000000012 aabb  00000000 6d646174 cc',
    );
    expect(readBoxes(bytes).map((box) => [box.type, box.start, box.size, [...box.body]])).toEqual([
      ['free', 0, 10, [1, 2]],
      ['mdat', 10, 18, [0xaa, 0xbb]],
      ['mdat', 28, 9, [0xcc]],
    ]);
  });

  it('patches sizes after the content', () => {
    const w = new ByteWriter(1);
    writeBox(w, 'moof', () => writeFullBox(w, 'mfhd', 1, 0x020304, () => w.u32(7)));
    expect(w.finish()).toEqual(hex('00000018 6d6f6f66 00000010 6d666864 01 020304 00000007'));
  });

  it.each([
    ['a header cut short', '00000008 6d6f', 'MP4_BOX_SIZE'],
    ['a size below the header', '00000007 6d6f6f66', 'MP4_BOX_SIZE'],
    ['a box longer than the file', '00000010 6d6f6f66 00', 'MP4_BOX_SIZE'],
    ['a 64-bit size cut short', '00000001 6d646174 00000000', 'MP4_BOX_SIZE'],
    ['a 64-bit size below its header', '00000001 6d646174 000000000000000f', 'MP4_BOX_SIZE'],
    ['2^63', '00000001 6d646174 8000000000000000', 'MP4_BOX_SIZE'],
  ])('refuses %s', (_, digits, expected) => {
    expect(code(() => readBoxes(hex(digits)))).toBe(expected);
  });

  it('refuses more boxes than the budget', () => {
    const empty = hex('00000008 66726565');
    const many = new Uint8Array((MAX_BOXES + 1) * 8);
    for (let at = 0; at < many.length; at += 8) many.set(empty, at);
    expect(code(() => readBoxes(many))).toBe('MP4_BOX_COUNT');
    expect(code(() => readBoxes(concatBytes([empty, empty]), { left: 1 }))).toBe('MP4_BOX_COUNT');
    expect(readBoxes(empty, boxBudget())).toHaveLength(1);
  });

  it('dumps boxes nested in themselves without following them for ever', () => {
    let bytes: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < 2000; i++) {
      const w = new ByteWriter(bytes.length + 8);
      writeBox(w, 'moof', () => w.bytes(bytes));
      bytes = w.finish();
    }
    expect(dumpBoxes(bytes).split('\n').length).toBe(18);
  });
});

describe('BoxStream', () => {
  const bytes = hex('0000000a 66726565 0102  00000001 6d646174 0000000000000012 aabb  00000008 736b6970');
  const whole = readBoxes(bytes).map((box) => [box.type, box.size]);

  it('gives the same boxes for every cut and byte by byte', () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const stream = new BoxStream();
      const boxes = [...stream.push(bytes.subarray(0, cut)), ...stream.push(bytes.subarray(cut))];
      expect(boxes.map((box) => [box.type, box.bytes.length])).toEqual(whole);
    }
    const stream = new BoxStream();
    const boxes = [...bytes].flatMap((byte) => stream.push(Uint8Array.of(byte)));
    expect(boxes.map((box) => [box.type, box.bytes.length])).toEqual(whole);
  });

  it('refuses a box without an end and one above the limit as soon as the header is there', () => {
    expect(code(() => new BoxStream().push(hex('00000000 6d646174')))).toBe('MP4_BOX_SIZE');
    expect(code(() => new BoxStream(100).push(hex('00000065 6d646174')))).toBe('MP4_BOX_SIZE');
  });

  it('never throws anything but its own error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (pieces) => {
        const stream = new BoxStream(1000);
        code(() => {
          for (const piece of pieces) stream.push(piece);
        });
        code(() => dumpBoxes(concatBytes(pieces)));
      }),
      { numRuns: 500 },
    );
  });
});
