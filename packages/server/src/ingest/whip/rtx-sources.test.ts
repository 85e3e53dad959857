import { parseRtp, REPAIRED_STREAM_ID_URI, writeRtp } from '@onair/media/rtp';
import { type ChosenMedia, choosePublished, readOffer } from '@onair/media/sdp';
import { expect, it } from 'vitest';
import { RtxSources } from './rtx-sources.ts';

const EXTENSION = 11;

/** The picture of an offer as Chromium writes it, shortened. */
function chosen(extension: string): ChosenMedia[] {
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
    'a=ice-ufrag:abcd',
    'a=ice-pwd:0123456789abcdef01234567',
    'a=setup:actpass',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
    'a=mid:v',
    'a=sendonly',
    'a=rtpmap:96 VP8/90000',
    'a=rtcp-fb:96 nack',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    extension,
    '',
  ];
  return choosePublished(readOffer(lines.join('\r\n')));
}

function packet(ssrc: number, rid?: string, payloadType = 97): Uint8Array {
  const bytes = writeRtp({
    marker: false,
    payloadType,
    sequence: 1,
    timestamp: 1,
    ssrc,
    payload: new Uint8Array(9),
  });
  if (rid === undefined) return bytes;
  const head = [EXTENSION << 4, ...Buffer.from(rid), 0, 0];
  const extended = Buffer.concat([
    bytes.subarray(0, 12),
    Uint8Array.of(0xbe, 0xde, 0, 1, ...head),
    bytes.subarray(12),
  ]);
  extended[0]! |= 0x10;
  return extended;
}

const LAYERS = ['l', 'h'].map((rid) => ({ mid: 'v', rid }));

it('tells layers by the header extension, then by the source, RFC 8852 §3.2', () => {
  const sources = new RtxSources(chosen(`a=extmap:${EXTENSION} ${REPAIRED_STREAM_ID_URI}`), LAYERS);
  const of = (bytes: Uint8Array) => sources.ownerOf('v', parseRtp(bytes), bytes)?.rid;
  expect(of(packet(1))).toBeUndefined();
  expect(of(packet(1, 'x'))).toBeUndefined();
  expect(of(packet(1, 'h'))).toBe('h');
  expect(of(packet(1))).toBe('h');
  expect(of(packet(2, 'l'))).toBe('l');
  // A source in place of another one.
  expect(of(packet(3, 'h'))).toBe('h');
  expect([of(packet(1)), of(packet(2)), of(packet(3))]).toEqual([undefined, 'l', 'h']);
  expect(sources.has('v', parseRtp(packet(1)))).toBe(true);
  expect(sources.has('v', parseRtp(packet(1, undefined, 96)))).toBe(false);
  expect(sources.has('other', parseRtp(packet(1)))).toBe(false);
});

it('needs nothing but the format for a picture without layers', () => {
  const only = { mid: 'v', rid: undefined };
  const sources = new RtxSources(chosen('a=x'), [only, { mid: 'other', rid: undefined }]);
  expect(sources.ownerOf('v', parseRtp(packet(1)), packet(1))).toBe(only);
  expect(sources.ownerOf('other', parseRtp(packet(1)), packet(1))).toBeUndefined();
  expect(
    new RtxSources(chosen('a=x'), LAYERS).ownerOf('v', parseRtp(packet(1, 'h')), packet(1, 'h')),
  ).toBeUndefined();
});
