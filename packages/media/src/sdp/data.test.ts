import { expect, it } from 'vitest';
import { dataSection, parseSdp, readOffer, reducedOffer, writeAnswer } from './index.ts';

const offer = (protocol = 'UDP/DTLS/SCTP'): string =>
  [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    'm=video 9 UDP/TLS/RTP/SAVPF 102',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=ice-ufrag:abcd',
    `a=ice-pwd:${'p'.repeat(24)}`,
    `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
    'a=setup:actpass',
    'a=recvonly',
    'a=rtpmap:102 H264/90000',
    `m=application 9 ${protocol} webrtc-datachannel`,
    'c=IN IP4 0.0.0.0',
    'a=mid:1',
    'a=sctp-port:5000',
    '',
  ].join('\r\n');
const transport = {
  iceUfrag: 'efgh',
  icePwd: 'q'.repeat(24),
  fingerprint: 'sha-256 AA',
  setup: 'passive' as const,
  candidates: ['1 1 udp 1 127.0.0.1 9 typ host'],
};

it('data channels are answered where they are taken, and rejected where not', () => {
  const read = readOffer(offer());
  const data = dataSection(read)!;
  expect(data.mid).toBe('1');
  const [video] = read.media;
  const taken = [{ media: video!, codec: video!.codecs[0]!, direction: 'sendonly' as const }];
  const answer = parseSdp(writeAnswer(read, taken, transport, data));
  expect(answer.attributes).toContainEqual({ name: 'group', value: 'BUNDLE 0 1' });
  expect(answer.media[1]).toMatchObject({ kind: 'application', port: 9, formats: ['webrtc-datachannel'] });
  expect(answer.media[1]!.attributes.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['mid', 'ice-ufrag', 'fingerprint', 'setup', 'sctp-port', 'max-message-size']),
  );
  expect(parseSdp(reducedOffer(read, taken, data)).media).toHaveLength(2);
  const without = parseSdp(writeAnswer(read, taken, transport));
  expect(without.media[1]!.port).toBe(0);
  expect(without.attributes).toContainEqual({ name: 'group', value: 'BUNDLE 0' });
  expect(parseSdp(reducedOffer(read, taken)).media).toHaveLength(1);
});

it('other protocols are no data channels', () => {
  expect(dataSection(readOffer(offer('TCP/DTLS/SCTP')))).toBeUndefined();
});
