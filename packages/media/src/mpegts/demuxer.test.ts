import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex, TRACKS } from '../../../../test/kit/mp4-tracks.ts';
import { concatBytes } from '../bytes/index.ts';
import type { Track } from '../model/sample.ts';
import { putPcr, putTimestamp, readPcr, readTimestamp } from './clock.ts';
import { TsDemuxer } from './demuxer.ts';
import { inspectTs, TsInspector } from './inspect.ts';
import type { TsMedia } from './mux-input.ts';
import { TsMuxer } from './muxer.ts';
import { MAX_PES_BYTES } from './pes-assembler.ts';

const VIDEO: Track = {
  ...TRACKS.h264!,
  parameters: {
    ...TRACKS.h264!.parameters,
    description: hex('0142c01effe10004 6742c01e 010004 68ce3c80'),
  } as Track['parameters'],
};

/** A few packets of everything, and as many that go on. */
function stream(): [Uint8Array, Uint8Array] {
  const muxer = new TsMuxer();
  muxer.begin({ video: VIDEO, audio: TRACKS.aac! }, false);
  const data = (bytes: number): Uint8Array => {
    const unit = new Uint8Array(bytes).fill(0x33);
    new DataView(unit.buffer).setUint32(0, bytes - 4);
    unit[4] = 0x65;
    return unit;
  };
  const media = (from: number): TsMedia => ({
    video: [0, 1, 2].map((i) => ({
      dts: (from + i) * 3000,
      pts: (from + i + 1) * 3000,
      duration: 3000,
      keyframe: i === 0,
      data: data(500),
    })),
    audio: [0, 1, 2, 3, 4].map((i) => ({
      dts: from * 1600 + i * 1024,
      pts: from * 1600 + i * 1024,
      duration: 1024,
      keyframe: true,
      data: new Uint8Array(90).fill(i),
    })),
  });
  return [muxer.segment(media(0)), muxer.segment(media(3))];
}

/** Everything that a demuxer tells, as text. */
function told(pieces: Iterable<Uint8Array>): string[] {
  const lines: string[] = [];
  const demuxer = new TsDemuxer({
    program: (map) => lines.push(`program ${map.version} ${map.streams.map(({ pid }) => pid).join()}`),
    unit: ({ pid, header, data, damaged, randomAccess }) =>
      lines.push(
        `${pid} ${header.pts} ${header.dts} ${data.length} ${data.at(-1)} ${damaged} ${randomAccess}`,
      ),
    clock: ({ pcr, offset }) => lines.push(`clock ${pcr} at ${offset}`),
    fault: ({ code, offset }) => lines.push(`${code} at ${offset}`),
  });
  for (const piece of pieces) demuxer.push(piece);
  demuxer.end();
  return lines;
}

const [WHOLE, NEXT] = stream();
const EXPECTED = told([WHOLE]);
const codes = (bytes: Uint8Array): string[] => inspectTs(bytes).faults.map(({ code }) => code);
const packets = Array.from({ length: WHOLE.length / 188 }, (_, i) => WHOLE.subarray(i * 188, i * 188 + 188));
const pidOf = (packet: Uint8Array): number => ((packet[1]! & 0x1f) << 8) | packet[2]!;
const edited = (index: number, edit: (packet: Uint8Array) => void): Uint8Array => {
  const copy = WHOLE.slice();
  edit(copy.subarray(index * 188, index * 188 + 188));
  return copy;
};

describe('timestamps', () => {
  it('go both ways', () => {
    const bytes = new Uint8Array(6);
    putTimestamp(bytes, 0, 2, 0x1_2345_6789);
    expect([...bytes.subarray(0, 5)]).toEqual([0x29, 0x8d, 0x15, 0xcf, 0x13]);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 33 - 1 }),
        fc.integer({ min: 0, max: 299 }),
        (time, rest) => {
          putTimestamp(bytes, 0, 3, time);
          expect(readTimestamp(bytes, 0, 3)).toBe(time);
          expect(readTimestamp(bytes, 0, 2)).toBeUndefined();
          putPcr(bytes, 0, time * 300 + rest);
          expect(readPcr(bytes, 0)).toBe(time * 300 + rest);
        },
      ),
    );
    putPcr(bytes, 0, -300);
    expect(readPcr(bytes, 0)).toBe((2 ** 33 - 1) * 300);
    expect(readTimestamp(new Uint8Array(5), 0, 2)).toBeUndefined();
  });
});

describe('TsDemuxer', () => {
  it('tells the same however the bytes are cut', () => {
    expect(EXPECTED.filter((line) => line.startsWith('TS_'))).toEqual([]);
    expect(EXPECTED.length).toBeGreaterThan(8);
    expect(told(Array.from(WHOLE, (byte) => Uint8Array.of(byte)))).toEqual(EXPECTED);
    for (let cut = 0; cut <= WHOLE.length; cut++) {
      const lines = told([WHOLE.subarray(0, cut), WHOLE.subarray(cut)]);
      if (lines.join() !== EXPECTED.join()) expect(lines, `cut at ${cut}`).toEqual(EXPECTED);
    }
  });

  it('reports a stream that is cut off', () => {
    for (let length = 1; length < WHOLE.length; length++) {
      const found = codes(WHOLE.subarray(0, length));
      if (length % 188 !== 0) expect(found).toContain('TS_SYNC');
      expect(found.every((code) => code === 'TS_SYNC' || code === 'TS_PES')).toBe(true);
    }
  });

  it('finds the packets behind and between other bytes', () => {
    const junk = Uint8Array.from({ length: 500 }, (_, i) => (i % 50 === 0 ? 0x47 : i & 0xff));
    const wanted = EXPECTED.map((line) => line.replace(/ at .*/, ''));
    for (const size of [1, 187, 188, 189, 500]) {
      const front = told([concatBytes([junk.subarray(0, size), WHOLE])]).map((line) =>
        line.replace(/ at .*/, ''),
      );
      expect(front.filter((line) => !line.startsWith('TS_'))).toEqual(wanted);
    }
    const middle = concatBytes([WHOLE.subarray(0, 188 * 4), junk.subarray(1), WHOLE.subarray(188 * 4)]);
    expect(codes(middle)[0]).toBe('TS_SYNC');
    expect(inspectTs(middle).streams.map(({ units }) => units)).toEqual(
      inspectTs(WHOLE).streams.map(({ units }) => units),
    );
  });

  it('notices lost packets and passes over doubled ones', () => {
    const at = packets.findIndex((packet) => pidOf(packet) === 0x100) + 1;
    const lost = concatBytes(packets.filter((_, i) => i !== at));
    expect(codes(lost)).toContain('TS_CONTINUITY');
    expect(inspectTs(lost).streams[0]!.damaged).toBe(1);
    const doubled = concatBytes(packets.flatMap((packet, i) => (i === at ? [packet, packet] : [packet])));
    expect(told([doubled]).map((line) => line.replace(/ at .*/, ''))).toEqual(
      EXPECTED.map((line) => line.replace(/ at .*/, '')),
    );
    const tripled = concatBytes(
      packets.flatMap((packet, i) => (i === at ? [packet, packet, packet] : [packet])),
    );
    expect(codes(tripled)).toContain('TS_CONTINUITY');
  });

  it('names what is malformed and goes on', () => {
    const video = packets.findIndex((packet) => pidOf(packet) === 0x100);
    const start = 4 + 1 + packets[video]![4]!;
    const cases: readonly [string, Uint8Array][] = [
      ['TS_CRC', edited(1, (packet) => packet.set([0xee], 20))],
      ['TS_SECTION', edited(1, (packet) => packet.set([0xbf], 6))],
      ['TS_SECTION', edited(1, (packet) => packet.set([200], 4))],
      ['TS_PACKET', edited(video, (packet) => packet.set([0x00], 3))],
      ['TS_PACKET', edited(video, (packet) => packet.set([0xff], 4))],
      ['TS_PACKET', edited(video, (packet) => packet.set([2], 4))],
      ['TS_PACKET', edited(video, (packet) => packet.set([packet[1]! | 0x80], 1))],
      ['TS_PACKET', edited(video, (packet) => packet.set([packet[3]! | 0xc0], 3))],
      ['TS_PES', edited(video, (packet) => packet.set([9], start))],
      ['TS_PES', edited(video, (packet) => packet.set([0x04], start + 6))],
      ['TS_PES', edited(video, (packet) => packet.set([0x40], start + 7))],
      ['TS_PES', edited(video, (packet) => packet.set([3], start + 8))],
      ['TS_PES', edited(video, (packet) => packet.set([0xff], start + 9))],
      ['TS_PES', edited(video, (packet) => packet.set([0, 4], start + 4))],
      ['TS_PES', edited(video, (packet) => packet.set([0x20], start + 4))],
    ];
    for (const [i, [code, bytes]] of cases.entries()) {
      expect(codes(bytes), `case ${i}`).toContain(code);
      const report = inspectTs(concatBytes([bytes, NEXT]));
      expect(report.streams[1]!.units, `case ${i}`).toBeGreaterThan(1);
    }
  });

  it('does not gather more than a packet may have', () => {
    const body = packets.find((packet) => pidOf(packet) === 0x100)!.slice();
    // A start with an unknown length, then packets that never end it.
    body.set([0x47, 0x41, 0x00, 0x10, 0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0]);
    const inspector = new TsInspector();
    inspector.push(concatBytes(packets.slice(0, 2)));
    inspector.push(body);
    const many = new Uint8Array(188 * 16);
    for (let i = 0; i < 16; i++) {
      many.set(body, i * 188);
      many.set([0x47, 0x01, 0x00, 0x10 | ((i + 1) & 15)], i * 188);
    }
    for (let sent = 0; sent < MAX_PES_BYTES * 1.1; sent += many.length) inspector.push(many);
    expect(inspector.end().faults.map(({ code }) => code)).toEqual(['TS_LIMIT']);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(WHOLE.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 }),
        fc.array(fc.nat(400), { maxLength: 20 }),
        (edits, cuts) => {
          const bytes = WHOLE.slice();
          for (const [at, value] of edits) bytes[at] = value;
          const inspector = new TsInspector();
          let at = 0;
          for (const cut of cuts) {
            inspector.push(bytes.subarray(at, at + cut));
            at += cut;
          }
          inspector.push(bytes.subarray(at));
          inspector.end();
        },
      ),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        inspectTs(bytes);
        const framed = new Uint8Array(Math.ceil(bytes.length / 184) * 188);
        for (let i = 0; i * 184 < bytes.length; i++) {
          framed.set([0x47, 0x40, 0x00, 0x10 | (i & 15)], i * 188);
          framed.set(bytes.subarray(i * 184, i * 184 + 184), i * 188 + 4);
        }
        inspectTs(framed);
      }),
      { numRuns: 200 },
    );
  });
});
