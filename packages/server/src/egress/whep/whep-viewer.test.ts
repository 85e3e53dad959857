import { MICROSECONDS, streamName, type Track } from '@onair/media';
import { opusParameters, writeOpusConfig } from '@onair/media/bitstream';
import { isRtcp, msOfNtp, parseRtcp, parseRtp, type Rtcp, type RtpPacket, writeNack } from '@onair/media/rtp';
import { chooseWatched, readOffer } from '@onair/media/sdp';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import {
  accessUnit,
  audioTrack,
  sampleAt,
  videoParameters,
  videoTrack,
} from '../../../../../test/kit/samples.ts';
import { DEFAULT_PUMP_POLICY, SessionTable, StreamRegistry } from '../../hub/index.ts';
import { rtpPackagerKind } from '../../packager/rtp/index.ts';
import { WhepViewer } from './whep-viewer.ts';

const OPUS = writeOpusConfig({
  channels: 2,
  preSkip: 312,
  inputSampleRate: 48_000,
  outputGain: 0,
  mappingFamily: 0,
  mapping: new Uint8Array(0),
});

const AVC = Uint8Array.from(Buffer.from('0142c01effe100046742c01e01000468ce3c80', 'hex'));

/** What Chromium offers, shortened. */
const OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789abcdef01234567',
  'a=setup:actpass',
  'm=video 9 UDP/TLS/RTP/SAVPF 102 103',
  'a=mid:0',
  'a=recvonly',
  'a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  'a=rtpmap:102 H264/90000',
  'a=fmtp:102 packetization-mode=1;profile-level-id=42e01f',
  'a=rtcp-fb:102 nack',
  'a=rtpmap:103 rtx/90000',
  'a=fmtp:103 apt=102',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:1',
  'a=recvonly',
  'a=rtpmap:111 opus/48000/2',
  '',
].join('\r\n');

/** A viewer who joins a stream that has been on air for two seconds. */
function setUp(sound: boolean) {
  const clock = new FakeClock();
  const registry = new StreamRegistry({ clock });
  const sessions = new SessionTable(
    () => clock.wall(),
    () => 'id',
  );
  const name = streamName('live', 'cam');
  const publication = registry.publish(name, { protocol: 'rtmp', identity: 'x', revoked: () => undefined });
  const picture = videoTrack({ ...videoParameters(), description: AVC });
  const opus: Track = { ...audioTrack(), timebase: MICROSECONDS, parameters: opusParameters(OPUS) };
  for (const track of sound ? [picture, opus] : [picture]) publication.setTrack(track);
  let at = 0;
  /** Both tracks as they are made, for so long; they arrive when they are made. */
  const play = (ms: number): void => {
    for (const end = at + ms; at < end; at += 20) {
      if (sound) publication.push(sampleAt(opus, at));
      if (at % 40 === 0) {
        const key = at % 1_000 === 0;
        // The head of an I or P slice.
        const data = accessUnit(key, 3_000, key ? 0x88 : 0x98);
        publication.push({ ...sampleAt(picture, at, key), data });
      }
      clock.advance(20);
    }
  };
  const policy = (windowMs: number) => ({ ...DEFAULT_PUMP_POLICY, windowMs });
  const stream = registry.find(name)!;
  play(2_000);
  const packager = stream.packager(rtpPackagerKind({ clock, policy }));
  let numbers = 1_000;
  const viewer = new WhepViewer({
    stream,
    packager,
    chosen: chooseWatched(readOffer(OFFER), packager.wanted),
    address: '127.0.0.1',
    clock,
    deps: { registry, sessions, log: () => undefined },
    random: () => numbers++,
    silenceMs: () => 60_000,
    connectTimeoutMs: () => 5_000,
  });
  const packets: { readonly at: number; readonly head: Uint8Array; readonly packet: RtpPacket }[] = [];
  const reports: { readonly at: number; readonly report: Extract<Rtcp, { kind: 'sender-report' }> }[] = [];
  viewer.use({
    transport: { iceUfrag: '', icePwd: '', fingerprint: '', setup: 'active', candidates: [] },
    send: (_mid, bytes) => {
      const copy = Uint8Array.from(bytes);
      if (!isRtcp(copy))
        packets.push({ at: clock.wall(), head: copy.subarray(0, 20), packet: parseRtp(copy) });
      else
        for (const report of parseRtcp(copy))
          if (report.kind === 'sender-report') reports.push({ at: clock.wall(), report });
      return true;
    },
    close: () => undefined,
  });
  viewer.opened();
  return { clock, viewer, packets, reports, play };
}

it('ties sound and pictures to one clock from the first packets on, often at first', () => {
  const { clock, viewer, packets, reports, play } = setUp(true);
  const begun = clock.wall();
  play(8_000);
  const [video, audio] = viewer.taken.map(({ source }) => source!.ssrc);
  const times = (ssrc: number) =>
    reports.filter(({ report }) => report.ssrc === ssrc).map(({ at }) => at - begun);
  for (const ssrc of [video!, audio!]) {
    expect(times(ssrc)[0]).toBeLessThanOrEqual(20);
    expect(times(ssrc).filter((ms) => ms < 2_000).length).toBeGreaterThanOrEqual(8);
    expect(times(ssrc).filter((ms) => ms > 5_500).length).toBeLessThanOrEqual(3);
  }
  /** Milliseconds from when a packet of live media was made, as the reports tell it, to when it was sent. */
  const delays = (ssrc: number, clockRate: number): number[] =>
    packets
      .filter(({ at, packet }) => packet.ssrc === ssrc && at > begun + 100)
      .map(({ at, packet }) => {
        const { report } = reports.find((one) => one.report.ssrc === ssrc)!;
        return at - msOfNtp(report.ntp) - (((packet.timestamp - report.timestamp) | 0) * 1000) / clockRate;
      });
  const all = [...delays(video!, 90_000), ...delays(audio!, 48_000)];
  expect(all.length).toBeGreaterThan(800);
  // The server's share of what sound and pictures may be apart.
  expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(20);
  viewer.close('test over');
});

it.each([
  ['with sound, which browsers hold back, too', true, 60],
  ['without sound', false, 0],
])('says how long pictures are held back: %s', (_what, sound, ms) => {
  const { viewer, packets } = setUp(sound);
  const [first] = packets;
  // RFC 8285 §4.2: id 5, three bytes, of which the first twelve bits count 10 ms each.
  expect([...first!.head.subarray(12, 17)]).toEqual([0xbe, 0xde, 0, 1, 0x52]);
  expect(((first!.head[17]! << 4) | (first!.head[18]! >> 4)) * 10).toBe(ms);
  viewer.close('test over');
});

it('answers a request for lost packets on the source that the answer names, RFC 4588', () => {
  const { viewer, packets } = setUp(true);
  const { source, rtx } = viewer.taken[0]!;
  const { packet } = packets.find((one) => one.packet.ssrc === source!.ssrc)!;
  viewer.packet(writeNack(1, source!.ssrc, [packet.sequence]));
  const again = packets.at(-1)!.packet;
  expect([again.ssrc, again.payloadType]).toEqual([source!.rtxSsrc, rtx!.payloadType]);
  expect(again.payload.subarray(2)).toEqual(packet.payload);
  viewer.close('test over');
});
