import { type Sample, type StreamName, streamName, type TimedEvent, type Track } from '@onair/media';
import { amfProperties } from '@onair/media/amf';
import { TagDemuxer } from '@onair/media/flv';
import type { RtmpClientOptions } from '@onair/media/rtmp';
import { afterEach, expect, it, vi } from 'vitest';
import { RtmpTestClient } from '../../../../../test/kit/rtmp-client.ts';
import { audioTrack, programme, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import { DEFAULT_PUMP_POLICY, SessionTable, StreamRegistry, systemClock } from '../../hub/index.ts';
import { RtmpListener } from '../../net/rtmp-listener.ts';
import { createLog } from '../../observe/index.ts';
import { RTMP_MESSAGES, tagPackagerKind } from '../../packager/tags/index.ts';
import { RtmpEgress } from './index.ts';

/** Waits as a busy machine needs it. */
const waitFor = (check: () => void): Promise<void> => vi.waitFor(check, 15_000);

const AVCC = Uint8Array.from(
  Buffer.from(
    '0164000bffe100196764000bacd9428df93011000003000100000300320f14299601000568ebecb22cfdf8f800',
    'hex',
  ),
);
const video = videoTrack({ ...videoParameters(160, 90), codecString: 'avc1.64000b', description: AVCC });
const audio = audioTrack();
/** Ten seconds, a key frame each second. */
const SAMPLES = programme(video, audio, 10, 25);
const DURATION = 10_000_000;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Told early, as it was while it was recorded. */
const CUE: TimedEvent = { id: 'a', name: 'cm-in', time: 6_020_000, duration: 0, data: { spot: 7 } };

async function* read(from: number, broken: boolean): AsyncGenerator<Track | Sample | TimedEvent> {
  yield video;
  yield audio;
  if (from <= CUE.time) yield CUE;
  const entry = Math.floor(from / 1_000_000);
  for (const sample of SAMPLES) if (sample.dts / sample.track.timebase >= entry) yield sample;
  if (broken) throw new Error('the disk is gone');
}

async function setUp(options: { readonly broken?: boolean } = {}) {
  const registry = new StreamRegistry({ clock: systemClock });
  const sessions = new SessionTable(Date.now, () => 'session');
  const context = {
    clock: systemClock,
    policy: (windowMs: number) => ({ ...DEFAULT_PUMP_POLICY, windowMs }),
  };
  const asked: StreamName[] = [];
  const egress = new RtmpEgress({
    registry,
    sessions,
    log: () => undefined,
    kind: tagPackagerKind(RTMP_MESSAGES, context),
    windowMs: () => 0,
    waitForPublisher: () => true,
    notifyAway: () => false,
    archive: {
      open: async (stream) => {
        asked.push(stream);
        if (stream !== streamName('live', 'test')) return undefined;
        return { duration: DURATION, read: (from) => read(from, options.broken === true) };
      },
    },
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
  );
  const play = async (name: string, more: readonly (number | boolean)[], bufferMs = 100_000) => {
    const settings: Partial<RtmpClientOptions> & { intent: 'connect' } = { intent: 'connect', name: '' };
    const player = new RtmpTestClient(port, settings);
    closers.push(() => player.stop());
    await waitFor(() => expect(player.events.some(({ kind }) => kind === 'connected')).toBe(true));
    const id = player.session.call('createStream');
    player.flush();
    await waitFor(() =>
      expect(player.events.some((event) => event.kind === 'result' && event.transactionId === id)).toBe(true),
    );
    player.session.commandOn(1, 'play', name, ...more);
    player.session.setBufferLength(1, bufferMs);
    player.flush();
    return player;
  };
  return { sessions, asked, play };
}

/** Times of the pictures, ms, from the media message `since` on. */
function pictures(player: RtmpTestClient, since = 0): number[] {
  const found: number[] = [];
  const demuxer = new TagDemuxer({
    onTrack: () => undefined,
    onSample: ({ track, dts }) => {
      if (track.id === 1) found.push(dts / 90);
    },
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
  });
  for (const message of player.media.slice(since)) demuxer.push(message);
  return found;
}

const data = (player: RtmpTestClient, name: string) =>
  player.events.flatMap((event) =>
    event.kind === 'data' && event.name === name ? [amfProperties(event.values[0])] : [],
  );

it('plays from a place to the end, and says so', async () => {
  const { play, sessions } = await setUp();
  const player = await play('test', [4500]);
  await waitFor(() => expect(player.codes).toContain('NetStream.Play.Stop'));
  const times = pictures(player);
  expect([times[0], times.at(-1), times.length]).toEqual([4000, 9960, 150]);
  expect(data(player, 'onMetaData')).toMatchObject([{ duration: 10, width: 160, videocodecid: 7 }]);
  expect(data(player, 'onCuePoint')).toMatchObject([{ name: 'cm-in', parameters: { data: { spot: 7 } } }]);
  const cue = player.events.findIndex((event) => event.kind === 'data' && event.name === 'onCuePoint');
  const next = player.events.slice(cue).find((event) => event.kind === 'media');
  expect(next).toMatchObject({ timestampMs: expect.closeTo(6040, -2) });
  expect(data(player, 'onPlayStatus')).toMatchObject([{ code: 'NetStream.Play.Complete', duration: 10 }]);
  expect(player.codes).toEqual(['NetStream.Play.Reset', 'NetStream.Play.Start', 'NetStream.Play.Stop']);
  expect(sessions.list()).toMatchObject([{ kind: 'viewer', protocol: 'rtmp' }]);
  player.stop();
  await waitFor(() => expect(sessions.list()).toEqual([]));
});

it('plays as long as it is asked to', async () => {
  const { play } = await setUp();
  const player = await play('test', [0, 2000]);
  await waitFor(() => expect(player.codes).toContain('NetStream.Play.Stop'));
  expect(pictures(player)).toHaveLength(50);
});

it('sends no further ahead than the buffer, pauses, and seeks', async () => {
  const { play } = await setUp();
  const player = await play('test', [0], 1000);
  await waitFor(() => expect(pictures(player).at(-1)).toBeGreaterThanOrEqual(900));
  expect(pictures(player).at(-1)).toBeLessThan(9000);
  player.session.commandOn(1, 'pause', true, 1000);
  player.flush();
  await waitFor(() => expect(player.codes).toContain('NetStream.Pause.Notify'));
  const before = player.media.length;
  player.session.commandOn(1, 'seek', 7200);
  player.session.setBufferLength(1, 100_000);
  player.flush();
  await waitFor(() => expect(player.codes).toContain('NetStream.Seek.Notify'));
  player.session.commandOn(1, 'pause', false, 1000);
  player.flush();
  await waitFor(() => expect(player.codes).toContain('NetStream.Play.Stop'));
  const after = pictures(player, before);
  expect([after[0], after.length]).toEqual([7000, 75]);
  // From the end back to the beginning.
  const end = player.media.length;
  player.session.commandOn(1, 'seek', -5);
  player.flush();
  await waitFor(() => expect(pictures(player, end)).toHaveLength(250));
});

it('leaves out what is not to be received', async () => {
  const { play } = await setUp();
  const player = await play('test', [0], 100);
  player.session.commandOn(1, 'receiveAudio', false);
  player.session.setBufferLength(1, 100_000);
  player.flush();
  await waitFor(() => expect(player.codes).toContain('NetStream.Play.Stop'));
  expect(pictures(player)).toHaveLength(250);
  expect(player.media.filter(({ type }) => type === 'audio').length).toBeLessThan(100);
});

it('refuses what there is no recording of, and tells what cannot be read', async () => {
  const { play, asked } = await setUp({ broken: true });
  const none = await play('none', [0]);
  await waitFor(() => expect(none.codes).toEqual(['NetStream.Play.StreamNotFound']));
  const player = await play('test', [0]);
  await waitFor(() => expect(player.codes).toContain('NetStream.Play.Failed'));
  await play('test', [-1000]);
  await play('test', [-2000]);
  expect(asked).toEqual(['live/none', 'live/test']); // whoever asks for no place gets what is live
});
