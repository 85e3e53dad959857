import { type Sample, streamName, type Track } from '@onair/media';
import { sampleTag } from '@onair/media/flv';
import type { RtmpClientOptions } from '@onair/media/rtmp';
import { afterEach, expect, it, vi } from 'vitest';
import { RtmpTestClient } from '../../../../../test/kit/rtmp-client.ts';
import { audioTrack, programme, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import { DEFAULT_POLICY, type HubPolicy, SessionTable, StreamRegistry } from '../../hub/index.ts';
import { RtmpListener } from '../../net/rtmp-listener.ts';
import { createLog } from '../../observe/index.ts';
import { MAX_BAD_TAGS_IN_A_ROW } from '../tag-intake.ts';
import { acceptRtmpPublisher, type PublishGate } from './index.ts';

const NAME = streamName('live', 'test');
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

const open: PublishGate = { authorize: async () => ({ ok: true, identity: 'anybody' }) };

async function setUp(gate: PublishGate = open, policy: Partial<HubPolicy> = {}) {
  const registry = new StreamRegistry({ policy: { ...DEFAULT_POLICY, ...policy } });
  let serial = 0;
  const sessions = new SessionTable(
    () => Date.now(),
    () => `s${serial++}`,
  );
  const lines: { message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const deps = {
    registry,
    sessions,
    gate,
    log: (message: string, fields: Readonly<Record<string, unknown>>) => lines.push({ message, fields }),
  };
  const listener = new RtmpListener({
    handlers: {
      publish: (peer, request) => acceptRtmpPublisher(peer, request, deps),
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
  closers.push(
    () => registry.close('test over'),
    () => listener.close('test over'),
  );
  const encoder = (options: Partial<RtmpClientOptions> = {}) => {
    const made = new RtmpTestClient(port, { intent: 'publish', ...options });
    closers.push(() => made.stop());
    return made;
  };
  return { registry, sessions, lines, encoder };
}

/** What a stream brings from now on. */
function watch(registry: StreamRegistry, name = NAME) {
  const seen = { samples: [] as Sample[], tracks: [] as (readonly Track[])[], states: [] as string[] };
  const stream = registry.open(name);
  stream.attach();
  stream.subscribe({
    cut: (cut) => seen.tracks.push(cut.epoch.tracks),
    sample: (sample) => seen.samples.push(sample),
    state: (state) => seen.states.push(state),
  });
  return seen;
}

it('brings an encoder on air with both tracks and every sample', async () => {
  const asked: unknown[] = [];
  const { registry, sessions, lines, encoder } = await setUp({
    authorize: async (request) => {
      asked.push(request);
      return { ok: true, identity: 'me' };
    },
  });
  const seen = watch(registry);
  const camera = encoder({ name: 'test?key=secret' });
  await vi.waitFor(() => expect(camera.ready).toBe(true));
  expect(asked).toEqual([
    { app: 'live', name: 'test', query: 'key=secret', address: '127.0.0.1', protocol: 'rtmp' },
  ]);
  camera.session.setDataFrame(0, 'onMetaData', { videocodecid: 7, audiocodecid: 10 });
  camera.publish([video, audio], programme(video, audio, 2, 25));
  await vi.waitFor(() => expect(seen.samples.filter(({ track }) => track.id === 1)).toHaveLength(50));
  expect(seen.tracks).toHaveLength(1);
  expect(seen.tracks[0]!.map(({ parameters }) => parameters.kind)).toEqual(['video', 'audio']);
  expect(sessions.list()[0]).toMatchObject({ kind: 'publisher', protocol: 'rtmp', stream: NAME });
  expect(sessions.list()[0]!.figures()).toMatchObject({ dropped: 0 });
  camera.stop();
  await vi.waitFor(() => expect(seen.states.at(-1)).toBe('waiting'));
  expect(sessions.list()).toEqual([]);
  expect(lines.map(({ message }) => message)).toEqual(['publisher came', 'publisher left']);
  expect(JSON.stringify(lines)).not.toContain('secret');
});

it('takes whole pictures of encoders that die in the middle of one, and each time the next encoder', async () => {
  const { registry, encoder, lines } = await setUp();
  const seen = watch(registry);
  const samples = programme(video, undefined, 1, 25);
  const last = { ...samples.at(-1)!, data: new Uint8Array(9000).fill(0x5a) };
  let lives = 0;
  // Within the header, behind it, within a chunk and one byte before the end.
  for (const cut of [3, 12, 5000, -1]) {
    const camera = encoder();
    await vi.waitFor(() => expect(camera.ready).toBe(true));
    camera.session.setDataFrame(0, 'onMetaData', { videocodecid: 7 });
    camera.publish([video], samples);
    const { type, timestampMs, body } = sampleTag(last);
    camera.session.sendMedia(type === 'script' ? 'video' : type, timestampMs + 40, body);
    camera.socket.write(camera.session.takeOutput()!.slice(0, cut));
    camera.socket.destroySoon();
    lives++;
    const left = (): number => lines.filter(({ message }) => message === 'publisher left').length;
    await vi.waitFor(() => expect(left()).toBe(lives));
    expect(seen.states.at(-1)).toBe('waiting');
    expect(seen.samples).toHaveLength(lives * samples.length);
    expect(registry.open(NAME).publication).toBeUndefined();
  }
  expect(Math.max(...seen.samples.map(({ data }) => data.length))).toBeLessThan(9000);
});

it.each([
  ['STREAM_NAME_INVALID', 'NetStream.Publish.BadName'],
  ['PUBLISH_REFUSED', 'NetStream.Publish.Denied'],
  ['TOO_MANY_ATTEMPTS', 'NetStream.Publish.Denied'],
])('answers %s with %s', async (code, status) => {
  const { registry, encoder } = await setUp({ authorize: async () => ({ ok: false, code, reason: 'no' }) });
  const camera = encoder();
  await vi.waitFor(() => expect(camera.closed).toBe(true));
  expect(camera.codes).toEqual([status]);
  expect(registry.list()).toEqual([]);
});

it.each([
  '',
  '.',
  '..',
  '../x',
  'a\0',
  'a\nb',
  'x'.repeat(10_000),
  'a\\b',
  'a%2fb',
  '\u202eabc',
  '📺',
  '$(reboot)',
])('refuses the name %j even if the gate lets it through', async (name) => {
  const { registry, encoder } = await setUp();
  const camera = encoder({ name });
  await vi.waitFor(() => expect(camera.closed).toBe(true));
  expect(camera.codes[0]).toMatch(/^NetStream\.Publish\.(BadName|Denied)$/);
  expect(registry.list()).toEqual([]);
});

it('refuses a second publisher, or lets it take over and tells the first', async () => {
  const { registry, encoder } = await setUp();
  const first = encoder();
  await vi.waitFor(() => expect(first.ready).toBe(true));
  const second = encoder();
  await vi.waitFor(() => expect(second.closed).toBe(true));
  expect(second.codes).toEqual(['NetStream.Publish.BadName']);
  expect(first.closed).toBe(false);
  registry.policy = { ...registry.policy, takeover: 'takeover' };
  const third = encoder();
  await vi.waitFor(() => expect(third.ready).toBe(true));
  await vi.waitFor(() => expect(first.closed).toBe(true));
  expect(first.codes).toEqual(['NetStream.Publish.Denied']);
});

it('drops and counts malformed media, and gives up on a source that brings nothing else', async () => {
  const { registry, sessions, encoder, lines } = await setUp();
  const seen = watch(registry);
  const camera = encoder();
  await vi.waitFor(() => expect(camera.ready).toBe(true));
  camera.publish([video, audio], programme(video, audio, 1, 25));
  const bad = [
    Uint8Array.of(0x17),
    Uint8Array.of(0x17, 1, 0, 0, 0, 255, 255, 255, 255, 1),
    Uint8Array.of(0xaf),
  ];
  for (const body of bad) camera.session.sendMedia('video', 1000, body);
  camera.session.sendMedia('audio', 1000, new Uint8Array(0));
  camera.publish([], programme(video, audio, 1, 25, 1000));
  await vi.waitFor(() => expect(seen.samples.filter(({ track }) => track.id === 1)).toHaveLength(50));
  expect(sessions.list()[0]!.figures().dropped).toBeGreaterThanOrEqual(2);
  for (let i = 0; i <= MAX_BAD_TAGS_IN_A_ROW; i++)
    camera.session.sendMedia('video', 2000, Uint8Array.of(0x17));
  camera.flush();
  await vi.waitFor(() => expect(camera.closed).toBe(true));
  expect(lines.at(-1)!.fields.fault).toBeDefined();
  expect(seen.states.at(-1)).toBe('waiting');
});

it('can be ended from outside', async () => {
  const { sessions, encoder } = await setUp();
  const camera = encoder();
  await vi.waitFor(() => expect(camera.ready).toBe(true));
  sessions.list()[0]!.close('ended by the operator');
  await vi.waitFor(() => expect(camera.closed).toBe(true));
  expect(camera.codes).toEqual(['NetStream.Publish.Denied']);
  expect(sessions.list()).toEqual([]);
});

it('goes on under another name when told to, from the next picture that stands alone, and stays if that is taken', async () => {
  const { registry, sessions, encoder } = await setUp();
  const [seen, other] = [watch(registry), watch(registry, streamName('live', 'other'))];
  const camera = encoder();
  await vi.waitFor(() => expect(camera.ready).toBe(true));
  camera.publish([video, audio], programme(video, audio, 1, 25));
  await vi.waitFor(() => expect(seen.samples.length).toBeGreaterThan(25));
  const taken = registry.publish(streamName('live', 'taken'), { protocol: 'test', revoked: () => {} });
  const move = (to: string) => sessions.list()[0]!.move!(streamName('live', to));
  expect([move('taken'), move('test')]).toEqual([false, false]);
  taken.close('over');
  expect(move('other')).toBe(true);
  expect(sessions.list().map(({ stream }) => stream)).toEqual(['live/other']);
  camera.publish([], programme(video, audio, 1, 25, 1000));
  await vi.waitFor(() => expect(other.samples.length).toBeGreaterThan(25));
  expect(other.tracks[0]).toHaveLength(2);
  expect(seen.states.at(-1)).toBe('waiting');
  expect(camera.closed).toBe(false);
  camera.stop();
  await vi.waitFor(() => expect(sessions.list()).toEqual([]));
});
