import { describe, expect, it } from 'vitest';
import { hex } from '../../../../test/kit/mp4-tracks.ts';
import { crc32 } from './crc32.ts';
import { id3Descriptor, id3PointerDescriptor, id3TextTag } from './id3.ts';
import { SectionAssembler } from './section-assembler.ts';
import { readPat, readPmt, type TsProgramMap, writePat, writePmt } from './tables.ts';

const PAT = hex('00b00d0001c100000001f0002ab104b2');
const PMT = hex('02b0170001c10000e100f0001be100f0000fe101f0002f44b99b');
const MAP: TsProgramMap = {
  program: 1,
  version: 0,
  pcrPid: 0x100,
  descriptors: [],
  streams: [
    { pid: 0x100, streamType: 0x1b, descriptors: [] },
    { pid: 0x101, streamType: 0x0f, descriptors: [] },
  ],
};

describe('CRC', () => {
  it('has the check value of CRC-32/MPEG-2', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0x0376e6e7);
    expect(crc32(PAT)).toBe(0);
    expect(crc32(PMT)).toBe(0);
  });
});

describe('tables', () => {
  it('writes and reads a program association section', () => {
    const pat = { transportStreamId: 1, version: 0, programs: [{ program: 1, mapPid: 0x1000 }] };
    expect(writePat(pat)).toEqual(PAT);
    expect(readPat(PAT)).toEqual(pat);
    expect(readPat(PMT)).toBeUndefined();
  });

  it('writes and reads a program map section', () => {
    expect(writePmt(MAP)).toEqual(PMT);
    expect(readPmt(PMT)).toEqual(MAP);
    expect(readPmt(PAT)).toBeUndefined();
  });

  it('carries descriptors, versions and the ID3 track', () => {
    const map: TsProgramMap = {
      ...MAP,
      version: 31,
      descriptors: [id3PointerDescriptor(1)],
      streams: [...MAP.streams, { pid: 0x102, streamType: 0x15, descriptors: [id3Descriptor()] }],
    };
    const bytes = writePmt(map);
    expect(crc32(bytes)).toBe(0);
    expect(readPmt(bytes)).toEqual(map);
    expect(id3PointerDescriptor(1).content).toEqual(hex('ffff49443320ff49443320ff1f0001'));
    expect(id3Descriptor().content).toEqual(hex('ffff49443320ff49443320ff0f'));
  });

  it('passes over what is not valid yet and refuses lies', () => {
    const later = PAT.slice();
    later[5] = later[5]! & 0xfe;
    expect(readPat(later)).toBeUndefined();
    const long = PMT.slice();
    long[2] = 0x18;
    expect(() => readPmt(long)).toThrow(expect.objectContaining({ code: 'TS_SECTION' }));
    const info = PMT.slice();
    info[11] = 0x40;
    expect(() => readPmt(info)).toThrow(expect.objectContaining({ code: 'BYTES_OUT_OF_RANGE' }));
    const streams = Array.from({ length: 33 }, (_, i) => ({
      pid: 0x200 + i,
      streamType: 6,
      descriptors: [],
    }));
    expect(() => readPmt(writePmt({ ...MAP, streams }))).toThrow(
      expect.objectContaining({ code: 'TS_LIMIT' }),
    );
  });
});

describe('ID3', () => {
  it('writes a text frame', () => {
    expect(id3TextTag({ description: 'a', value: 'bc' })).toEqual(
      hex('494433 04 00 00 00000010 54585858 00000006 0000 03 6100 6263 00'),
    );
  });

  it('writes lengths with 7 bits to a byte and cuts what is too long', () => {
    const tag = id3TextTag({ description: '', value: 'x'.repeat(300) });
    expect([...tag.subarray(6, 10)]).toEqual([0, 0, 2, 0x39]);
    expect(tag.length).toBe(10 + 2 * 128 + 0x39);
    expect(id3TextTag({ description: '', value: 'x'.repeat(100_000) }).length).toBeLessThan(17_000);
  });
});

describe('SectionAssembler', () => {
  const collect = () => {
    const sections: Uint8Array[] = [];
    const faults: string[] = [];
    const assembler = new SectionAssembler(
      (section) => sections.push(section),
      ({ code }) => faults.push(code),
    );
    return { sections, faults, assembler };
  };
  const after = (pointer: number, ...parts: Uint8Array[]): Uint8Array =>
    Uint8Array.from([pointer, ...parts.flatMap((part) => [...part])]);

  it('joins a section that is cut anywhere', () => {
    for (let cut = 1; cut < PMT.length; cut++) {
      const { sections, faults, assembler } = collect();
      assembler.push(after(0, PMT.subarray(0, cut)), true);
      assembler.push(PMT.subarray(cut), false);
      expect(sections).toEqual([PMT]);
      expect(faults).toEqual([]);
    }
  });

  it('finds several sections in one packet and the rest of one in front of the pointer', () => {
    const { sections, faults, assembler } = collect();
    assembler.push(after(0, PAT, PMT.subarray(0, 5)), true);
    assembler.push(after(PMT.length - 5, PMT.subarray(5), PAT, hex('ffff')), true);
    assembler.push(hex('ffffff'), false);
    expect(sections).toEqual([PAT, PMT, PAT]);
    expect(faults).toEqual([]);
  });

  it('reports what is wrong and goes on', () => {
    const { sections, faults, assembler } = collect();
    assembler.push(after(0, PAT.with(8, 9)), true);
    assembler.push(after(200), true);
    assembler.push(new Uint8Array(0), true);
    assembler.push(after(0, hex('00bfff0000')), true);
    assembler.push(after(0, PMT.subarray(0, 9)), true);
    assembler.push(after(0, PAT), true);
    expect(faults).toEqual(['TS_CRC', 'TS_SECTION', 'TS_SECTION', 'TS_SECTION', 'TS_SECTION']);
    expect(sections).toEqual([PAT]);
  });

  it('forgets a section of which a packet is missing', () => {
    const { sections, faults, assembler } = collect();
    assembler.push(after(0, PMT.subarray(0, 9)), true);
    assembler.lost();
    assembler.push(PMT.subarray(9), false);
    assembler.push(after(0, PAT), true);
    expect(sections).toEqual([PAT]);
    expect(faults).toEqual([]);
  });
});
