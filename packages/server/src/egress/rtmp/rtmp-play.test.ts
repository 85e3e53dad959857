import { streamName, ticks } from '@onair/media';
import { TagDemuxer } from '@onair/media/flv';
import type { RtmpClientOptions } from '@onair/media/rtmp';
import { afterEach, expect, it, vi } from 'vitest';
import { RtmpTestClient } from '../../../../../test/kit/rtmp-client.ts';
import { audioTrack, programme, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import {
  DEFAULT_POLICY,
  DEFAULT_PUMP_POLICY,
  SessionTable,
  StreamRegistry,
  systemClock,
} from '../../hub/index.ts';
import { RtmpListener } from '../../net/rtmp-listener.ts';
import { createLog } from '../../observe/index.ts';
import { PRECISE_RTMP_MESSAGES, RTMP_MESSAGES, tagPackagerKind } from '../../packager/tags/index.ts';
import { RtmpEgress, type RtmpEgressDeps } from './index.ts';

const NAME = streamName('live', 'test');
/** A record that a demuxer takes apart again: High profile, 160x90, 25 fps. */
const AVCC = Uint8Array.from(
  Buffer.from(
    '0164000bffe100196764000bacd9428df93011000003000100000300320f14299601000568ebecb22cfdf8f800',
    'hex',
  ),
);
const video = videoTrack({ ...videoParameters(160, 90), codecString: 'avc1.64000b', description: AVCC });
const audio = audioTrack();

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function setUp(over: Partial<RtmpEgressDeps> = {}) {
  const policy = { ...DEFAULT_POLICY, reconnectWindowMs: 300 };
  const faults: unknown[] = [];
  const registry = new StreamRegistry({ policy, onFault: (_, error) => faults.push(error) });
  let serial = 0;
  const sessions = new SessionTable(
    () => Date.now(),
    () => `s${serial++}`,
  );
  const context = {
    clock: systemClock,
    policy: (windowMs: number) => ({ ...DEFAULT_PUMP_POLICY, windowMs }),
  };
  const lines: { message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const egress = new RtmpEgress({
    registry,
    sessions,
    log: (message, fields) => lines.push({ message, fields }),
    kind: tagPackagerKind(RTMP_MESSAGES, context),
    windowMs: () => 0,
    waitForPublisher: () => true,
    notifyAway: () => true,
    ...over,
  });
  const listener = new RtmpListener({
    handlers: {
      publish: async () => ({ refused: 'NetStream.Publish.Denied', reason: 'none here' }),
      play: (peer, request) => egress.play(peer, request),
    },
    logger: createLog({ level: 'silent', format: 'json', write: () => undefined }).logger,
    policy: () => ({
      phaseTimeoutMs: 10_000,
      pingMs: 30_000,
      maxConnections: 100,
      maxConnectionsPerAddress: 100,
    }),
  });
  const port = await listener.listen(0, '127.0.0.1');
  closers.push(
    () => egress.close(),
    () => listener.close('test over'),
    () => registry.close('test over'),
    () => expect(faults).toEqual([]),
  );
  const publish = () => {
    const publication = registry.publish(NAME, { protocol: 'test', revoked: () => undefined });
    publication.setTrack(video);
    publication.setTrack(audio);
    return {
      end: () => publication.close('gone'),
      feed: (seconds: number, fromMs: number) => {
        for (const sample of programme(video, audio, seconds, 50, fromMs)) publication.push(sample);
      },
    };
  };
  const play = (options: Partial<RtmpClientOptions> = {}) => {
    const player = new RtmpTestClient(port, { intent: 'play', ...options });
    closers.push(() => player.stop());
    return player;
  };
  return { registry, sessions, publish, play, lines, listener };
}

/** Pictures of a player with their times in milliseconds. */
function pictures(player: RtmpTestClient) {
  const found: { ms: number; keyframe: boolean }[] = [];
  const demuxer = new TagDemuxer({
    onTrack: () => undefined,
    onSample: ({ track, dts, keyframe }) => {
      if (track.id === 1) found.push({ ms: dts / 90, keyframe });
    },
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
  });
  for (const message of player.media) demuxer.push(message);
  return found;
}

it('starts a late player at the keyframe, with everything a decoder needs in front', async () => {
  const { publish, play, sessions, lines } = await setUp();
  const source = publish();
  source.feed(3, 0);
  const player = play();
  await vi.waitFor(() => expect(pictures(player)).toHaveLength(25));
  expect(pictures(player)[0]).toEqual({ ms: 2000, keyframe: true });
  const kinds = player.events.map((event) => (event.kind === 'data' ? event.name : event.kind));
  const first = kinds.indexOf('media');
  expect(kinds.slice(kinds.indexOf('ready'), first)).toEqual([
    'ready',
    '|RtmpSampleAccess',
    'onStatus',
    'onMetaData',
  ]);
  expect(player.media.slice(0, 2).map(({ type, body }) => [type, body[1]])).toEqual([
    ['video', 0],
    ['audio', 0],
  ]);
  source.feed(1, 3000);
  await vi.waitFor(() => expect(pictures(player)).toHaveLength(50));
  expect(sessions.viewers(NAME)).toBe(1);
  player.stop();
  await vi.waitFor(() => expect(sessions.viewers(NAME)).toBe(0));
  expect(lines.map(({ message }) => message)).toEqual(['viewer left']);
});

it('serves message streams other than the first', async () => {
  const { publish, play, registry } = await setUp();
  publish().feed(2, 0);
  const player = play();
  await vi.waitFor(() => expect(player.ready).toBe(true));
  // A second stream on the same connection.
  const answer = player.session.call('createStream');
  player.flush();
  await vi.waitFor(() =>
    expect(player.events).toContainEqual({ kind: 'result', transactionId: answer, ok: true, values: [2] }),
  );
  player.events.length = 0;
  player.session.play(2, 'test');
  player.flush();
  await vi.waitFor(() =>
    expect(player.media.filter(({ streamId }) => streamId === 2).length).toBeGreaterThan(70),
  );
  expect(registry.find(NAME)!.state).toBe('live');
  expect(player.fault).toBe(undefined);
});

it.each([
  ['waits for a publisher', true],
  ['tells that there is no stream', false],
])('%s', async (_, wait) => {
  const { publish, play } = await setUp({ waitForPublisher: () => wait });
  const player = play();
  if (!wait) {
    await vi.waitFor(() => expect(player.closed).toBe(true));
    expect(player.codes).toEqual(['NetStream.Play.StreamNotFound']);
    return;
  }
  await vi.waitFor(() => expect(player.ready).toBe(true));
  publish().feed(1, 0);
  await vi.waitFor(() => expect(pictures(player)).toHaveLength(25));
  expect(player.codes).toContain('NetStream.Play.PublishNotify');
});

it.each(['', '..', 'a/b', 'x'.repeat(65), '名前', 'a\n', '__proto__/'])(
  'refuses the name %j',
  async (name) => {
    const { play, registry } = await setUp();
    const player = play({ name });
    await vi.waitFor(() => expect(player.closed).toBe(true));
    expect(player.codes).toEqual(['NetStream.Play.StreamNotFound']);
    expect(registry.list()).toEqual([]);
  },
);

it('keeps players over a publisher’s absence, with and without telling them', async () => {
  let told = true;
  const { publish, play } = await setUp({ notifyAway: () => told });
  const player = play();
  await vi.waitFor(() => expect(player.ready).toBe(true));
  const first = publish();
  first.feed(1, 0);
  await vi.waitFor(() => expect(pictures(player)).toHaveLength(25));
  first.end();
  await vi.waitFor(() => expect(player.codes).toContain('NetStream.Play.UnpublishNotify'));
  const second = publish();
  second.feed(1, 700_000);
  await vi.waitFor(() => expect(pictures(player)).toHaveLength(50));
  const times = pictures(player).map(({ ms }) => ms);
  expect(times.every((ms, i) => i === 0 || (ms > times[i - 1]! && ms - times[i - 1]! < 200))).toBe(true);
  expect(player.codes.filter((code) => code === 'NetStream.Play.PublishNotify')).toHaveLength(2);
  told = false;
  player.events.length = 0;
  second.end();
  publish().feed(1, 0);
  await vi.waitFor(() => expect(player.media.length).toBeGreaterThan(50));
  expect(player.codes).toEqual([]);
});

it('ends players when the publisher does not come back', async () => {
  const { publish, play, sessions } = await setUp({ notifyAway: () => false });
  const player = play();
  const source = publish();
  source.feed(1, 0);
  await vi.waitFor(() => expect(pictures(player)).toHaveLength(25));
  source.end();
  await vi.waitFor(() => expect(player.closed).toBe(true));
  expect(player.codes).toContain('NetStream.Play.Stop');
  expect(sessions.list()).toEqual([]);
});

it('pauses, goes on at a keyframe, and leaves out what is not wanted', async () => {
  const { publish, play } = await setUp();
  const source = publish();
  source.feed(1, 0);
  const witness = play();
  const player = play();
  await vi.waitFor(() => expect(pictures(player)).toHaveLength(25));
  player.session.command('pause', true, 0);
  player.flush();
  await vi.waitFor(() => expect(player.codes).toContain('NetStream.Pause.Notify'));
  source.feed(3, 1000);
  await vi.waitFor(() => expect(pictures(witness)).toHaveLength(100));
  player.session.command('pause', false, 0);
  player.flush();
  await vi.waitFor(() => expect(pictures(player)).toHaveLength(50));
  expect(pictures(player)[25]).toEqual({ ms: 3000, keyframe: true });
  player.session.command('receiveAudio', false);
  player.flush();
  player.session.command('pause', true, 0); // an answer tells that the one before was seen
  player.session.command('pause', false, 0);
  player.flush();
  await vi.waitFor(() =>
    expect(player.codes.filter((code) => code === 'NetStream.Pause.Notify')).toHaveLength(2),
  );
  player.events.length = 0;
  source.feed(2, 4000);
  await vi.waitFor(() => expect(player.media.length).toBeGreaterThanOrEqual(50));
  expect(new Set(player.media.map(({ type }) => type))).toEqual(new Set(['video']));
});

it('can be ended from outside', async () => {
  const { publish, play, sessions } = await setUp();
  publish().feed(1, 0);
  const player = play();
  await vi.waitFor(() => expect(pictures(player)).toHaveLength(25));
  sessions.list()[0]!.close('kicked');
  await vi.waitFor(() => expect(player.closed).toBe(true));
  expect(sessions.list()).toEqual([]);
});

it('goes on with another stream when told to, set-up first, and stays if there is none', async () => {
  const { registry, sessions, publish, play } = await setUp({ waitForPublisher: () => false });
  publish().feed(2, 0);
  const player = play();
  await vi.waitFor(() => expect(pictures(player).length).toBeGreaterThan(0));
  const move = (to: string) => sessions.list()[0]!.move!(streamName('live', to));
  expect([move('nothing'), move('test')]).toEqual([false, false]);
  const other = registry.publish(streamName('live', 'other'), { protocol: 'test', revoked: () => {} });
  for (const track of [video, audio]) other.setTrack(track);
  for (const sample of programme(video, audio, 3, 50)) other.push(sample);
  const before = player.media.length;
  expect(move('other')).toBe(true);
  expect(sessions.list().map(({ stream }) => stream)).toEqual(['live/other']);
  await vi.waitFor(() => expect(player.media.length).toBeGreaterThan(before + 20));
  expect(player.media.slice(before, before + 2).map(({ body }) => body[1])).toEqual([0, 0]);
  expect(registry.find(NAME)?.state).toBe('live');
  player.stop();
  await vi.waitFor(() => expect(sessions.list()).toEqual([]));
});

it('gives pictures of new codecs their exact times where a player knows nanosecond offsets', async () => {
  const context = {
    clock: systemClock,
    policy: (windowMs: number) => ({ ...DEFAULT_PUMP_POLICY, windowMs }),
  };
  const preciseKind = tagPackagerKind(PRECISE_RTMP_MESSAGES, context);
  const { registry, play } = await setUp({ preciseKind });
  const description = Uint8Array.from(Buffer.from('01000000000b820202020000', 'hex'));
  const vp9 = videoTrack({ ...videoParameters(), codec: 'vp9', codecString: 'vp09.00.11.08', description });
  const key = Uint8Array.from(Buffer.from('824983420013f00b360438241c184a000a40', 'hex'));
  const publication = registry.publish(NAME, { protocol: 'test', revoked: () => undefined });
  publication.setTrack(vp9);
  const feed = (from: number, to: number): void => {
    for (let i = from; i < to; i++) feedOne(i);
  };
  const feedOne = (i: number): void => {
    const time = ticks(i * 3003);
    const data = i === 0 ? key : Uint8Array.of(0x86, i);
    publication.push({ track: vp9, dts: time, pts: time, duration: undefined, keyframe: i === 0, data });
  };
  feed(0, 60);
  await vi.waitFor(() => expect(registry.find(NAME)?.epoch).toBeDefined());
  const players = [play(), play({ properties: { capsEx: 0 } })];
  await vi.waitFor(() => expect(players.every(({ ready }) => ready)).toBe(true));
  feed(60, 90);
  for (const [i, player] of players.entries()) {
    await vi.waitFor(() => expect(player.media.length).toBeGreaterThan(40));
    const times: number[] = [];
    const demuxer = new TagDemuxer({
      onTrack: () => undefined,
      onSample: ({ pts }) => times.push(pts),
      onMetadata: () => undefined,
      onDataEvent: () => undefined,
    });
    for (const message of player.media) demuxer.push(message);
    const steps = new Set(times.slice(1).map((time, j) => time - times[j]!));
    expect([...steps].every((step) => step === 3003)).toBe(i === 0);
  }
});
