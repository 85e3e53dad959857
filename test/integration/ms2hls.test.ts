import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { probePackets } from '../kit/packets.ts';
import { Scope } from '../kit/scope.ts';
import { serveChild } from '../kit/serve-child.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { fetchRecording } from '../kit/upload-client.ts';

const files = new Scope();
const folder = files.tempDir('onair-ms2hls-');
let scope = new Scope();
afterEach(async () => {
  const closing = scope;
  scope = new Scope();
  await closing.close();
});
afterAll(() => files.close());

/** Complete files of four seconds, as a recorder makes them that is stopped and started. */
const COUNT = 4;
const chunks: Buffer[] = [];
let frames = 0;
beforeAll(() => {
  const args = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=160x90:rate=25',
    '-f',
    'lavfi',
    '-i',
    'sine=sample_rate=48000',
  ];
  const codecs = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-g', '50', '-c:a', 'libopus'];
  for (let i = 1; i <= COUNT; i++) {
    const path = join(folder, `${i}.webm`);
    execFileSync('ffmpeg', ['-v', 'error', ...args, '-t', '4', ...codecs, path]);
    chunks.push(readFileSync(path));
    frames += probePackets(path).packets.filter(({ stream }) => stream === 0).length;
  }
});

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function call(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

function post(http: string, id: string, number: number, bytes: Uint8Array): Promise<Answer> {
  const form = new FormData();
  form.append('webm', new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'video/webm' }), `${number}.webm`);
  return call(`${http}/api/chunks/${id}`, { method: 'POST', body: form });
}

async function pictures(http: string, file: string): Promise<number> {
  const path = join(folder, 'movie.mp4');
  writeFileSync(path, Buffer.from(await (await fetch(`${http}${file}`)).arrayBuffer()));
  return probePackets(path).packets.filter(({ stream }) => stream === 0).length;
}

describe('the interface of ms2hls', () => {
  it('joins complete files in any order, with repeats, and two sessions at once', async () => {
    const server = await startTestServer(scope);
    const { http } = server;
    for (const id of ['one', 'two']) {
      expect((await call(`${http}/api/initialize/${id}`)).status).toBe(200);
      expect((await call(`${http}/api/initialize/${id}`, { method: 'POST' })).status).toBe(200);
    }
    for (const number of [2, 1, 1, 4, 3, 2]) {
      for (const id of ['one', 'two']) {
        const { status } = await post(http, id, number, chunks[number - 1]!);
        expect(status).toBe(200);
      }
    }
    await until(async () => {
      const response = await fetch(`${http}/live/one/playlist.m3u8`);
      return response.status === 200 && (await response.text()).includes('#EXT-X-PLAYLIST-TYPE:EVENT');
    });
    for (const id of ['one', 'two']) {
      const { status, body } = await call(`${http}/api/finalize/${id}`);
      expect(status).toBe(200);
      expect((await call(`${http}/api/finalize/${id}`, { method: 'POST' })).body).toEqual(body);
      const recording = await fetchRecording(http, `/live/${id}/playlist.m3u8`);
      expect(recording).toMatchObject({ ended: true, discontinuities: 0 });
      expect(Math.abs(recording.seconds - 4 * COUNT)).toBeLessThan(0.3);
      expect(await pictures(http, String(body.file))).toBe(frames);
    }
  });

  it('goes on without a chunk that does not come, and refuses what it must', async () => {
    const server = await startTestServer(scope, { 'upload.chunkGapMs': '200' });
    const { http } = server;
    expect((await post(http, 'gap', 1, chunks[0]!)).status).toBe(404);
    expect((await call(`${http}/api/initialize/..%2Fgap`)).status).toBe(400);
    expect((await call(`${http}/api/initialize/gap`)).status).toBe(200);
    const [first, , third] = chunks;
    await post(http, 'gap', 1, first!);
    await post(http, 'gap', 3, third!);
    await until(async () => (await post(http, 'gap', 3, third!)).body.next === 4);
    expect((await post(http, 'gap', 2, chunks[1]!)).body.answer).toBe('late');
    expect((await post(http, 'gap', 0, first!)).status).toBe(400);
    const plain = await call(`${http}/api/chunks/gap`, { method: 'POST', body: 'x' });
    expect(plain.status).toBe(415);
    const { body } = await call(`${http}/api/finalize/gap`);
    expect(Number(body.seconds)).toBeGreaterThan(7);
    expect((await call(`${http}/api/finalize/never`)).status).toBe(404);
  });

  it('answers at its old port, for pages of any origin, and outlives a kill with chunks waiting', async () => {
    const data = scope.tempDir('onair-ms2hls-data-');
    const settings = { ONAIR_COMPAT: '1', ONAIR__upload__compatPort: '0' };
    let server = await serveChild(scope, data, settings);
    const { port } = await until(() => server.log.find(({ msg }) => msg === 'compatible with ms2hls'));
    const old = `http://127.0.0.1:${String(port)}`;
    const foreign = { headers: { origin: 'http://elsewhere.example' } };
    const begun = await fetch(`${old}/api/initialize/kill`, foreign);
    expect([begun.status, begun.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    for (const number of [1, 2, 4]) {
      expect((await post(old, 'kill', number, chunks[number - 1]!)).status).toBe(200);
    }
    server.child.signal('SIGKILL');
    await server.child.exited;
    server = await serveChild(scope, data, settings);
    expect((await post(server.http, 'kill', 3, chunks[2]!)).status).toBe(200);
    const { body } = await call(`${server.http}/api/finalize/kill`);
    expect(await pictures(server.http, String(body.file))).toBe(frames);
  });

  it.runIf(process.env.ONAIR_LONG === '1')(
    'takes a thousand stored files in each of two sessions without growing',
    async () => {
      const others = chunks.map((_, i) => {
        const path = join(folder, `small-${i}.webm`);
        const args = ['-f', 'lavfi', '-i', 'testsrc=size=96x64:rate=10', '-t', '4', '-c:v', 'libvpx'];
        execFileSync('ffmpeg', ['-v', 'error', ...args, '-deadline', 'realtime', path]);
        return readFileSync(path);
      });
      const server = await serveChild(scope, scope.tempDir('onair-thousand-'));
      const { pid } = server.child;
      const looks: { readonly at: number; readonly rss: number; readonly files: number }[] = [];
      const look = (at: number): void => {
        const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
        looks.push({ at, rss: Math.round(rss), files: readdirSync(`/proc/${pid}/fd`).length });
      };
      for (const id of ['large', 'small']) await call(`${server.http}/api/initialize/${id}`);
      const began = performance.now();
      for (let number = 1; number <= 1_000; number++) {
        const answers = await Promise.all([
          post(server.http, 'large', number, chunks[number % COUNT]!),
          post(server.http, 'small', number, others[number % COUNT]!),
        ]);
        expect(answers.map(({ status }) => status)).toEqual([200, 200]);
        if (number % 50 === 0) look(number);
      }
      const ended = [
        (await call(`${server.http}/api/finalize/large`)).body,
        (await call(`${server.http}/api/finalize/small`)).body,
      ];
      const took = (performance.now() - began) / 1000;
      look(1_001);
      const counted = ended.map(({ file, seconds }) => {
        const entries = ['-show_entries', 'stream=width,nb_read_packets', '-of', 'csv=p=0'];
        const args = ['-v', 'error', '-select_streams', 'v', '-count_packets', ...entries];
        const shown = execFileSync('ffprobe', [...args, `${server.http}${String(file)}`]).toString();
        return { seconds: Math.round(Number(seconds)), shown: shown.trim() };
      });
      console.log(`${took.toFixed(0)} s`, JSON.stringify(counted), JSON.stringify(looks));
      expect(counted.map(({ shown }) => shown)).toEqual(['160,100000', '96,40000']);
      const settled = looks.filter(({ at }) => at >= 200 && at <= 1_000);
      const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
      expect(spread(settled.map(({ files }) => files))).toBeLessThanOrEqual(6);
      // The same in the last quarter as in the second, but for what the collector leaves lying about.
      const most = (from: number, to: number): number =>
        Math.max(...settled.filter(({ at }) => at >= from && at <= to).map(({ rss }) => rss));
      expect(most(750, 1_000) - most(250, 500)).toBeLessThan(32);
      expect(most(200, 1_000)).toBeLessThan(288);
    },
    600_000,
  );
});
