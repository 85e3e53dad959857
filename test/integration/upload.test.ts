import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ProbedPacket, probePackets } from '../kit/packets.ts';
import { Scope } from '../kit/scope.ts';
import { serveChild } from '../kit/serve-child.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { fetchRecording, HttpUpload, SocketUpload } from '../kit/upload-client.ts';

const files = new Scope();
const folder = files.tempDir('onair-upload-');
let scope = new Scope();
afterEach(async () => {
  const closing = scope;
  scope = new Scope();
  await closing.close();
});
afterAll(() => files.close());

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25'];
const AUDIO = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
const VP8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-g', '50', '-b:v', '200k'];
const OPUS = ['-c:a', 'libopus'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '50'];
const FRAGMENTED = ['-movflags', 'frag_keyframe+empty_moov+default_base_moof'];

function make(name: string, seconds: number, args: readonly string[]): Buffer {
  const path = join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, '-t', String(seconds), path]);
  return readFileSync(path);
}

let webm: Buffer;
let mp4: Buffer;
beforeAll(() => {
  webm = make('a.webm', 8, [...VIDEO, ...AUDIO, ...VP8, ...OPUS, '-live', '1']);
  mp4 = make('a.mp4', 8, [...VIDEO, ...AUDIO, ...H264, '-c:a', 'aac', ...FRAGMENTED]);
});

const SESSION = 'session-of-the-tests';
const sizes = (packets: readonly ProbedPacket[], stream: number): number[] =>
  packets.filter((packet) => packet.stream === stream).map(({ size }) => size);

/** Packets of a source from its first picture on: what sounds before has no place in a stream. */
const fromFirstPicture = (name: string): ProbedPacket[] =>
  probePackets(join(folder, name)).packets.filter(({ pts }) => pts >= 0);

/** What ffprobe shows of the finished file of a recording. */
async function probeMovie(http: string, path: string, name: string) {
  const response = await fetch(`${http}${path}`);
  expect(response.status).toBe(200);
  const file = join(folder, name);
  writeFileSync(file, Buffer.from(await response.arrayBuffer()));
  return probePackets(file);
}

describe('an upload', () => {
  it('over HTTP, in pieces and with repeats, is a live stream, then a recording without a lost frame', async () => {
    const server = await startTestServer(scope);
    const upload = new HttpUpload(server.http, 'live/http', SESSION);
    const step = 30_011;
    for (let at = 0; at < mp4.length; at += step) {
      const from = Math.max(0, at - (at % 3) * 1000);
      const sent = await upload.send(mp4.subarray(from, at + step), from);
      expect(sent).toEqual({ status: 200, offset: Math.min(at + step, mp4.length) });
    }
    expect(await upload.send(mp4, mp4.length + 1)).toEqual({ status: 409, offset: mp4.length });
    const live = await fetch(`${server.http}/live/http/index.m3u8`);
    expect(live.status).toBe(200);
    expect(await live.text()).toMatch(/CODECS="avc1\.\w+,mp4a\.40\.2"/);
    // The recorder writes at its own pace.
    await until(async () => (await fetch(`${server.http}/live/http/playlist.m3u8`)).ok);
    const soFar = await fetchRecording(server.http, '/live/http/playlist.m3u8');
    expect(soFar.ended).toBe(false);
    const result = await upload.end();
    expect(result.offset).toBe(mp4.length);
    expect(await upload.end()).toEqual(result);
    const source = probePackets(join(folder, 'a.mp4'));
    const movie = await probeMovie(server.http, result.file, 'http.mp4');
    expect(movie.codecs).toEqual(['h264', 'aac']);
    for (const stream of [0, 1]) expect(sizes(movie.packets, stream)).toEqual(sizes(source.packets, stream));
    const recording = await fetchRecording(server.http, result.playlist);
    expect(recording).toMatchObject({ ended: true, discontinuities: 0 });
    expect(Math.abs(recording.seconds - movie.duration!)).toBeLessThan(0.041);
    expect(result.seconds).toBeCloseTo(recording.seconds, 3);
    expect(Buffer.from(recording.files[0]!).indexOf(Buffer.from(soFar.files[0]!))).toBe(0);
    const range = await fetch(`${server.http}${result.file}`, { headers: { range: 'bytes=100-199' } });
    expect([range.status, (await range.arrayBuffer()).byteLength]).toEqual([206, 100]);
    expect((await fetch(`${server.http}/live/http.flv`)).status).not.toBe(500);
  });

  it('over WebSocket goes on after a lost connection, and gives the same bytes however it is cut', async () => {
    const server = await startTestServer(scope);
    const recordings: Uint8Array[] = [];
    for (const [name, step] of [
      ['one', webm.length],
      ['two', 1_009],
    ] as const) {
      let upload = new SocketUpload(server.http, `live/${name}`, SESSION);
      expect(await upload.ready).toBe(0);
      for (let at = 0; at < webm.length / 2; at += step) upload.send(webm.subarray(at, at + step));
      await until(() => upload.acked > 0);
      upload.drop();
      upload = new SocketUpload(server.http, `live/${name}`, SESSION);
      const from = await upload.ready;
      for (let at = from; at < webm.length; at += step) upload.send(webm.subarray(at, at + step));
      upload.end();
      await until(() => upload.result);
      expect(await upload.closed).toBe(1000);
      const { playlist, file } = upload.result!;
      const movie = await probeMovie(server.http, file, `${name}.mp4`);
      const source = fromFirstPicture('a.webm');
      for (const stream of [0, 1]) expect(sizes(movie.packets, stream)).toEqual(sizes(source, stream));
      if (name === 'one') {
        // Players of HLS take no VP8 in MP4.
        const args = ['-v', 'error', '-count_frames', '-show_entries', 'stream=codec_name,nb_read_frames'];
        const shown = promisify(execFile)('ffprobe', [
          ...args,
          '-of',
          'csv=p=0',
          `${server.http}${playlist}`,
        ]);
        const count = (stream: number): number => sizes(source, stream).length;
        expect((await shown).stdout).toContain(`h264,${count(0)}\nopus,${count(1)}\n`);
      }
      recordings.push((await fetchRecording(server.http, playlist)).files[0]!);
    }
    expect(Buffer.compare(recordings[0]!, recordings[1]!)).toBe(0);
  });

  it('is refused with a reason: no media, a second one, a false name, an absent codec', async () => {
    const server = await startTestServer(scope, { 'transcode.enabled': 'false' });
    const bad = new SocketUpload(server.http, 'live/bad', SESSION);
    await bad.ready;
    bad.send(Buffer.alloc(2000, 0x41));
    expect(await bad.closed).toBe(4422);
    expect(bad.error).toMatchObject({ code: 'UPLOAD_MEDIA' });
    const first = new HttpUpload(server.http, 'live/one', SESSION);
    expect((await first.send(webm, 0)).status).toBe(200);
    const second = new HttpUpload(server.http, 'live/one', `${SESSION}-2`);
    expect((await second.send(webm, 0)).status).toBe(409);
    expect((await new HttpUpload(server.http, 'live/x', 'short').send(webm, 0)).status).toBe(400);
    const refused = await fetch(`${server.http}/live/one/upload?session=${SESSION}&offset=0`, {
      method: 'POST',
      body: 'x',
      headers: { origin: 'http://elsewhere.example' },
    });
    expect(refused.status).toBe(403);
    const ts = await fetch(`${server.http}/live/one/ts.m3u8`);
    expect(ts.status).toBe(404);
    expect(await ts.json()).toMatchObject({ code: 'CODEC_NOT_CARRIED' });
  });

  it('loses nothing acknowledged when the server is killed, and goes on', async () => {
    const data = scope.tempDir('onair-killed-');
    let server = await serveChild(scope, data);
    let upload = new SocketUpload(server.http, 'live/killed', SESSION);
    await upload.ready;
    const step = 4_003;
    let sent = 0;
    for (; sent < webm.length * 0.7; sent += step) upload.send(webm.subarray(sent, sent + step));
    await until(() => upload.acked >= sent);
    const { acked } = upload;
    await until(async () => (await fetch(`${server.http}/live/killed/playlist.m3u8`)).status === 200);
    server.child.signal('SIGKILL');
    await server.child.exited;
    server = await serveChild(scope, data);
    upload = new SocketUpload(server.http, 'live/killed', SESSION);
    const from = await upload.ready;
    expect(from).toBeGreaterThanOrEqual(acked);
    for (let at = from; at < webm.length; at += step) upload.send(webm.subarray(at, at + step));
    upload.end();
    await until(() => upload.result);
    const source = fromFirstPicture('a.webm');
    const movie = await probeMovie(server.http, upload.result!.file, 'killed.mp4');
    for (const stream of [0, 1]) expect(sizes(movie.packets, stream)).toEqual(sizes(source, stream));
    const recording = await fetchRecording(server.http, upload.result!.playlist);
    expect(recording.discontinuities).toBe(1);
    expect(Math.abs(recording.seconds - movie.duration!)).toBeLessThan(0.05);
  });

  it('of sound alone is a recording of sound alone', async () => {
    const server = await startTestServer(scope);
    const sound = make('sound.webm', 5, [...AUDIO, ...OPUS, '-live', '1']);
    const upload = new HttpUpload(server.http, 'live/sound', SESSION);
    expect((await upload.send(sound, 0)).status).toBe(200);
    const result = await upload.end();
    expect(result.file).toMatch(/\.m4a$/);
    const movie = await probeMovie(server.http, result.file, 'sound.m4a');
    expect(movie.codecs).toEqual(['opus']);
    expect(movie.packets).toHaveLength(probePackets(join(folder, 'sound.webm')).packets.length);
    // Podcasts are in MP3; ffmpeg makes it while it is sent.
    const podcast = await probeMovie(server.http, result.file.replace(/m4a$/, 'mp3'), 'sound.mp3');
    expect(podcast.codecs).toEqual(['mp3']);
    expect(Math.abs(podcast.duration! - movie.duration!)).toBeLessThan(0.1);
  });
});
