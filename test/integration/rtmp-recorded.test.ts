import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FlvReader, TagDemuxer } from '../../packages/media/src/flv/index.ts';
import { Child, publisherArguments, Scope, until } from '../kit/index.ts';
import { RtmpTestClient } from '../kit/rtmp-client.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';

const FPS = 25;
const SECONDS = 6;

const scope = new Scope();
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(scope, { 'record.streams': 'all', 'hub.reconnectWindowMs': '500' });
  const url = `${server.rtmp}/live/film`;
  const publishing = run(
    'ffmpeg',
    publisherArguments({ url, fps: FPS, seconds: SECONDS, bFrames: 2 }),
    20_000,
  );
  await until(() => server.registry.list().some(({ state }) => state === 'live'), { timeoutMs: 20_000 });
  const fired = await fetch(`${server.http}/api/v1/streams/live/film/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'cm-in', time: 5, data: { spot: 7 } }),
  });
  expect(fired.status).toBe(201);
  await publishing;
  await until(() => server.log.some(({ msg }) => msg === 'recording finished'), { timeoutMs: 20_000 });
});
afterAll(() => scope.close());

/** Runs a program to its end; gives what it said. */
async function run(program: string, args: readonly string[], timeoutMs = 30_000): Promise<string> {
  const child = new Child(program, program, args);
  scope.defer(() => child.stop());
  child.stdout.resume();
  await until(() => child.exit !== undefined, { timeoutMs, message: () => child.errorLines.join('\n') });
  return child.errorLines.join('\n');
}

it('FFmpeg decodes a recording from its beginning to its end', async () => {
  const input = ['-hide_banner', '-nostdin', '-rtmp_live', 'recorded', '-i', `${server.rtmp}/live/film`];
  const said = await run('ffmpeg', [...input, '-f', 'null', '-']);
  const frames = Number([...said.matchAll(/frame=\s*(\d+)/g)].at(-1)?.[1]);
  console.log(`FFmpeg decoded ${frames} of ${SECONDS * FPS} pictures`);
  expect(frames).toBeGreaterThanOrEqual(SECONDS * FPS - 2);
  expect(said).not.toMatch(/error|invalid|non monoton/i);
});

it('rtmpdump begins in the middle', async () => {
  const file = join(scope.tempDir('onair-rtmpdump'), 'film.flv');
  await run('rtmpdump', ['-r', `${server.rtmp}/live/film`, '--start', '4', '-o', file]);
  const times: number[] = [];
  const keys: boolean[] = [];
  const demuxer = new TagDemuxer({
    onTrack: () => undefined,
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
    onSample: ({ track, dts, keyframe }) => {
      if (track.id !== 1) return;
      times.push(dts / 90_000);
      keys.push(keyframe);
    },
  });
  const reader = new FlvReader();
  reader.push(Uint8Array.from(readFileSync(file)));
  for (let item = reader.next(); item !== undefined; item = reader.next())
    if (item.kind === 'tag') demuxer.push(item.tag);
  console.log(`rtmpdump got ${times.length} pictures`);
  expect(keys[0]).toBe(true);
  // Its segment begins at the key frame at or before the place.
  expect(times.length).toBeGreaterThan(1.9 * FPS);
  expect(times.length).toBeLessThan(4.2 * FPS);
});

it('an event that was recorded is told at its place', async () => {
  const player = new RtmpTestClient(server.ports.rtmp!, { intent: 'connect', name: '' });
  scope.defer(() => player.stop());
  const heard = (kind: string): Promise<boolean> =>
    until(() => player.events.some((event) => event.kind === kind), { message: kind });
  await heard('connected');
  player.session.call('createStream');
  player.flush();
  await heard('result');
  player.session.commandOn(1, 'play', 'film', 4000);
  player.session.setBufferLength(1, 100_000);
  player.flush();
  await until(() => player.codes.includes('NetStream.Play.Stop'), { timeoutMs: 20_000 });
  const cues = player.events.filter((event) => event.kind === 'data' && event.name === 'onCuePoint');
  expect(cues).toMatchObject([{ values: [{ name: 'cm-in', parameters: { data: { spot: 7 } } }] }]);
  const [cue] = cues;
  expect(cue?.kind === 'data' && Math.abs(cue.timestampMs - 5000)).toBeLessThan(250);
});
