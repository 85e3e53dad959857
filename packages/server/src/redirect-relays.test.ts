import { streamName } from '@onair/media';
import { afterEach, expect, it, vi } from 'vitest';
import { RtmpHub } from '../../../test/kit/rtmp-hub.ts';
import { audioTrack, programme, videoParameters, videoTrack } from '../../../test/kit/samples.ts';
import { DEFAULT_PUMP_POLICY, systemClock } from './hub/index.ts';
import { RTMP_MESSAGES, tagPackagerKind } from './packager/tags/index.ts';
import { RedirectRelays } from './redirect-relays.ts';

const NAME = streamName('live', 'test');
/** High profile, 160x90, 25 fps. */
const AVCC = Uint8Array.from(
  Buffer.from(
    '0164000bffe100196764000bacd9428df93011000003000100000300320f14299601000568ebecb22cfdf8f800',
    'hex',
  ),
);
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function setUp() {
  const hub = new RtmpHub();
  const policy = (windowMs: number) => ({ ...DEFAULT_PUMP_POLICY, windowMs });
  const relays = new RedirectRelays({
    registry: hub.registry,
    sessions: hub.sessions,
    log: () => undefined,
    clock: systemClock,
    kind: tagPackagerKind(RTMP_MESSAGES, { clock: systemClock, policy }),
    windowMs: () => 0,
    random: () => 0,
  });
  closers.push(
    () => hub.stop(),
    () => relays.close('test over'),
  );
  return { hub, relays };
}

async function other(): Promise<RtmpHub> {
  const hub = await new RtmpHub().start();
  closers.push(() => hub.stop());
  return hub;
}

function publish(hub: RtmpHub): void {
  const publication = hub.registry.publish(NAME, { protocol: 'test', revoked: () => undefined });
  const video = videoTrack({ ...videoParameters(160, 90), codecString: 'avc1.64000b', description: AVCC });
  const audio = audioTrack();
  for (const track of [video, audio]) publication.setTrack(track);
  for (const sample of programme(video, audio, 2)) publication.push(sample);
}

it('sends a stream to another server until the last who wants it has gone', async () => {
  const { hub, relays } = setUp();
  const to = await other();
  publish(hub);
  const url = `rtmp://127.0.0.1:${to.port}/live/copy`;
  const [one, two] = [relays.push(NAME, url), relays.push(NAME, url)];
  const copy = () => to.registry.find(streamName('live', 'copy'))?.state;
  await vi.waitFor(() => expect(copy()).toBe('live'));
  expect(hub.sessions.list().map(({ protocol }) => protocol)).toEqual(['rtmp-push']);
  one();
  one();
  expect(hub.sessions.list()).toHaveLength(1);
  two();
  expect(hub.sessions.list()).toEqual([]);
  await vi.waitFor(() => expect(copy()).not.toBe('live'));
});

it('fetches a stream from another server, and none that somebody publishes here', async () => {
  const from = await other();
  publish(from);
  const url = `rtmp://127.0.0.1:${from.port}/live/test`;
  const { hub, relays } = setUp();
  const stop = relays.pull(NAME, url);
  await vi.waitFor(() => expect(hub.registry.find(NAME)?.state).toBe('live'));
  expect(hub.sessions.list().map(({ protocol }) => protocol)).toEqual(['rtmp-pull']);
  stop();
  expect(hub.sessions.list()).toEqual([]);
  const local = setUp();
  publish(local.hub);
  local.relays.pull(NAME, url)();
  expect(local.hub.registry.find(NAME)?.publication?.publisher.protocol).toBe('test');
});
