import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinLengthPrefixed } from '../bitstream/index.ts';
import { ParseError } from '../model/errors.ts';
import { PAYLOAD_FORMATS, type RtpCodec } from './formats.ts';
import { UnitAssembler } from './unit-assembler.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const PATTERN = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7) & 0xff);
const filled = (head: readonly number[], size: number): Uint8Array => {
  const bytes = PATTERN.slice(0, size);
  bytes.set(head);
  return bytes;
};

/** Canonical units of each codec, of any size. */
const UNITS: Readonly<Record<RtpCodec, fc.Arbitrary<Uint8Array>>> = {
  h264: fc
    .array(fc.tuple(fc.constantFrom(0x67, 0x68, 0x65, 0x41, 0x06, 0x01), fc.integer({ min: 2, max: 4000 })), {
      minLength: 1,
      maxLength: 8,
    })
    .map((nals) => joinLengthPrefixed(nals.map(([head, size]) => filled([head], size)))),
  vp8: fc.integer({ min: 1, max: 9000 }).map((size) => filled([0x10], size)),
  vp9: fc
    .tuple(fc.boolean(), fc.integer({ min: 2, max: 9000 }))
    .map(([key, size]) => filled([key ? 0x82 : 0x86], size)),
  av1: fc
    .array(fc.tuple(fc.constantFrom(5, 6, 3, 4), fc.integer({ min: 0, max: 4000 }), fc.boolean()), {
      minLength: 1,
      maxLength: 6,
    })
    .map((obus) =>
      Uint8Array.from(
        obus.flatMap(([type, size, extended]) => {
          const low = size & 0x7f;
          const leb = size < 128 ? [low] : size < 16_384 ? [low | 0x80, size >> 7] : [];
          return [
            (type << 3) | 2 | (extended ? 4 : 0),
            ...(extended ? [0] : []),
            ...leb,
            ...filled([], size),
          ];
        }),
      ),
    ),
  opus: fc.integer({ min: 2, max: 1000 }).map((size) => filled([0x78], size)),
};

describe.each(Object.keys(PAYLOAD_FORMATS) as RtpCodec[])('%s', (codec) => {
  const format = PAYLOAD_FORMATS[codec];

  it('joins what it splits, within the limit, however small', () => {
    fc.assert(
      fc.property(UNITS[codec], fc.integer({ min: 64, max: 1500 }), (unit, maxBytes) => {
        const payloads = format.split(unit, maxBytes);
        if (codec !== 'opus')
          for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(maxBytes);
        expect(Buffer.compare(format.join(payloads), unit)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('throws nothing but its own error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (payloads) => {
        try {
          format.join(payloads);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});

describe('vectors', () => {
  const h264 = PAYLOAD_FORMATS.h264;

  it('aggregates parameter sets and small slices (RFC 6184 §5.7.1)', () => {
    const unit = joinLengthPrefixed([hex('09f0'), hex('6742c01e'), hex('68ce3c80'), hex('6588')]);
    expect(h264.split(unit, 1200)).toEqual([hex('7800046742c01e000468ce3c8000026588')]);
  });

  it('fragments a long slice (RFC 6184 §5.8)', () => {
    const payloads = h264.split(joinLengthPrefixed([filled([0x65], 201)]), 102);
    expect(payloads.map((payload) => [...payload.subarray(0, 2)])).toEqual([
      [0x7c, 0x85],
      [0x7c, 0x45],
    ]);
  });

  it.each([
    ['7c05aa', 'a fragment without begin'],
    ['7c85aa', 'without end'],
    ['780009aa', 'a NAL unit of 9 bytes'],
    ['7800', 'ends within a size'],
    ['79aa', 'payload type 25'],
  ])('refuses %s of H.264: %s', (text, reason) => {
    expect(() => h264.join([hex(text)])).toThrow(reason);
  });

  it('reads VP8 descriptors with picture ids and layers (RFC 7741 §4.2)', () => {
    const { join } = PAYLOAD_FORMATS.vp8;
    expect(join([hex('90f0812345ffaabb'), hex('80f0812345ffccdd')])).toEqual(hex('aabbccdd'));
    expect(() => join([hex('00aabb')])).toThrow('without its first packet');
    expect(() => join([hex('90f081')])).toThrow('all descriptor');
  });

  it('reads VP9 descriptors with layers, references and structure (RFC 9628 §4.2)', () => {
    const { join } = PAYLOAD_FORMATS.vp9;
    expect(join([hex('ac81230005aabb'), hex('a481230005ccdd')])).toEqual(hex('aabbccdd'));
    // Flexible mode with two references; a structure of one layer with its size.
    expect(join([hex('da8123030218014000b4010401aabb')])).toEqual(hex('aabb'));
    expect(() => join([hex('28020aaabb')])).toThrow('more than one spatial layer');
  });

  it('reads AV1 packets with a count, whose last element has no size', () => {
    const { join } = PAYLOAD_FORMATS.av1;
    // W = 2: a sequence header of two bytes and a frame that goes on.
    expect(join([hex('680308aabb30cc'), hex('90dd')])).toEqual(hex('0a02aabb3202ccdd'));
    expect(() => join([hex('9030')])).toThrow('without its begin');
    expect(() => join([hex('5030')])).toThrow('without its end');
  });
});

describe('assembler', () => {
  const packets = (units: readonly Uint8Array[]) => {
    let sequence = 65_530;
    return units.flatMap((unit, i) => {
      const payloads = PAYLOAD_FORMATS.vp8.split(unit, 100);
      return payloads.map((payload, at) => ({
        payload,
        marker: at === payloads.length - 1,
        payloadType: 96,
        ssrc: 1,
        sequence: sequence++ & 0xffff,
        timestamp: (0xffff_f000 + 3000 * i) % 2 ** 32,
      }));
    });
  };
  const units = [filled([0x10], 250), filled([0x11], 90), filled([0x11], 300)];

  it('finds units with and without markers, unwraps their times', () => {
    for (const marked of [true, false]) {
      const assembler = new UnitAssembler(PAYLOAD_FORMATS.vp8);
      const sent = packets([...units, filled([0x11], 5)]);
      const found = sent.flatMap((packet) => [
        ...assembler.push({ packet: { ...packet, marker: packet.marker && marked }, lossBefore: false })
          .units,
      ]);
      expect(found.slice(0, 3).map(({ data }) => data)).toEqual(units);
      expect(found[2]!.timestamp - found[0]!.timestamp).toBe(6000);
    }
  });

  it('leaves a unit out that lost any one of its packets, and says so', () => {
    const sent = packets(units);
    for (let lost = 0; lost < sent.length; lost++) {
      const assembler = new UnitAssembler(PAYLOAD_FORMATS.vp8);
      let broken = lost === sent.length - 1;
      const found: Uint8Array[] = [];
      sent.forEach((packet, i) => {
        if (i === lost) return;
        const result = assembler.push({ packet, lossBefore: i === lost + 1 });
        broken ||= result.broken;
        found.push(...result.units.map(({ data }) => data));
      });
      expect(broken, `packet ${lost}`).toBe(true);
      for (const data of found) expect(units.some((unit) => unit.length === data.length)).toBe(true);
      expect(found.length).toBeLessThan(3);
    }
  });
});
