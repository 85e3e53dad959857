import { expect, it } from 'vitest';
import { attribute, choosePublished, parseSdp, readOffer, type Taken, writeAnswer } from './index.ts';

const RID = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
/** RFC 8285 §4.2 has room for 16 bytes. */
const LONG = 'highest-of-three-layers';

/** What Chromium offers for a picture with `sendEncodings`, shortened. */
function offer(more: readonly string[], extension = `a=extmap:10 ${RID}`): string {
  return [
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    'a=extmap-allow-mixed',
    `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
    'a=ice-ufrag:abcd',
    'a=ice-pwd:0123456789abcdef01234567',
    'a=setup:actpass',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=mid:0',
    'a=sendonly',
    'a=rtpmap:111 opus/48000/2',
    'a=ssrc:1111 cname:x',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97 102',
    'a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid',
    extension,
    'a=mid:1',
    'a=sendonly',
    'a=rtpmap:96 VP8/90000',
    'a=rtpmap:97 rtx/90000',
    'a=rtpmap:102 H264/90000',
    'a=fmtp:102 packetization-mode=1;profile-level-id=42e01f',
    ...more,
    '',
  ].join('\r\n');
}

const layersOf = (text: string) =>
  choosePublished(readOffer(text)).find(({ name }) => name === 'h264')!.layers;
const rids = (names: readonly string[]): string[] => names.map((rid) => `a=rid:${rid} send`);

it('takes the layers of a browser and answers with them, RFC 8853 §5.3', () => {
  const read = readOffer(offer([...rids(['h', 'm', 'l']), 'a=simulcast:send h;m;l']));
  const chosen = choosePublished(read);
  expect(chosen.map(({ layers }) => layers)).toEqual([undefined, ['h', 'm', 'l']]);
  const taken = chosen.map(
    ({ media, codec, layers }): Taken => ({
      media,
      codec,
      direction: 'recvonly',
      ...(layers && { layers, extensions: new Map([[RID, media.extensions.get(RID)!]]) }),
    }),
  );
  const transport = {
    iceUfrag: 'a',
    icePwd: 'b',
    fingerprint: 'c',
    setup: 'passive',
    candidates: [],
  } as const;
  const answer = parseSdp(writeAnswer(read, taken, transport));
  // RFC 8285 §6: only what the offer allows.
  expect(attribute(answer, 'extmap-allow-mixed')).toBe('');
  const [sound, picture] = answer.media;
  const lines = picture!.attributes.map(({ name, value }) => `${name}:${value}`);
  for (const line of [`extmap:10 ${RID}`, 'rid:h recv', 'rid:m recv', 'rid:l recv', 'simulcast:recv h;m;l']) {
    expect(lines).toContain(line);
  }
  expect(sound!.attributes.some(({ name }) => /rid|simulcast|extmap/.test(name))).toBe(false);
});

it('takes layers again on sources of their own only if these are named, RFC 8852 §3.2', () => {
  const rtx = ['a=rtcp-fb:102 nack', 'a=fmtp:97 apt=102'];
  const more = [...rtx, ...rids(['h', 'l']), 'a=simulcast:send h;l'];
  const rtxOf = (lines: readonly string[]) =>
    choosePublished(readOffer(offer(lines))).find(({ name }) => name === 'h264')!.rtx?.payloadType;
  expect(rtxOf(more)).toBeUndefined();
  expect(rtxOf([...more, 'a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id'])).toBe(97);
  expect(rtxOf(rtx)).toBe(97);
});

it.each<[string, string, readonly string[] | undefined]>([
  ['no layers', offer([]), undefined],
  [
    'a name and an id that need the two-byte form',
    offer([...rids([LONG, 'l']), `a=simulcast:send ${LONG};l`], `a=extmap:200 ${RID}`),
    [LONG, 'l'],
  ],
  ['one layer', offer(['a=rid:h send', 'a=simulcast:send h']), undefined],
  ['no way to tell them apart', offer([...rids(['h', 'l']), 'a=simulcast:send h;l'], 'a=x:y'), undefined],
  ['layers that are received', offer([...rids(['h', 'l']), 'a=simulcast:recv h;l']), undefined],
  ['both ways', offer([...rids(['h', 'l']), 'a=rid:r recv', 'a=simulcast:recv r send h;l']), ['h', 'l']],
  ['a name without description', offer([...rids(['h', 'l']), 'a=simulcast:send h;x;l']), ['h', 'l']],
  ['a name twice', offer([...rids(['h', 'l', 'l']), 'a=simulcast:send h;l;h;l']), ['h', 'l']],
  ['one name only, often', offer([...rids(['h']), `a=simulcast:send ${'h;'.repeat(500)}h`]), undefined],
  ['alternatives and pauses', offer([...rids(['a', 'b', 'c']), 'a=simulcast:send ~a,b;~c']), ['a', 'c']],
  [
    'layers of other payload types',
    offer([
      'a=rid:a send pt=96',
      'a=rid:b send pt=96,102;max-width=640',
      'a=rid:c send',
      'a=simulcast:send a;b;c',
    ]),
    ['b', 'c'],
  ],
  [
    'a name that is none',
    offer([...rids(['h', 'l', 'ä', 'x'.repeat(17)]), 'a=simulcast:send h;ä;l']),
    ['h', 'l'],
  ],
  [
    '1,000 layers',
    offer([
      ...rids(Array.from({ length: 1_000 }, (_, i) => `r${i}`)),
      `a=simulcast:send ${Array.from({ length: 1_000 }, (_, i) => `r${i}`).join(';')}`,
    ]),
    ['r0', 'r1', 'r2', 'r3'],
  ],
  [
    'nothing behind the word',
    offer([...rids(['h', 'l']), 'a=simulcast:send', 'a=simulcast:send h;l']),
    undefined,
  ],
])('of an offer with %s takes what can be told apart', (_what, text, layers) => {
  expect(layersOf(text)).toEqual(layers);
});
