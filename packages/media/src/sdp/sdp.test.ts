import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../model/errors.ts';
import {
  attribute,
  attributes,
  choosePublished,
  chooseWatched,
  parseIceFragment,
  parseSdp,
  readOffer,
  reducedOffer,
  type Taken,
  writeAnswer,
  writeSdp,
} from './index.ts';

const CODECS: Readonly<Record<string, string>> = {
  vp8: '96 VP8/90000',
  h264: '102 H264/90000',
  vp9: '98 VP9/90000',
  av1: '45 AV1/90000',
};

/** An offer as browsers write it, shortened. */
function offer(options: {
  readonly direction: 'sendonly' | 'recvonly';
  readonly video?: readonly string[];
  readonly more?: readonly string[];
}): string {
  const { direction, video = ['vp8', 'h264'], more = [] } = options;
  const types = video.map((name) => CODECS[name]!.split(' ')[0]);
  return [
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 63 9',
    'c=IN IP4 0.0.0.0',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:0123456789abcdef01234567',
    'a=setup:actpass',
    'a=mid:0',
    `a=${direction}`,
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=rtpmap:63 red/48000/2',
    'a=ssrc:1111 cname:x',
    `m=video 9 UDP/TLS/RTP/SAVPF ${types.join(' ')} 97`,
    'c=IN IP4 0.0.0.0',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:0123456789abcdef01234567',
    'a=setup:actpass',
    'a=mid:1',
    `a=${direction}`,
    'a=candidate:1 1 udp 2113937151 8c1b2f3a.local 54000 typ host',
    ...video.map((name) => `a=rtpmap:${CODECS[name]}`),
    'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    'a=rtcp-fb:102 nack',
    'a=rtcp-fb:102 nack pli',
    'a=rtcp-fb:102 transport-cc',
    'a=rtcp-fb:* goog-remb',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=102',
    'a=ssrc-group:FID 2222 3333',
    'a=ssrc:2222 cname:x',
    'a=ssrc:3333 cname:x',
    ...more,
    '',
  ].join('\r\n');
}

const TRANSPORT = {
  iceUfrag: 'srv1',
  icePwd: 'serverserverserverserver',
  fingerprint: 'sha-256 00:11',
  setup: 'passive',
  candidates: ['1 1 udp 2130706431 127.0.0.1 8189 typ host'],
} as const;

describe('description', () => {
  it('is written as it was read', () => {
    const sdp = parseSdp(offer({ direction: 'sendonly' }));
    expect(sdp.media.map(({ kind }) => kind)).toEqual(['audio', 'video']);
    expect(attribute(sdp.media[1]!, 'mid')).toBe('1');
    expect(attribute(sdp.media[1]!, 'sendonly')).toBe('');
    expect(parseSdp(writeSdp(sdp))).toEqual(sdp);
    expect(parseSdp(writeSdp(sdp).replaceAll('\r\n', '\n'))).toEqual(sdp);
  });

  it.each([
    ['nothing', '', 'SDP_SYNTAX'],
    ['another first line', 's=-\r\nv=0', 'SDP_SYNTAX'],
    ['a line that is none', 'v=0\r\nhello', 'SDP_SYNTAX'],
    ['an attribute with a space in its name', 'v=0\r\na=x y:1', 'SDP_SYNTAX'],
    ['a media line without formats', 'v=0\r\nm=video 9 RTP/AVP', 'SDP_SYNTAX'],
    ['33 media sections', `v=0\r\n${'m=video 9 RTP/AVP 96\r\n'.repeat(33)}`, 'SDP_LIMIT'],
    ['65 candidates', `v=0\r\n${'a=candidate:1\r\n'.repeat(65)}`, 'SDP_LIMIT'],
    ['2001 attributes', `v=0\r\n${'a=x\r\n'.repeat(2001)}`, 'SDP_LIMIT'],
    ['64 KB', `v=0\r\ns=${'x'.repeat(65_536)}`, 'SDP_LIMIT'],
  ])('of %s is refused', (_what, text, code) => {
    expect(() => parseSdp(text)).toThrow(expect.objectContaining({ code }));
  });

  it('of a megabyte, of anything, at any cut throws nothing but our errors, and quickly', () => {
    const text = offer({ direction: 'sendonly' });
    const check = (input: string): void => {
      try {
        readOffer(input);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    };
    for (let cut = 0; cut < text.length; cut++) check(text.slice(0, cut));
    check(`v=0\r\n${'a=candidate:'.repeat(90_000)}`);
    check(`v=0\r\n${'\n'.repeat(60_000)}`);
    fc.assert(
      fc.property(fc.nat(text.length), fc.string({ maxLength: 30 }), (at, noise) => {
        check(text.slice(0, at) + noise + text.slice(at));
      }),
    );
  });

  it('never gets a line end in the middle of a line', () => {
    expect(() => writeSdp({ attributes: [{ name: 'x', value: 'a\r\nm=video' }], media: [] })).toThrow(
      TypeError,
    );
  });
});

describe('offer', () => {
  it('tells codecs, sources without retransmissions, and the transport', () => {
    const read = readOffer(offer({ direction: 'sendonly' }));
    expect(read).toMatchObject({ iceUfrag: 'abcd', setup: 'actpass' });
    const video = read.media[1]!;
    expect(video).toMatchObject({ mid: '1', direction: 'sendonly', ssrcs: [2222] });
    expect(video.codecs.map(({ name }) => name)).toEqual(['vp8', 'h264', 'rtx']);
    expect(video.codecs[1]!.feedback).toEqual(['nack', 'nack pli', 'transport-cc', 'goog-remb']);
  });

  it.each([
    ['no password', /a=ice-pwd[^\r]*\r\n/g, ''],
    ['a short password', /a=ice-pwd:[^\r]*/g, 'a=ice-pwd:short'],
    ['a user name of other characters', /a=ice-ufrag:abcd/g, 'a=ice-ufrag:ab cd'],
    ['no fingerprint', /a=fingerprint[^\r]*\r\n/, ''],
    ['no bundle', /a=group[^\r]*\r\n/, ''],
    ['one mid twice', /a=mid:1/, 'a=mid:0'],
    ['a mid that is no token', /a=mid:1/, 'a=mid:1 2'],
  ])('with %s is refused', (_what, find, instead) => {
    const text = offer({ direction: 'sendonly' }).replace(find, instead);
    expect(() => readOffer(text)).toThrow(expect.objectContaining({ code: 'SDP_OFFER' }));
  });
});

describe('choice', () => {
  it('of a publisher is H.264 before VP8, whatever comes first', () => {
    const chosen = choosePublished(readOffer(offer({ direction: 'sendonly' })));
    expect(chosen.map(({ name, codec }) => [name, codec.payloadType])).toEqual([
      ['opus', 111],
      ['h264', 102],
    ]);
    const vp8 = choosePublished(readOffer(offer({ direction: 'sendonly', video: ['vp8', 'av1'] })));
    expect(vp8.map(({ name }) => name)).toEqual(['opus', 'vp8']);
    expect(() => choosePublished(readOffer(offer({ direction: 'recvonly' })))).toThrow(/nothing is sent/);
  });

  it('for a viewer is what the stream has', () => {
    const read = readOffer(offer({ direction: 'recvonly' }));
    const wanted = { video: { codec: 'h264', profile: 0x64 }, audio: { codec: 'opus' } } as const;
    expect(chooseWatched(read, wanted).map(({ name }) => name)).toEqual(['opus', 'h264']);
    expect(() => chooseWatched(read, { video: { codec: 'av1' } })).toThrow(/nothing is received in av1/);
  });

  it('leaves H.264 in packetization mode 0 alone', () => {
    const text = offer({ direction: 'recvonly', video: ['h264'] }).replace(
      'packetization-mode=1',
      'packetization-mode=0',
    );
    expect(() => chooseWatched(readOffer(text), { video: { codec: 'h264' } })).toThrow(/nothing is received/);
  });
});

it('tells the header extensions of either form, and answers with those taken', () => {
  const ids = ['5 urn:a', '14/recvonly urn:b', '255 urn:c', '0 urn:d', '256 urn:e', 'x urn:f'];
  const more = ids.map((line) => `a=extmap:${line}`);
  const read = readOffer(offer({ direction: 'recvonly', more }));
  const { extensions } = read.media[1]!;
  expect([...extensions]).toEqual([
    ['urn:a', 5],
    ['urn:b', 14],
    ['urn:c', 255],
  ]);
  const [video] = chooseWatched(read, { video: { codec: 'h264' } });
  const taken = [{ ...video!, direction: 'sendonly', extensions: new Map([['urn:b', 14]]) }] as const;
  const answer = parseSdp(writeAnswer(read, taken, TRANSPORT));
  expect(attribute(answer.media[1]!, 'extmap')).toBe('14 urn:b');
  expect(attribute(answer, 'extmap-allow-mixed')).toBeUndefined();
});

it('answers section by section and rejects what it does not take', () => {
  const read = readOffer(offer({ direction: 'recvonly' }));
  const [video] = chooseWatched(read, { video: { codec: 'h264' } });
  const source = { ssrc: 9, cname: 'onair', stream: 'onair' };
  const taken = [
    { ...video!, direction: 'sendonly', source, moreParameters: 'x-google-start-bitrate=1' },
  ] as const;
  const answer = parseSdp(writeAnswer(read, taken, TRANSPORT));
  expect(answer.media.map(({ port, formats }) => [port, formats])).toEqual([
    [0, ['111']],
    [9, ['102', '97']],
  ]);
  const lines = answer.media[1]!.attributes.map(({ name, value }) =>
    value === undefined ? name : `${name}:${value}`,
  );
  expect(lines).toContain('sendonly');
  expect(lines).toContain('rtcp-fb:102 goog-remb');
  expect(lines).not.toContain('rtcp-fb:102 transport-cc');
  expect(lines).toContain('ssrc:9 cname:onair');
  expect(lines.some((line) => line.endsWith('profile-level-id=42e01f;x-google-start-bitrate=1'))).toBe(true);
  expect(attribute(answer, 'group')).toBe('BUNDLE 1');
  // What the library sees has neither candidates nor what was not taken.
  const reduced = parseSdp(reducedOffer(read, taken));
  expect(reduced.media).toHaveLength(1);
  expect(attribute(reduced.media[0]!, 'candidate')).toBeUndefined();
  expect(readOffer(reducedOffer(read, taken)).media[0]).toMatchObject({ mid: '1', direction: 'recvonly' });
});

it('takes retransmissions on a source of their own, RFC 4588 §8', () => {
  const read = readOffer(
    offer({ direction: 'sendonly', more: ['a=rtpmap:98 rtx/90000', 'a=fmtp:98 apt=96'] }),
  );
  expect(read.media[1]).toMatchObject({ ssrcs: [2222], rtxSsrcs: [3333] });
  const video = choosePublished(read).find(({ name }) => name === 'h264')!;
  expect(video.rtx).toMatchObject({ payloadType: 97, clockRate: 90_000 });
  const linesOf = (more: object): string[] => {
    const answer = writeAnswer(read, [{ ...video, direction: 'sendonly', ...more }], TRANSPORT);
    return parseSdp(answer).media[1]!.attributes.map(({ name, value }) => `${name}:${value}`);
  };
  const source = { ssrc: 9, rtxSsrc: 10, cname: 'onair', stream: 'onair' };
  const lines = linesOf({ source });
  for (const line of [
    'rtpmap:97 rtx/90000',
    'fmtp:97 apt=102',
    'ssrc-group:FID 9 10',
    'ssrc:10 cname:onair',
  ]) {
    expect(lines).toContain(line);
  }
  expect(linesOf({ rtx: undefined }).some((line) => /rtx|apt=|FID/.test(line))).toBe(false);
  // The library hands over what comes from sources that it knows.
  const known = (one: Taken): string[] => attributes(parseSdp(reducedOffer(read, [one])).media[0]!, 'ssrc');
  const taken = { ...video, direction: 'recvonly' } as const;
  expect(known(taken)).toEqual(['2222 cname:peer', '3333 cname:peer']);
  expect(known({ ...taken, rtx: undefined })).toEqual(['2222 cname:peer']);
});

it.each([
  ['nobody can ask for them', /a=rtcp-fb:102 nack\r\n/, ''],
  ['they repeat another format', /apt=102/, 'apt=96'],
  ['their clock is another', /97 rtx\/90000/, '97 rtx/8000'],
])('takes no retransmissions where %s', (_why, line, instead) => {
  const read = readOffer(offer({ direction: 'recvonly' }).replace(line, instead));
  expect(chooseWatched(read, { video: { codec: 'h264' } })[0]).not.toHaveProperty('rtx');
});

it('reads fragments of trickle ICE (RFC 8840 §9)', () => {
  const text =
    'a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\na=end-of-candidates\r\n';
  expect(parseIceFragment(text)).toEqual({
    iceUfrag: 'abcd',
    icePwd: 'x',
    candidates: ['1 1 udp 1 10.0.0.1 1 typ host'],
    complete: true,
  });
  expect(() => parseIceFragment('hello')).toThrow(expect.objectContaining({ code: 'SDP_SYNTAX' }));
  expect(() => parseIceFragment('a=candidate:x\r\n'.repeat(65))).toThrow(
    expect.objectContaining({ code: 'SDP_LIMIT' }),
  );
});
