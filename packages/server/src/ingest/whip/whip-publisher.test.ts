import { type Sample, streamName } from '@onair/media';
import {
  ntpOfMs,
  PAYLOAD_FORMATS,
  parseRtcp,
  type Rtcp,
  writeRtp,
  writeRtxPayload,
  writeSenderReport,
} from '@onair/media/rtp';
import type { ChosenMedia } from '@onair/media/sdp';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { type Cut, SessionTable, StreamRegistry } from '../../hub/index.ts';
import { WhipPublisher } from './whip-publisher.ts';

const SETTINGS = {
  maxSessions: 10,
  silenceMs: 5_000,
  connectTimeoutMs: 5_000,
  keyframeMs: 2_000,
  maxBitrate: 1_000_000,
};

function chosen(kind: 'video' | 'audio', name: 'vp8' | 'opus', payloadType: number): ChosenMedia {
  const codec = {
    payloadType,
    name,
    clockRate: kind === 'video' ? 90_000 : 48_000,
    parameters: '',
    feedback: [],
  };
  const media = {
    index: 0,
    kind,
    protocol: '',
    mid: kind,
    direction: 'sendonly' as const,
    codecs: [codec],
    ssrcs: [],
    rtxSsrcs: [],
    formats: [],
    extensions: new Map(),
    layers: [],
  };
  return { media, codec, name, ...(kind === 'video' && { rtx: { ...codec, name: 'rtx', payloadType: 97 } }) };
}

function setUp() {
  const clock = new FakeClock();
  const registry = new StreamRegistry({ clock });
  const sessions = new SessionTable(
    () => clock.wall(),
    () => String(Math.random()),
  );
  const log: object[] = [];
  const publisher = new WhipPublisher(
    streamName('live', 'cam'),
    [chosen('video', 'vp8', 96), chosen('audio', 'opus', 111)],
    { address: '127.0.0.1', identity: 'x' },
    { registry, sessions, clock, log: (_message, fields) => log.push(fields), settings: () => SETTINGS },
  );
  const back: Rtcp[] = [];
  const state = { closed: false, ended: 0 };
  publisher.use({
    transport: { iceUfrag: '', icePwd: '', fingerprint: '', setup: 'active', candidates: [] },
    send: (_mid, packet) => back.push(...parseRtcp(packet)) > 0,
    close: () => {
      state.closed = true;
    },
  });
  publisher.onEnd(() => state.ended++);
  const samples: Sample[] = [];
  const cuts: Cut[] = [];
  registry.find(streamName('live', 'cam'))!.subscribe({
    cut: (cut) => cuts.push(cut),
    sample: (sample) => samples.push(sample),
    state: () => undefined,
  });
  const sequence = { video: 65_534, audio: 10 };
  const send = (kind: 'video' | 'audio', timestamp: number, unit: Uint8Array, lose = false): void => {
    const payloads = PAYLOAD_FORMATS[kind === 'video' ? 'vp8' : 'opus'].split(unit, 100);
    payloads.forEach((payload, i) => {
      const number = sequence[kind]++ & 0xffff;
      if (lose && i === 0) return;
      const payloadType = kind === 'video' ? 96 : 111;
      const ssrc = kind === 'video' ? 1000 : 2000;
      publisher.packet(
        kind,
        writeRtp({
          marker: i === payloads.length - 1,
          payloadType,
          sequence: number,
          timestamp,
          ssrc,
          payload,
        }),
      );
    });
  };
  return { clock, registry, sessions, publisher, back, state, samples, cuts, send, log };
}

const key = (): Uint8Array => {
  const frame = new Uint8Array(250);
  frame.set([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
  return frame;
};
const picture = (): Uint8Array => new Uint8Array(120).fill(0x11);
const sound = Uint8Array.of(0x78, 1, 2, 3);

/** Half a second of both. */
function play(kit: ReturnType<typeof setUp>, from = 0): void {
  for (let i = 0; i < 15; i++) {
    kit.send('audio', 1000 + (from + i) * 1600, sound);
    kit.send('video', 90_000 + (from + i) * 3000, i === 0 ? key() : picture());
    kit.clock.advance(33);
  }
}

it('makes one stream of pictures and sound, by arrival and then by reports', () => {
  const kit = setUp();
  kit.publisher.opened();
  play(kit);
  const { samples, cuts } = kit;
  expect(cuts).toHaveLength(1);
  expect(cuts[0]!.epoch.tracks.map(({ parameters }) => parameters)).toMatchObject([
    { codec: 'vp8', width: 640, height: 360 },
    { codec: 'opus', sampleRate: 48_000 },
  ]);
  const videos = samples.filter(({ track }) => track.parameters.kind === 'video');
  const audios = samples.filter(({ track }) => track.parameters.kind === 'audio');
  expect(videos).toHaveLength(15);
  expect(videos[0]!.keyframe).toBe(true);
  expect(videos[0]!.data).toEqual(key());
  expect(videos[14]!.dts / 90_000 - audios.at(-1)!.dts / 48_000).toBeCloseTo(0, 3);
  // The reports say that what comes together was made 50 ms apart.
  kit.publisher.packet(
    'audio',
    writeSenderReport({ ssrc: 2000, ntp: ntpOfMs(5000), timestamp: 1000, packets: 1, octets: 1 }, 'x'),
  );
  kit.publisher.packet(
    'video',
    writeSenderReport({ ssrc: 1000, ntp: ntpOfMs(5050), timestamp: 90_000, packets: 1, octets: 1 }, 'x'),
  );
  for (let from = 15; from < 150; from += 15) play(kit, from);
  const lastVideo = samples.filter(({ track }) => track.parameters.kind === 'video').at(-1)!;
  const lastAudio = samples.filter(({ track }) => track.parameters.kind === 'audio').at(-1)!;
  expect(lastVideo.dts / 90_000 - lastAudio.dts / 48_000).toBeCloseTo(0.05, 3);
  kit.publisher.close('test over');
});

it('asks for what is lost, then for a key frame, at most twice a second, and shows nothing broken', () => {
  const kit = setUp();
  kit.publisher.opened();
  play(kit);
  const shown = kit.samples.length;
  kit.send('video', 200_000, picture(), true);
  kit.send('video', 203_000, picture());
  kit.clock.advance(30);
  expect(kit.back.find(({ kind }) => kind === 'nack')).toMatchObject({ media: 1000 });
  kit.clock.advance(2_000);
  for (let i = 0; i < 10; i++) kit.send('video', 206_000 + 3000 * i, picture());
  expect(kit.samples.filter(({ track }) => track.parameters.kind === 'video').length).toBe(15);
  expect(kit.samples.length).toBe(shown);
  const asked = kit.back.filter(({ kind }) => kind === 'keyframe-request').length;
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThanOrEqual(6);
  kit.send('video', 300_000, key());
  expect(kit.samples.at(-1)).toMatchObject({ keyframe: true });
  expect(kit.back.some((one) => one.kind === 'bitrate' && one.bitrate > 900_000)).toBe(true);
  expect(kit.back.some(({ kind }) => kind === 'receiver-report')).toBe(true);
  kit.publisher.close('test over');
});

it('takes a lost packet from the source of retransmissions, and nothing else there', () => {
  const kit = setUp();
  kit.publisher.opened();
  play(kit);
  const shown = (): number => kit.samples.filter(({ track }) => track.parameters.kind === 'video').length;
  const again = (sequence: number, payload: Uint8Array, own = 5): void => {
    const head = { marker: false, payloadType: 97, sequence: own, timestamp: 200_000, ssrc: 3000 };
    kit.publisher.packet('video', writeRtp({ ...head, payload: writeRtxPayload(sequence, payload) }));
  };
  kit.send('video', 200_000, picture(), true);
  kit.send('video', 203_000, picture());
  kit.clock.advance(30);
  const nack = kit.back.find((one) => one.kind === 'nack');
  const [lost] = nack!.lost;
  expect(shown()).toBe(15);
  // Of long ago, of far away, and padding.
  again((lost! - 20) & 0xffff, key());
  again((lost! + 30_000) & 0xffff, key());
  again(0, new Uint8Array(0));
  expect(shown()).toBe(15);
  again(lost!, PAYLOAD_FORMATS.vp8.split(picture(), 100)[0]!);
  expect(shown()).toBe(17);
  expect(kit.samples.at(-1)!.data).toEqual(picture());
  again(lost!, PAYLOAD_FORMATS.vp8.split(picture(), 100)[0]!, 6);
  expect(shown()).toBe(17);
  expect(kit.back.some(({ kind }) => kind === 'keyframe-request')).toBe(false);
  kit.publisher.close('test over');
  expect(kit.log.at(-1)).toMatchObject({ repaired: 1 });
});

it.each([
  ['never connected', 5_001, false],
  ['silent', 12_000, true],
])('ends a session that is %s', (_what, ms, opened) => {
  const kit = setUp();
  if (opened) kit.publisher.opened();
  kit.clock.advance(ms);
  expect(kit.state).toEqual({ closed: true, ended: 1 });
  expect(kit.sessions.list()).toEqual([]);
  kit.publisher.close('again');
  expect(kit.state.ended).toBe(1);
});

it('is not impressed by packets of others, and ends at a flood of them', () => {
  const kit = setUp();
  kit.publisher.opened();
  play(kit);
  const shown = kit.samples.length;
  for (let i = 0; i < 100; i++) kit.publisher.packet('video', Uint8Array.of(0x80, 96, i));
  const foreign = { marker: true, payloadType: 96, sequence: 1, timestamp: 1, ssrc: 666, payload: key() };
  kit.publisher.packet('video', writeRtp(foreign));
  kit.publisher.packet('nobody', writeRtp(foreign));
  expect(kit.samples.length).toBe(shown);
  expect(kit.state.closed).toBe(false);
  for (let i = 0; i < 2_000; i++) kit.publisher.packet('video', writeRtp(foreign));
  expect(kit.state.closed).toBe(true);
});
