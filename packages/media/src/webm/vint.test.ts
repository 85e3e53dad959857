import { describe, expect, it } from 'vitest';
import { hex } from '../../../../test/kit/mp4-tracks.ts';
import { ByteWriter } from '../bytes/index.ts';
import { Crc32 } from './crc32.ts';
import { isElementId, readFloat, readInt, readText, readUint } from './element.ts';
import { ID } from './element-id.ts';
import { floatElement, intElement, textElement, uintElement, wideUintElement } from './element-writer.ts';
import { elementKind, elementName } from './schema.ts';
import { readDate } from './segment-info.ts';
import {
  readSignedVint,
  readVint,
  sizeBytes,
  vintBytes,
  writeId,
  writeSize,
  writeUnknownSize,
} from './vint.ts';

const element = (body: string) => ({ id: ID.Duration, offset: 7, headerBytes: 3, body: hex(body) });

describe('variable-size integers', () => {
  it.each([
    ['81', 1],
    ['fe', 126],
    ['ff', 127],
    ['407f', 127],
    ['4001', 1],
    ['7ffe', 16_382],
    ['203fff', 16_383],
    ['1000007f', 127],
    ['0100000000000001', 1],
    ['011fffffffffffff', 2 ** 53 - 1],
  ])('%s is %d', (octets, value) => {
    expect(readVint(hex(octets), 0)).toEqual({ value, bytes: octets.length / 2 });
    const written = new ByteWriter();
    writeSize(written, value, octets.length / 2);
    expect(written.finish()).toEqual(hex(octets));
  });

  it('takes the shortest form, and leaves all ones to "unknown"', () => {
    expect([0, 126, 127, 16_382, 16_383, 2 ** 28 - 2].map((size) => sizeBytes(size))).toEqual([
      1, 1, 2, 2, 3, 4,
    ]);
    const unknown = new ByteWriter();
    writeUnknownSize(unknown);
    expect(unknown.finish()).toEqual(hex('01ffffffffffffff'));
  });

  it('is undefined where octets are missing or the marker is', () => {
    expect([readVint(hex('40'), 0), readVint(hex(''), 0), readVint(hex('00ff'), 0)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([0x80, 0x40, 0x1a, 0x01, 0].map(vintBytes)).toEqual([1, 2, 4, 8, 9]);
  });

  it('reads the signed form of lacing', () => {
    const values = ['80', 'bf', 'c0', 'fe', '4000', '5fff', '7ffe'].map(
      (octets) => readSignedVint(hex(octets), 0)?.value,
    );
    expect(values).toEqual([-63, 0, 1, 63, -8191, 0, 8191]);
  });

  it('writes ids as they are', () => {
    const writer = new ByteWriter();
    for (const id of [ID.Void, ID.DocType, ID.TimestampScale, ID.EBML]) writeId(writer, id);
    expect(writer.finish()).toEqual(hex('ec 4282 2ad7b1 1a45dfa3'));
  });
});

describe('values', () => {
  it('reads integers of any length up to 8 octets', () => {
    expect(['', '07', '0100', '001fffffffffffff'].map((body) => readUint(element(body)))).toEqual([
      0,
      7,
      256,
      2 ** 53 - 1,
    ]);
    expect(
      ['', 'ff', '00ff', 'ffe0000000000001', 'fffffff0bdc0'].map((body) => readInt(element(body))),
    ).toEqual([0, -1, 255, -(2 ** 53) + 1, -1_000_000]);
  });

  it.each([
    () => readUint(element('0020000000000000')),
    () => readUint(element('000000000000000001')),
    () => readInt(element('000000000000000001')),
    () => readInt(element('ff00000000000000')),
    () => readFloat(element('7ff0000000000000')),
    () => readFloat(element('000000')),
  ])('refuses what the type does not allow, case %#', (read) => {
    expect(read).toThrow(expect.objectContaining({ code: 'EBML_VALUE', offset: 7 }));
  });

  it('reads floats, texts and dates', () => {
    expect(['', '3f800000', '408f400000000000'].map((body) => readFloat(element(body)))).toEqual([
      0, 1, 1000,
    ]);
    expect(readText(element('7765626d 0000'))).toBe('webm');
    expect(new Date(readDate(element('0000000000000000'))!).toISOString()).toBe('2001-01-01T00:00:00.000Z');
    expect(readDate(element('00'))).toBeUndefined();
  });

  it('writes what it reads', () => {
    const body = (bytes: Uint8Array, headerBytes: number) => ({
      ...element(''),
      body: bytes.subarray(headerBytes),
    });
    for (const value of [0, 255, 256, 2 ** 40, 2 ** 53 - 1]) {
      expect(readUint(body(uintElement(ID.CueTime, value), 2))).toBe(value);
      expect(readUint(body(wideUintElement(ID.CueTime, value), 2))).toBe(value);
    }
    for (const value of [0, -1, 2 ** 33, -(2 ** 33), -(2 ** 53) + 1]) {
      expect(readInt(body(intElement(ID.DiscardPadding, value), 3))).toBe(value);
    }
    expect(readFloat(body(floatElement(ID.Duration, 0.25), 3))).toBe(0.25);
    expect(readText(body(textElement(ID.DocType, 'ä'), 3))).toBe('ä');
  });
});

it('knows the ids that may not be', () => {
  expect([
    isElementId(0xff, 1),
    isElementId(0x7fff, 2),
    isElementId(0x4000, 2),
    isElementId(0x80, 1),
  ]).toEqual([false, false, false, true]);
});

it('names every element that the code refers to', () => {
  for (const [name, id] of Object.entries(ID)) {
    expect(elementName(id).replace('-', '')).toBe(name);
    expect(elementKind(id)).toBeDefined();
  }
  expect(elementName(0x4099)).toBe('0x4099');
});

it('sums as IEEE 802.3 does', () => {
  const text = new TextEncoder().encode('123456789');
  expect(new Crc32().update(text.subarray(0, 4)).update(text.subarray(4)).value).toBe(0xcbf43926);
});
