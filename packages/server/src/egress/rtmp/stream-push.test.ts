import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { streamName, type Track } from '@onair/media';
import { CAPS_EX, RtmpServerSession } from '@onair/media/rtmp';
import { afterEach, expect, it, vi } from 'vitest';
import { RtmpHub } from '../../../../../test/kit/rtmp-hub.ts';
import { audioTrack, programme, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import { DEFAULT_PUMP_POLICY, systemClock } from '../../hub/index.ts';
import { RtmpListener } from '../../net/rtmp-listener.ts';
import { createLog } from '../../observe/index.ts';
import { RTMP_MESSAGES, tagPackagerKind } from '../../packager/tags/index.ts';
import { PushSet } from './index.ts';

const NAME = streamName('live', 'test');
/** High profile, 160x90, 25 fps. */
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

function source() {
  const hub = new RtmpHub();
  const kind = tagPackagerKind(RTMP_MESSAGES, {
    clock: systemClock,
    policy: (windowMs: number) => ({ ...DEFAULT_PUMP_POLICY, windowMs }),
  });
  const pushes = new PushSet({
    registry: hub.registry,
    sessions: hub.sessions,
    log: () => undefined,
    clock: systemClock,
    kind,
    windowMs: () => 0,
    random: () => 0,
  });
  closers.push(
    () => hub.stop(),
    () => pushes.close('test over'),
  );
  return { hub, pushes };
}

async function target(): Promise<RtmpHub> {
  const hub = await new RtmpHub().start();
  closers.push(() => hub.stop());
  return hub;
}

function publish(hub: RtmpHub, more: readonly Track[] = []) {
  const publication = hub.registry.publish(NAME, { protocol: 'test', revoked: () => undefined });
  publication.setTrack(video);
  publication.setTrack(audio);
  for (const track of more) publication.setTrack(track);
  const samples = programme(video, audio, 2);
  for (const sample of samples) publication.push(sample);
  return publication;
}

const stateOf = (hub: RtmpHub, name = NAME) => hub.registry.find(name)?.state;

it('sends every stream of an application, for as long as it is there', async () => {
  const { hub, pushes } = source();
  const to = await target();
  pushes.set([{ stream: 'live/*', url: `rtmp://127.0.0.1:${to.port}/{app}/copy-{name}` }]);
  expect(pushes.list()).toEqual([]);
  const publication = publish(hub);
  hub.registry.publish(streamName('other', 'test'), { protocol: 'test', revoked: () => undefined });
  await vi.waitFor(() => expect(stateOf(to, streamName('live', 'copy-test'))).toBe('live'));
  expect(pushes.list().map(({ stream, state }) => [stream, state])).toEqual([['live/test', 'live']]);
  publication.close('done');
  hub.registry.close('over');
  expect(pushes.list()).toEqual([]);
  expect(to.registry.list()).toHaveLength(1);
});

it('sends a stream to several targets while it is live', async () => {
  const { hub, pushes } = source();
  const [a, b] = [await target(), await target()];
  pushes.set([
    { stream: NAME, url: `rtmp://127.0.0.1:${a.port}/{app}/{name}?key=secret` },
    { stream: NAME, url: b.url('other') },
  ]);
  expect(pushes.list().map(({ state }) => state)).toEqual(['waiting', 'waiting']);
  const publication = publish(hub);
  await vi.waitFor(() => expect(pushes.list().map(({ state }) => state)).toEqual(['live', 'live']));
  await vi.waitFor(() => expect(stateOf(a)).toBe('live'), 4000);
  await vi.waitFor(() => expect(stateOf(b, streamName('live', 'other'))).toBe('live'), 4000);
  expect(a.registry.find(NAME)?.epoch?.tracks).toHaveLength(2);
  expect(JSON.stringify(pushes.list())).not.toContain('secret');
  expect(hub.sessions.list().map(({ protocol }) => protocol)).toEqual(['rtmp-push', 'rtmp-push']);
  publication.close('over');
  hub.registry.find(NAME)?.end('over');
  await vi.waitFor(() => expect(pushes.list().map(({ state }) => state)).toEqual(['waiting', 'waiting']));
  await vi.waitFor(() => expect(stateOf(a)).toBe('waiting'));
  expect(hub.sessions.list()).toEqual([]);
});

it('tries again, later each time, and tells why', async () => {
  const { hub, pushes } = source();
  const gone = await target();
  const url = gone.url('test');
  await gone.stop();
  pushes.set([{ stream: NAME, url }]);
  publish(hub);
  await vi.waitFor(() => expect(pushes.list()[0]?.failures).toBe(1), 4000);
  const [first] = pushes.list();
  expect(first).toMatchObject({ state: 'failed', host: '127.0.0.1' });
  expect(first!.reason).toContain('ECONNREFUSED');
  await vi.waitFor(() => expect(pushes.list()[0]?.failures).toBe(2), 4000);
  const [second] = pushes.list();
  expect(second!.retryAt! - Date.now()).toBeGreaterThan(1_000);
  pushes.set([]);
  expect(pushes.list()).toEqual([]);
});

it('follows a redirect, and does not run in circles', async () => {
  const { hub, pushes } = source();
  const to = await target();
  let asked = 0;
  const listener: RtmpListener = new RtmpListener({
    handlers: {
      connect: () => {
        asked++;
        return { refused: 'NetConnection.Connect.Rejected', reason: 'go there', redirect: there };
      },
      publish: async () => ({ refused: 'NetStream.Publish.Denied', reason: 'none here' }),
      play: async () => ({ refused: 'NetStream.Play.Failed', reason: 'none here' }),
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
  closers.push(() => listener.close('test over'));
  let there = to.url('test');
  const url = `rtmp://127.0.0.1:${port}/live/test`;
  pushes.set([{ stream: NAME, url }]);
  publish(hub);
  await vi.waitFor(() => expect(stateOf(to)).toBe('live'), 4000);
  expect(asked).toBe(1);
  pushes.set([]);
  there = url;
  pushes.set([{ stream: NAME, url }]);
  await vi.waitFor(() => expect(pushes.list()[0]?.state).toBe('failed'), 4000);
  expect(asked).toBe(5);
});

/** A target that takes every publisher and tells these flags of Enhanced RTMP; what it heard of sound. */
async function foreign(capsEx: number) {
  const sounds: Uint8Array[] = [];
  const server = createServer((socket) => {
    const session = new RtmpServerSession({ nowMs: () => Math.floor(performance.now()) });
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Uint8Array) => {
      session.push(Uint8Array.from(bytes));
      for (let event = session.next(); event !== undefined; event = session.next()) {
        if (event.kind === 'connect') session.acceptConnect({ capsEx });
        if (event.kind === 'publish') session.acceptPublish();
        if (event.kind === 'media' && event.type === 'audio') sounds.push(event.body);
      }
      const out = session.takeOutput();
      if (out !== undefined) socket.write(out);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return { url: `rtmp://127.0.0.1:${(server.address() as AddressInfo).port}/live/test`, sounds };
}

it('sends further sounds to a target that takes multitrack, and no other', async () => {
  const { hub, pushes } = source();
  const to = await target();
  const [many, one] = [await foreign(CAPS_EX.multitrack), await foreign(CAPS_EX.reconnect)];
  const second = { ...audioTrack(), id: 7, language: 'jpn' };
  const publication = publish(hub, [second]);
  pushes.set([to.url('test'), many.url, one.url].map((url) => ({ stream: NAME, url })));
  await vi.waitFor(() => expect(pushes.list().map(({ state }) => state)).toEqual(['live', 'live', 'live']));
  let next = 2000;
  const isMultitrack = ([first = 0]: Uint8Array): boolean => first === 0x95;
  await vi.waitFor(() => {
    for (const sample of programme(video, audio, 0.2, 25, next)) publication.push(sample);
    for (const sample of programme(video, second, 0.2, 25, next))
      if (sample.track === second) publication.push(sample);
    next += 200;
    expect(to.registry.find(NAME)?.epoch?.tracks).toHaveLength(3);
    expect(many.sounds.filter(isMultitrack).length).toBeGreaterThan(5);
    expect(one.sounds.length).toBeGreaterThan(5);
  }, 4000);
  const kinds = to.registry.find(NAME)!.epoch!.tracks.map(({ parameters }) => parameters.kind);
  expect(kinds).toEqual(['video', 'audio', 'audio']);
  expect(many.sounds.some((body) => !isMultitrack(body))).toBe(true);
  expect(one.sounds.filter(isMultitrack)).toEqual([]);
});
