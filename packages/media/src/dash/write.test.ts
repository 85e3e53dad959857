import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../model/errors.ts';
import { sampleMpd } from './golden/sample-mpd.ts';
import { MAX_TIMELINE_SEGMENTS, parseMpd } from './parse.ts';
import { fillTemplate } from './template.ts';
import {
  readDateTime,
  readDuration,
  readFrameRate,
  readNumber,
  writeDateTime,
  writeDuration,
  writeFrameRate,
} from './values.ts';
import { writeMpd } from './write.ts';
import { escapeXml, MAX_XML_DEPTH, MAX_XML_LENGTH, parseXml } from './xml.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return 'none';
};

const golden = new URL('./golden/live.mpd', import.meta.url);

describe('writing and reading', () => {
  it('is the golden text', () => {
    const text = writeMpd(sampleMpd());
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  it('takes the media type from either element', () => {
    const text = writeMpd(sampleMpd());
    const moved = text
      .replace(/ mimeType="([^"]+)"/g, '')
      .replace(/<Representation /g, '<Representation mimeType="video/mp4" ');
    expect(moved).not.toBe(text);
    for (const { adaptationSets } of parseMpd(moved).periods) {
      for (const { mimeType } of adaptationSets) expect(mimeType).toBe('video/mp4');
    }
    expect(codeOf(() => parseMpd(text.replace(/ mimeType="([^"]+)"/g, '')))).toBe('DASH_ELEMENT');
  });

  it('gives back what was written', () => {
    expect(parseMpd(writeMpd(sampleMpd()))).toEqual(sampleMpd());
    const withEvents = sampleMpd();
    const period = {
      ...withEvents.periods[0]!,
      duration: 6,
      eventStreams: [
        {
          schemeIdUri: 'urn:example:"<&>',
          value: "a\tb'",
          timescale: 1000,
          events: [{ presentationTime: 5, duration: 7, id: 3, content: '{"文字":"<😀>&\r\n"}' }],
        },
      ],
    };
    const mpd = { ...withEvents, type: 'static' as const, mediaPresentationDuration: 6.5, periods: [period] };
    expect(parseMpd(writeMpd(mpd))).toEqual(mpd);
  });

  it('keeps every timeline', () => {
    const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(0, 0, 0, 5)), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(lengths, fc.nat(1e9), (steps, start) => {
        let t = start;
        const timeline = steps.map(([d, hole]) => {
          t += hole;
          const segment = { t, d };
          t += d;
          return segment;
        });
        const mpd = sampleMpd();
        const set = mpd.periods[0]!.adaptationSets[0]!;
        const representation = set.representations[0]!;
        const segmentTemplate = { ...representation.segmentTemplate, timeline };
        const sets = [{ ...set, representations: [{ ...representation, segmentTemplate }] }];
        const changed = { ...mpd, periods: [{ ...mpd.periods[0]!, adaptationSets: sets }] };
        expect(parseMpd(writeMpd(changed))).toEqual(changed);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses what the schema does not allow', () => {
    const text = writeMpd(sampleMpd());
    const wrong: readonly [string, string, string][] = [
      ['xmlns="urn:mpeg:dash:schema:mpd:2011" ', '', 'DASH_ELEMENT'],
      ['type="dynamic"', 'type="live"', 'DASH_ELEMENT'],
      [' minBufferTime="PT2.1S"', '', 'DASH_ELEMENT'],
      ['minBufferTime="PT2.1S"', 'minBufferTime="2.1"', 'DASH_VALUE'],
      ['availabilityStartTime="2026-01-01T00:00:00.000Z"', 'availabilityStartTime="today"', 'DASH_VALUE'],
      [' start="PT0.5S"', '', 'DASH_ELEMENT'],
      ['contentType="video"', 'contentType="image"', 'DASH_ELEMENT'],
      ['bandwidth="2000000"', 'bandwidth="2e6"', 'DASH_VALUE'],
      ['d="180000"', 'd="0"', 'DASH_ELEMENT'],
      ['r="2"', `r="${MAX_TIMELINE_SEGMENTS}"`, 'DASH_LIMIT'],
      ['availabilityTimeComplete="false"', 'availabilityTimeComplete="no"', 'DASH_VALUE'],
      ['type="encoder"', 'type="clock"', 'DASH_ELEMENT'],
      ['</SegmentTimeline>', '<S t="1" d="1"/></SegmentTimeline>', 'DASH_ELEMENT'],
      ['<Role', '<Representation/><Role', 'DASH_ELEMENT'],
      ['<MPD ', '<MPX ', 'DASH_XML'],
    ];
    for (const [from, to, code] of wrong) {
      expect(text).toContain(from);
      expect(
        codeOf(() => parseMpd(text.replace(from, to))),
        `${from} -> ${to}`,
      ).toBe(code);
    }
  });
});

describe('XML', () => {
  it('reads elements, attributes, references, comments and sections', () => {
    const root = parseXml(
      '\ufeff<?xml version="1.0"?>\n<!-- a --><a x=\'1 &lt; 2\' y="&#x65e5;&#10;\n"><b/>\n<c>t<![CDATA[<&]]>&amp;</c></a>\n<!--b-->',
    );
    expect(Object.fromEntries(root.attributes)).toEqual({ x: '1 < 2', y: '日\n ' });
    expect(root.children.map(({ name, text }) => [name, text])).toEqual([
      ['b', ''],
      ['c', 't<&&'],
    ]);
  });

  it('refuses everything else', () => {
    const bad = [
      '',
      'a',
      '<a',
      '<a>',
      '<a></b>',
      '<a/><b/>',
      '<a/>x',
      '<a x=1/>',
      '<a x="1" x="2"/>',
      '<a x="<"/>',
      '<a x="1"y="2"/>',
      '<a>&b;</a>',
      '<a>&</a>',
      '<a>&#0;</a>',
      '<a>&#xd800;</a>',
      '<a>&#x110000;</a>',
      '<a>\u0001</a>',
      '<a>]]></a>',
      '<a><!-- -- --></a>',
      '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
      '<a><?php ?></a>',
      '<a>text<b/></a>',
      '<1/>',
    ];
    for (const text of bad)
      expect(
        codeOf(() => parseXml(text)),
        text,
      ).toBe('DASH_XML');
    expect(codeOf(() => parseXml('<a>'.repeat(MAX_XML_DEPTH + 1)))).toBe('DASH_LIMIT');
    expect(codeOf(() => parseXml(' '.repeat(MAX_XML_LENGTH + 1)))).toBe('DASH_LIMIT');
    const many = Array.from({ length: 65 }, (_, i) => ` a${i}=""`).join('');
    expect(codeOf(() => parseXml(`<a${many}/>`))).toBe('DASH_LIMIT');
  });

  it('carries any text that XML can hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const attribute = parseXml(`<a x="${escapeXml(text, true)}"/>`).attributes.get('x');
        const content = parseXml(`<a>${escapeXml(text, false)}</a>`).text;
        expect(attribute).toBe(content);
        expect(escapeXml(content, false)).toBe(escapeXml(text, false));
      }),
      { numRuns: 50 },
    );
  });

  it('never throws anything else, wherever it is cut or damaged', () => {
    const text = writeMpd(sampleMpd());
    for (let cut = 0; cut < text.length; cut += 7) {
      expect(['DASH_XML', 'DASH_ELEMENT', 'DASH_VALUE']).toContain(
        codeOf(() => parseMpd(text.slice(0, cut))),
      );
    }
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ unit: 'binary', maxLength: 4 }), (at, put) => {
        codeOf(() => parseMpd(text.slice(0, at) + put + text.slice(at + put.length)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('values', () => {
  it('writes and reads durations', () => {
    for (const seconds of [0, 0.5, 2, 14.002002, 7200, 1e9 + 0.25]) {
      expect(readDuration(writeDuration(seconds))).toBe(seconds);
    }
    expect(readDuration('P1DT2H3M4.5S')).toBe(93_784.5);
    for (const text of ['', 'P', 'PT', 'P1Y', 'P1M', '-PT1S', 'PT1', 'PT1S ', 'P1DT']) {
      expect(
        codeOf(() => readDuration(text)),
        text,
      ).toBe('DASH_VALUE');
    }
  });

  it('writes and reads dates', () => {
    const ms = Date.UTC(2026, 10, 21, 5, 22, 17, 123);
    expect(writeDateTime(ms)).toBe('2026-11-21T05:22:17.123Z');
    expect(readDateTime(writeDateTime(ms))).toBe(ms);
    expect(readDateTime('2026-11-21T06:22:17.123+01:00')).toBe(ms);
    expect(readDateTime('2026-11-21T05:22:17')).toBe(ms - 123);
    expect(codeOf(() => readDateTime('2026-13-41T00:00:00Z'))).toBe('DASH_VALUE');
  });

  it('knows frame rates and numbers', () => {
    expect([30, 29.97003, 23.976, 59.94, 12.5, 25].map(writeFrameRate)).toEqual([
      '30',
      '30000/1001',
      '24000/1001',
      '60000/1001',
      '12500/1000',
      '25',
    ]);
    expect(readFrameRate('24000/1001')).toBeCloseTo(23.976, 3);
    expect(codeOf(() => readFrameRate('30/0'))).toBe('DASH_VALUE');
    expect(readNumber('INF')).toBe(Number.POSITIVE_INFINITY);
    expect(codeOf(() => readNumber('1e5'))).toBe('DASH_VALUE');
  });

  it('fills templates', () => {
    const values = { representationId: 'v', number: 42, time: 9000, bandwidth: 100 };
    expect(fillTemplate('a/$RepresentationID$/$Number%05d$-$Time$.$Bandwidth$.$$m4s', values)).toBe(
      'a/v/00042-9000.100.$m4s',
    );
    expect(fillTemplate('$Number$$Time$', { representationId: 'v' })).toBe('$Number$$Time$');
  });
});
