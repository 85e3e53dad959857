import { describe, expect, it } from 'vitest';
import { clusterParts, ebmlHeader, endless, simpleBlock, vp8Frame } from '../../../../test/kit/webm-files.ts';
import { concatBytes } from '../bytes/index.ts';
import { ID } from './element-id.ts';
import { element, floatElement, intElement, master, textElement, uintElement } from './element-writer.ts';
import { dumpElements, ElementLister, type ElementRow } from './index.ts';

const file = concatBytes([
  ebmlHeader(),
  endless(
    ID.Segment,
    master(ID.Info, [
      floatElement(ID.Duration, 1.5),
      textElement(ID.Title, 'a "b"'),
      element(ID.DateUTC, new Uint8Array(8)),
      element(ID.Duration, new Uint8Array(3)),
    ]),
    element(0x4099, Uint8Array.of(1, 2, 3)),
    endless(
      ID.Cluster,
      ...clusterParts(7, [
        simpleBlock(1, -2, vp8Frame(true, 400)),
        master(ID.BlockGroup, [
          element(ID.Block, concatBytes([Uint8Array.of(0x82, 0, 5, 0x0c, 0), vp8Frame(false)])),
          intElement(ID.DiscardPadding, -3),
        ]),
      ]),
    ),
    master(ID.Tags, [master(ID.Tag, [master(ID.Targets, [uintElement(ID.TagTrackUID, 2 ** 52)])])]),
  ),
]);

describe('listing', () => {
  it('shows the tree with its values', () => {
    expect(dumpElements(file)).toBe(
      [
        'EBML 11',
        '  DocType 4 "webm"',
        '  DocTypeReadVersion 1 2',
        'Segment unknown size',
        '  Info 36',
        '    Duration 8 1.5',
        '    Title 5 "a \\"b\\""',
        '    DateUTC 8 "2001-01-01T00:00:00.000Z"',
        '! EBML_VALUE at 63: Duration is a float of 3 octets (RFC 8794 §7)',
        '    Duration 3 000000',
        '  0x4099 3 010203',
        '  Cluster unknown size',
        '    Timestamp 1 7',
        '    SimpleBlock 404 track=1 time=-2 key',
        '    BlockGroup 42',
        '      Block 29 track=2 time=5 invisible lacing=fixed',
        '      DiscardPadding 8 -3',
        '  Tags 16',
        '    Tag 13',
        '      Targets 10',
        '        TagTrackUID 7 "0x10000000000000"',
        '',
      ].join('\n'),
    );
  });

  it('tells where everything stands, in pieces of any size', () => {
    const rows = (piece: number): ElementRow[] => {
      const found: ElementRow[] = [];
      const lister = new ElementLister({ onRow: (row) => found.push(row) });
      for (let at = 0; at < file.length; at += piece) lister.push(file.slice(at, at + piece));
      lister.end();
      return found;
    };
    const whole = rows(file.length);
    for (const { offset, id } of whole) {
      const octets = id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1;
      const found = file.subarray(offset, offset + octets).reduce((sum, octet) => sum * 256 + octet, 0);
      expect(found).toBe(id);
    }
    for (const piece of [1, 2, 13]) expect(rows(piece)).toEqual(whole);
  });

  it('says that something is no EBML, once', () => {
    expect(dumpElements(Uint8Array.of(1, 2, 3, 4))).toBe(
      '! EBML_HEADER_MISSING at 0: the bytes do not begin with an EBML header (RFC 8794 §8.1)\n',
    );
  });
});
