import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventOfScript, FlvReader, parseScriptBody, TagDemuxer } from '../../packages/media/src/flv/index.ts';
import { Child, publisherArguments, Scope, until } from '../kit/index.ts';
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

it('rtmpdump begins in the middle, and gets the event that was recorded', async () => {
  const file = join(scope.tempDir('onair-rtmpdump'), 'film.flv');
  await run('rtmpdump', ['-r', `${server.rtmp}/live/film`, '--start', '4', '-o', file]);
  const times: number[] = [];
  const keys: boolean[] = [];
  const cues: [number, unknown][] = [];
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
    if (item.kind === 'tag') {
      demuxer.push(item.tag);
      if (item.tag.type === 'script' && parseScriptBody(item.tag.body).name === 'onCuePoint')
        cues.push([item.tag.timestampMs, eventOfScript(parseScriptBody(item.tag.body))?.data]);
    }
  expect(cues.map(([, data]) => data)).toEqual([{ spot: 7 }]);
  // At its place, a second before the end.
  const behind = times.filter((time) => time * 1000 >= cues[0]![0]).length;
  expect(Math.abs(behind - FPS * (SECONDS - 5))).toBeLessThanOrEqual(3);
  console.log(`rtmpdump got ${times.length} pictures`);
  expect(keys[0]).toBe(true);
  // Its segment begins at the key frame at or before the place.
  expect(times.length).toBeGreaterThan(1.9 * FPS);
  expect(times.length).toBeLessThan(4.2 * FPS);
});
