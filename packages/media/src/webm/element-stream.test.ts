import { describe, expect, it } from 'vitest';
import {
  clusterParts,
  ebmlHeader,
  endless,
  INFO,
  recording,
  simpleBlock,
  VP8_OPUS,
  vp8Frame,
} from '../../../../test/kit/webm-files.ts';
import { concatBytes } from '../bytes/index.ts';
import type { ParseError } from '../model/errors.ts';
import { Crc32 } from './crc32.ts';
import { ID } from './element-id.ts';
import { ElementStream } from './element-stream.ts';
import { element, master, uintElement } from './element-writer.ts';
import { MAX_UNKNOWN_ELEMENT_BYTES } from './placement.ts';
import { elementName } from './schema.ts';

/** Names of what is handed out, indented by depth, and codes of faults. */
function listed(bytes: Uint8Array, piece = bytes.length): string[] {
  const lines: string[] = [];
  const stream = new ElementStream({
    handle: ({ id }) =>
      [ID.Segment, ID.Cluster, ID.Tracks, ID.TrackEntry, ID.SimpleTag].some((open) => open === id)
        ? 'open'
        : 64,
    fault: (error: ParseError) => lines.push(`${error.code} ${error.offset}`),
  });
  const drain = (): void => {
    for (let found = stream.next(); found !== undefined; found = stream.next()) {
      lines.push(`${' '.repeat(found.header.depth)}${found.kind} ${elementName(found.header.id)}`);
    }
  };
  for (let at = 0; at < bytes.length; at += piece) {
    stream.push(bytes.subarray(at, at + piece));
    drain();
  }
  stream.end();
  return lines;
}

const block = simpleBlock(1, 0, vp8Frame(true));
const cluster = (time: number): Uint8Array => master(ID.Cluster, clusterParts(time, [block]));
const openCluster = (time: number): Uint8Array => endless(ID.Cluster, ...clusterParts(time, [block]));
const CLUSTER = [' open Cluster', '  whole Timestamp', '  whole SimpleBlock'];
const HEAD = ['whole EBML', 'open Segment'];

/** A master element that begins with its CRC-32. */
function summed(id: number, ...children: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(children);
  const sum = new Crc32().update(content).value;
  const octets = Uint8Array.of(sum & 255, (sum >> 8) & 255, (sum >> 16) & 255, sum >>> 24);
  return master(id, [element(ID.CRC32, octets), content]);
}

describe('elements of known and unknown size', () => {
  it('end where they say', () => {
    const file = concatBytes([ebmlHeader(), master(ID.Segment, [INFO, cluster(0), cluster(1)])]);
    expect(listed(file)).toEqual([...HEAD, ' whole Info', ...CLUSTER, ...CLUSTER]);
  });

  it('end where an element comes that belongs above them', () => {
    const file = concatBytes([
      ebmlHeader(),
      endless(ID.Segment, INFO, openCluster(0), openCluster(1), element(ID.Tags, new Uint8Array(0))),
      ebmlHeader(),
      endless(ID.Segment, openCluster(0)),
    ]);
    expect(listed(file)).toEqual([
      ...HEAD,
      ' whole Info',
      ...CLUSTER,
      ...CLUSTER,
      ' whole Tags',
      ...HEAD,
      ...CLUSTER,
    ]);
  });

  it('end with the Segment that encloses them', () => {
    const file = concatBytes([ebmlHeader(), master(ID.Segment, [openCluster(0)]), ebmlHeader()]);
    expect(listed(file)).toEqual([...HEAD, ...CLUSTER, 'whole EBML']);
  });

  it('are passed over if nobody knows them, and Void everywhere', () => {
    const odd = element(0x4099, new Uint8Array(5));
    const empty = element(ID.Void, new Uint8Array(0));
    const file = concatBytes([
      ebmlHeader(),
      empty,
      endless(ID.Segment, odd, empty, openCluster(0), odd, empty),
    ]);
    expect(listed(file)).toEqual([
      'whole EBML',
      'whole Void',
      'open Segment',
      ' whole 0x4099',
      ' whole Void',
      ...CLUSTER,
      '  whole 0x4099',
      '  whole Void',
    ]);
  });

  it('are the same however the bytes are cut', () => {
    const file = recording({ clusters: 2 });
    const whole = listed(file);
    for (const piece of [1, 2, 3, 5, 7, 64]) expect(listed(file, piece)).toEqual(whole);
  });
});

describe('damage', () => {
  it('is not taken for something else', () => {
    for (const text of ['FLV\u0001', '<html>', '\u001aE\u00df\u00a4']) {
      const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
      expect(() => listed(bytes)).toThrow(
        expect.objectContaining({ code: 'EBML_HEADER_MISSING', offset: 0 }),
      );
      expect(() => listed(bytes, 1)).toThrow(expect.objectContaining({ code: 'EBML_HEADER_MISSING' }));
    }
  });

  it('is passed over up to the next Cluster', () => {
    const before = concatBytes([ebmlHeader(), endless(ID.Segment, openCluster(0))]);
    for (const rubbish of ['00', '0000001f43b6', 'ff81', '4fff00', 'b084', 'a3', '1f43b675']) {
      const octets = Uint8Array.from(rubbish.match(/../g)!, (pair) => Number.parseInt(pair, 16));
      const file = concatBytes([before, octets, openCluster(1), openCluster(2)]);
      const found = listed(file);
      expect(found.filter((line) => line === ' open Cluster').length).toBeGreaterThanOrEqual(2);
      expect(found.slice(-3)).toEqual(CLUSTER);
      expect(found.some((line) => /^EBML_(ID|SIZE|LIMIT) \d+$/.test(line))).toBe(true);
      expect(listed(file, 1)).toEqual(found);
    }
  });

  it('in a size: a child longer than its parent', () => {
    const short = master(ID.Cluster, clusterParts(0, [block]));
    short[4] = short[4]! - 3; // its last block reaches out of it
    const file = concatBytes([ebmlHeader(), endless(ID.Segment, short, cluster(1))]);
    expect(listed(file)).toEqual([
      ...HEAD,
      ' open Cluster',
      '  whole Timestamp',
      expect.stringMatching(/^EBML_SIZE/),
      ...CLUSTER,
    ]);
  });

  it('in a size: a Segment that ends too early goes on', () => {
    const file = concatBytes([ebmlHeader(), element(ID.Segment, cluster(0)), cluster(1), cluster(2)]);
    const fault = expect.stringMatching(/^EBML_ID/);
    expect(listed(file)).toEqual([...HEAD, ...CLUSTER, fault, ...CLUSTER, ...CLUSTER]);
    const within = concatBytes([
      ebmlHeader(),
      element(ID.Segment, cluster(0).subarray(0, 9)),
      cluster(0).subarray(9),
    ]);
    expect(listed(within)).toEqual([...HEAD, expect.stringMatching(/^EBML_SIZE/), ...CLUSTER]);
  });

  it('in a size: what must have one', () => {
    const file = concatBytes([ebmlHeader(), endless(ID.Segment, endless(ID.Tracks, INFO), cluster(0))]);
    expect(listed(file)).toEqual([...HEAD, expect.stringMatching(/^EBML_SIZE/), ...CLUSTER]);
  });

  it('in a size: unbelievable ones', () => {
    for (const size of ['0100000040000001', '0120000000000000']) {
      const octets = Uint8Array.from(`ec${size}`.match(/../g)!, (pair) => Number.parseInt(pair, 16));
      const file = concatBytes([ebmlHeader(), endless(ID.Segment, octets, cluster(0))]);
      expect(listed(file)).toEqual([...HEAD, expect.stringMatching(/^EBML_SIZE/), ...CLUSTER]);
    }
    const unknown = element(0x4099, new Uint8Array(MAX_UNKNOWN_ELEMENT_BYTES + 1));
    const file = concatBytes([ebmlHeader(), endless(ID.Segment, unknown, cluster(0))]);
    expect(listed(file)).toEqual([...HEAD, expect.stringMatching(/^EBML_SIZE/), ...CLUSTER]);
  });

  it('at the end: a cut is told', () => {
    const file = concatBytes([ebmlHeader(), master(ID.Segment, [cluster(0)])]);
    const found = listed(file.subarray(0, -3));
    expect(found.slice(-2)).toEqual([
      `EBML_SIZE ${file.length - 3 - (block.length - 2 - 3)}`,
      expect.stringMatching(/^EBML_SIZE/),
    ]);
    expect(listed(recording())).not.toContainEqual(expect.stringMatching(/^EBML/));
  });

  it('of what is longer than wanted: it is passed over', () => {
    const long = element(ID.Info, new Uint8Array(65));
    const file = concatBytes([ebmlHeader(), endless(ID.Segment, long, cluster(0))]);
    expect(listed(file)).toEqual([...HEAD, expect.stringMatching(/^EBML_LIMIT/), ' skip Info', ...CLUSTER]);
  });

  it('of depth: elements are not opened for ever', () => {
    let nested = uintElement(ID.TrackNumber, 1);
    for (let i = 0; i < 20; i++) nested = master(ID.SimpleTag, [nested]);
    const file = concatBytes([ebmlHeader(), endless(ID.Segment, master(ID.Tracks, [nested]), cluster(0))]);
    const found = listed(file);
    expect(found).toContainEqual(expect.stringMatching(/^EBML_DEPTH/));
    expect(found.filter((line) => line.includes('open SimpleTag'))).toHaveLength(6);
    expect(found.slice(-3)).toEqual(CLUSTER);
  });
});

describe('CRC-32', () => {
  it('is checked over what follows it in its parent', () => {
    const tracks = summed(ID.Tracks, uintElement(ID.TrackNumber, 1), uintElement(ID.TrackNumber, 2));
    const file = concatBytes([
      ebmlHeader(),
      endless(ID.Segment, tracks, summed(ID.Cluster, ...clusterParts(0, [block]))),
    ]);
    expect(listed(file).filter((line) => line.startsWith('EBML_'))).toEqual([]);
    expect(listed(file, 1)).toEqual(listed(file));
    const spoilt = file.slice();
    spoilt[file.length - 1] = spoilt[file.length - 1]! ^ 1;
    const at = file.length - summed(ID.Cluster, ...clusterParts(0, [block])).length;
    // The last Cluster of a recording is closed by what follows it.
    expect(listed(concatBytes([spoilt, VP8_OPUS]))).toContain(`EBML_CRC ${at}`);
  });
});

describe('a hole', () => {
  it('is passed over', () => {
    const file = recording({ clusters: 3 });
    const starts = [...file.keys()].filter(
      (at) => file[at] === 0x1f && file[at + 1] === 0x43 && file[at + 2] === 0xb6,
    );
    const found: string[] = [];
    const stream = new ElementStream({
      handle: ({ id }) => (id === ID.Segment || id === ID.Cluster ? 'open' : 64 * 1024),
      fault: (error) => found.push(error.code),
    });
    const drain = (): void => {
      for (let next = stream.next(); next !== undefined; next = stream.next()) {
        if (next.kind === 'open') found.push(`${elementName(next.header.id)} ${next.header.offset}`);
      }
    };
    stream.push(file.subarray(0, starts[1]! + 30));
    drain();
    stream.lost();
    stream.push(file.subarray(starts[1]! + 100));
    drain();
    expect(found).toEqual([
      expect.stringMatching(/^Segment/),
      `Cluster ${starts[0]}`,
      `Cluster ${starts[1]}`,
      `Cluster ${starts[2]! - 70}`, // counted without what is missing
    ]);
  });
});
