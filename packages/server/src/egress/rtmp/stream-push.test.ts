import { streamName } from '@onair/media';
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

function publish(hub: RtmpHub) {
  const publication = hub.registry.publish(NAME, { protocol: 'test', revoked: () => undefined });
  publication.setTrack(video);
  publication.setTrack(audio);
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
