import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../model/errors.ts';
import { middleOfNtp, msOfNtp, ntpOfMs } from './ntp.ts';
import {
  isRtcp,
  PLAYOUT_DELAY_BYTES,
  parseRtp,
  RTP_HEADER_BYTES,
  writePlayoutDelay,
  writeRtp,
  writeRtpHeader,
} from './packet.ts';
import {
  parseRtcp,
  type ReportBlock,
  writeBitrate,
  writeNack,
  writePictureLoss,
  writeReceiverReport,
  writeSenderReport,
} from './rtcp.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

describe('RTP packet', () => {
  it('tells how long a picture may be held back', () => {
    const bytes = new Uint8Array(RTP_HEADER_BYTES + PLAYOUT_DELAY_BYTES + 1).fill(0xee);
    const header = { marker: true, payloadType: 102, sequence: 1, timestamp: 2, ssrc: 3 };
    writeRtpHeader(bytes, 0, header);
    writePlayoutDelay(bytes, 0, 12, 100, 4_000);
    // 10 and 400 steps of 10 ms, in 12 bits each behind the id and one less than the length.
    expect(bytes).toEqual(hex('90e600010000000200000003bede0001c200a190ee'));
    expect(parseRtp(bytes)).toEqual({ ...header, payload: hex('ee') });
  });

  it('reads a packet with sources, extension and padding', () => {
    const bytes = hex(`b1e612340001e240deadbeef0badcafebede0001aabbccdd${'0102030405'}000003`);
    expect(parseRtp(bytes)).toEqual({
      marker: true,
      payloadType: 102,
      sequence: 0x1234,
      timestamp: 123_456,
      ssrc: 0xdeadbeef,
      payload: hex('0102030405'),
    });
  });

  it.each([
    ['too short', '8060'],
    ['another version', '406012340001e240deadbeef'],
    ['padding longer than the packet', `a06012340001e240deadbeef${'ff'}`],
    ['padding of nothing', `a06012340001e240deadbeef${'00'}`],
    ['an extension that is cut off', '906012340001e240deadbeefbede0005aabbccdd'],
    ['sources that are cut off', '8f6012340001e240deadbeef'],
  ])('refuses %s', (_what, text) => {
    expect(() => parseRtp(hex(text))).toThrow(expect.objectContaining({ code: 'RTP_PACKET' }));
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(
        fc.record({
          marker: fc.boolean(),
          payloadType: fc.integer({ min: 0, max: 127 }),
          sequence: fc.integer({ min: 0, max: 0xffff }),
          timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
          ssrc: fc.integer({ min: 0, max: 0xffff_ffff }),
          payload: fc.uint8Array({ maxLength: 1200 }),
        }),
        (packet) => {
          expect(parseRtp(writeRtp(packet))).toEqual(packet);
        },
      ),
    );
  });

  it('throws nothing but its own error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        for (const read of [parseRtp, parseRtcp]) {
          try {
            read(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(ParseError);
          }
        }
      }),
    );
  });
});

const block: ReportBlock = {
  ssrc: 7,
  fractionLost: 12,
  lost: -3,
  highest: 0x1_0005,
  jitter: 99,
  lastReport: 0xabcd_0123,
  delay: 65_536,
};

describe('RTCP', () => {
  it('reads a sender report with its source name', () => {
    const ntp = ntpOfMs(1_700_000_000_123);
    const bytes = writeSenderReport({ ssrc: 5, ntp, timestamp: 90_000, packets: 3, octets: 400 }, 'onair');
    expect(bytes.length % 4).toBe(0);
    expect(isRtcp(bytes)).toBe(true);
    expect(parseRtcp(bytes)).toEqual([
      { kind: 'sender-report', ssrc: 5, ntp, timestamp: 90_000, packets: 3, octets: 400, reports: [] },
    ]);
    expect(msOfNtp(ntp)).toBeCloseTo(1_700_000_000_123, 3);
    expect(middleOfNtp({ seconds: 0x1234_5678, fraction: 0x9abc_def0 })).toBe(0x5678_9abc);
  });

  it('reads what it writes, all in one', () => {
    const parts = [
      writeReceiverReport(1, [block]),
      writePictureLoss(1, 9),
      writeNack(1, 9, [65_534, 65_535, 0, 14, 100]),
      writeBitrate(1, [9], 6_000_000),
    ];
    const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
    const [report, loss, nack, bitrate] = parseRtcp(bytes);
    expect(report).toEqual({ kind: 'receiver-report', ssrc: 1, reports: [block] });
    expect(loss).toEqual({ kind: 'keyframe-request', media: 9 });
    expect(nack).toEqual({ kind: 'nack', media: 9, lost: [65_534, 65_535, 0, 14, 100] });
    expect(bitrate?.kind === 'bitrate' && bitrate.bitrate).toBeCloseTo(6_000_000, -3);
  });

  it('takes the full intra request of RFC 5104 for one too', () => {
    expect(parseRtcp(hex('84ce000400000001000000000000000901000000'))).toEqual([
      { kind: 'keyframe-request', media: 9 },
    ]);
  });

  it.each([
    ['a length beyond what came', '80c90005aabbccdd'],
    ['a report without its blocks', '81c90001aabbccdd'],
    ['another version', '00c90001aabbccdd'],
    ['goodbyes of more sources than there are', '9fcb0001aabbccdd'],
  ])('refuses %s', (_what, text) => {
    expect(() => parseRtcp(hex(text))).toThrow(expect.objectContaining({ code: 'RTCP_PACKET' }));
  });

  it('bounds how many packets it looks at and may be asked for', () => {
    expect(() => parseRtcp(hex('80c90001aabbccdd'.repeat(40)))).toThrow(/more than 32/);
    const storm = new Uint8Array(12 + 4 * 60).fill(0xff);
    storm.set(hex('81cd003e0000000100000009'));
    expect(() => parseRtcp(storm)).toThrow(/more than 512/);
  });
});
