import { type Sample, streamName } from '@onair/media';
import {
  ntpOfMs,
  PAYLOAD_FORMATS,
  parseRtcp,
  type Rtcp,
  STREAM_ID_URI,
  writeRtp,
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
/** Id of the header extension that names a layer. */
const EXTENSION = 10;
/** Ticks of the pictures' clock from one to the next. */
const STEP = 3_000;

/** A layer as its sender has it: sources and clocks have nothing in common. */
const LAYERS = {
  l: { ssrc: 100, width: 160, height: 90, base: 5_000_000 },
  m: { ssrc: 200, width: 320, height: 180, base: 1_000 },
  h: { ssrc: 300, width: 640, height: 360, base: 4_294_960_000 },
} as const;
type Rid = keyof typeof LAYERS;
const ALL: readonly Rid[] = ['l', 'm', 'h'];

function section(kind: 'video' | 'audio', name: 'vp8' | 'opus', layers?: readonly string[]): ChosenMedia {
  const video = kind === 'video';
  const codec = {
    payloadType: video ? 96 : 111,
    name,
    clockRate: video ? 90_000 : 48_000,
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
    extensions: new Map([[STREAM_ID_URI, EXTENSION]]),
    layers: [],
  };
  return { media, codec, name, ...(layers && { layers }) };
}

function picture({ width, height }: (typeof LAYERS)[Rid], key: boolean): Uint8Array {
  const size = [width & 255, width >> 8, height & 255, height >> 8];
  const frame = new Uint8Array(key ? 250 : 120).fill(0x11);
  if (key) frame.set([0x10, 0, 0, 0x9d, 0x01, 0x2a, ...size]);
  return frame;
}

/** The packet with its layer's name in a header extension. */
function named(packet: Uint8Array, rid: string): Uint8Array {
  const bytes = new Uint8Array(packet.length + 8);
  bytes.set(packet.subarray(0, 12));
  bytes[0]! |= 0x10;
  bytes.set([0xbe, 0xde, 0, 1, (EXTENSION << 4) | (rid.length - 1), ...Buffer.from(rid)], 12);
  bytes.set(packet.subarray(12), 20);
  return bytes;
}

function setUp(sound = true) {
  const clock = new FakeClock();
  const registry = new StreamRegistry({ clock });
  const sessions = new SessionTable(
    () => clock.wall(),
    () => String(Math.random()),
  );
  const publisher = new WhipPublisher(
    streamName('live', 'cam'),
    [section('video', 'vp8', ALL), ...(sound ? [section('audio', 'opus')] : [])],
    { address: '127.0.0.1', identity: 'x' },
    { registry, sessions, clock, log: () => undefined, settings: () => SETTINGS },
  );
  const back: Rtcp[] = [];
  const asked = new Set<number>();
  publisher.use({
    transport: { iceUfrag: '', icePwd: '', fingerprint: '', setup: 'active', candidates: [] },
    send: (_mid, packet) => {
      for (const one of parseRtcp(packet)) {
        back.push(one);
        if (one.kind === 'keyframe-request') asked.add(one.media);
      }
      return true;
    },
    close: () => undefined,
  });
  const samples: Sample[] = [];
  const cuts: Cut[] = [];
  registry.find(streamName('live', 'cam'))!.subscribe({
    cut: (cut) => cuts.push(cut),
    sample: (sample) => samples.push(sample),
    state: () => undefined,
  });
  const sequence = { l: 1, m: 65_530, h: 40_000, audio: 7 };
  const acked = new Set<Rid>();
  let at = 0;
  const rtp = (of: Rid | 'audio', unit: Uint8Array, lose = false, made = at): void => {
    const sounds = of === 'audio';
    const timestamp = sounds ? made * 1_600 : (LAYERS[of].base + made * STEP) % 2 ** 32;
    const payloads = PAYLOAD_FORMATS[sounds ? 'opus' : 'vp8'].split(unit, 100);
    for (const [i, payload] of payloads.entries()) {
      const number = sequence[of]++ & 0xffff;
      if (lose && i === 0) continue;
      const packet = writeRtp({
        marker: i === payloads.length - 1,
        payloadType: sounds ? 111 : 96,
        sequence: number,
        timestamp,
        ssrc: sounds ? 900 : LAYERS[of].ssrc,
        payload,
      });
      publisher.packet(
        of === 'audio' ? 'audio' : 'video',
        sounds || acked.has(of) ? packet : named(packet, of),
      );
    }
    if (!sounds) acked.add(of);
  };
  const report = (of: Rid): void => {
    const { ssrc, base } = LAYERS[of];
    const timestamp = (base + at * STEP) % 2 ** 32;
    const ntp = ntpOfMs(1_000_000 + (at * STEP) / 90);
    publisher.packet('video', writeSenderReport({ ssrc, ntp, timestamp, packets: 1, octets: 1 }, 'x'));
  };
  /**
   * Pictures of these layers for so long; key frames when they were asked for, or at first.
   * @param late how many pictures later those of the largest come.
   */
  const play = (rids: readonly Rid[], ms: number, late = 0): void => {
    const waiting: (() => void)[] = [];
    for (const end = clock.now() + ms; clock.now() < end; at++) {
      if (sound) rtp('audio', Uint8Array.of(0x78, 1, 2, 3));
      for (const rid of rids) {
        const key = !acked.has(rid) || asked.delete(LAYERS[rid].ssrc);
        if (rid !== 'h') rtp(rid, picture(LAYERS[rid], key));
        else {
          const made = at;
          waiting.push(() => rtp(rid, picture(LAYERS[rid], key), false, made));
          if (waiting.length > late) waiting.shift()!();
        }
        if (at % 10 === 5) report(rid);
      }
      clock.advance(1000 / 30);
    }
  };
  /** Ids and widths of the pictures on air. */
  const widths = () =>
    cuts
      .at(-1)
      ?.epoch.tracks.flatMap(({ id, parameters }) =>
        parameters.kind === 'video' ? [[id, parameters.width]] : [],
      );
  /** The newest sample of a track. */
  const newest = (id: number) => samples.filter(({ track }) => track.id === id).at(-1);
  publisher.opened();
  /** Ids of the tracks of what one who comes now gets at once. */
  const cached = (): number[] => {
    const ids: number[] = [];
    registry.find(streamName('live', 'cam'))!.subscribe({
      cut: () => undefined,
      sample: ({ track }) => ids.push(track.id),
      state: () => undefined,
    })();
    return ids;
  };
  return { clock, publisher, back, cached, samples, cuts, rtp, play, widths, newest };
}

it.each([true, false])(
  'puts layers on air, the largest first, all at once and in time; sound: %s',
  (sound) => {
    const kit = setUp(sound);
    kit.play(ALL, 3_000);
    expect(kit.cuts).toHaveLength(1);
    expect(kit.widths()).toEqual([
      [1, 640],
      [3, 320],
      [4, 160],
    ]);
    // One clock, though each has its own.
    const times = [1, 3, 4].map((id) => kit.newest(id)!.dts);
    expect(new Set(times).size).toBe(1);
    if (sound) expect(kit.newest(2)!.dts / 48_000 - times[0]! / 90_000).toBeCloseTo(0, 2);
    const first = [1, 3, 4].map((id) => kit.samples.find(({ track }) => track.id === id)!);
    expect(first.map(({ keyframe }) => keyframe)).toEqual([true, true, true]);
    expect(kit.cached()[0]).toBe(1);
    expect(new Set(kit.cached()).size).toBe(sound ? 4 : 3);
    const bitrates = kit.back.filter(({ kind }) => kind === 'bitrate');
    expect(bitrates.at(-1)).toMatchObject({ bitrate: expect.closeTo(1_000_000, -4) });
    const reports = kit.back.flatMap((one) => (one.kind === 'receiver-report' ? [one.reports] : []));
    expect(reports.some((blocks) => blocks.map(({ ssrc }) => ssrc).join() === '100,200,300')).toBe(true);
    kit.publisher.close('test over');
  },
);

it('takes the first key frame of the largest though it comes behind later pictures of the others', () => {
  const kit = setUp();
  // A key frame of this size takes its time.
  kit.play(ALL, 3_000, 4);
  expect(kit.cuts).toHaveLength(1);
  const [small, large] = [4, 1].map((id) => kit.samples.find(({ track }) => track.id === id)!);
  expect(large!.keyframe).toBe(true);
  expect(large!.dts).toBe(small!.dts);
  kit.publisher.close('test over');
});

it('goes on without a layer that is switched off, and takes it back when it lasts', () => {
  const kit = setUp();
  kit.play(ALL, 2_000);
  const before = kit.newest(2)!.dts;
  kit.play(['l', 'm'], 4_000);
  expect(kit.widths()).toEqual([
    [1, 320],
    [3, 160],
  ]);
  expect(kit.newest(2)!.dts - before).toBeGreaterThan(3.5 * 48_000);
  expect(kit.newest(1)!.track.parameters).toMatchObject({ width: 320 });
  const cuts = kit.cuts.length;
  kit.play(ALL, 1_000);
  expect(kit.cuts).toHaveLength(cuts);
  kit.play(ALL, 3_000);
  expect(kit.widths()).toEqual([
    [1, 640],
    [3, 320],
    [4, 160],
  ]);
  const times = [1, 3, 4].map((id) => kit.newest(id)!.dts);
  expect(new Set(times).size).toBe(1);
  kit.publisher.close('test over');
});

it('begins with what there is if a layer never comes, and asks each for its own', () => {
  const kit = setUp();
  kit.play(['m'], 3_000);
  expect(kit.widths()).toEqual([[1, 320]]);
  kit.play(['m', 'h'], 4_000);
  expect(kit.widths()).toEqual([
    [1, 640],
    [3, 320],
  ]);
  kit.back.length = 0;
  kit.rtp('m', picture(LAYERS.m, false), true);
  kit.clock.advance(30);
  expect(kit.back.filter(({ kind }) => kind === 'nack')).toMatchObject([{ media: 200 }]);
  kit.clock.advance(600);
  const asked = kit.back.flatMap((one) => (one.kind === 'keyframe-request' ? [one.media] : []));
  expect(asked).not.toContain(100);
  kit.publisher.close('test over');
});

it('takes no packet of a layer that was not offered, nor a second source of one', () => {
  const kit = setUp();
  kit.play(ALL, 2_000);
  const shown = kit.samples.length;
  const strange = (ssrc: number, rid: string): void => {
    const payload = PAYLOAD_FORMATS.vp8.split(picture(LAYERS.h, true), 1_000)[0]!;
    const packet = { marker: true, payloadType: 96, sequence: 1, timestamp: 1, ssrc, payload };
    kit.publisher.packet('video', named(writeRtp(packet), rid));
  };
  for (let i = 0; i < 1_000; i++) strange(10_000 + i, ['x', 'h'][i % 2]!);
  expect(kit.samples).toHaveLength(shown);
  kit.play(ALL, 1_000);
  expect(kit.samples.length).toBeGreaterThan(shown);
  kit.publisher.close('test over');
});
