import { connect, type Socket } from 'node:net';
import { streamName, ticks } from '@onair/media';
import { parseMediaPlaylist } from '@onair/media/hls';
import { afterEach, describe, expect, it } from 'vitest';
import { Scope, until } from '../kit/index.ts';
import { audioTrack, videoParameters, videoTrack } from '../kit/samples.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

const VIDEO = videoTrack({ ...videoParameters(), frameRate: 30 });
const AUDIO = audioTrack();
const WAITERS = 1000;

/** A publisher within the process: frames with a known moment of capture. */
class Camera {
  /** When the newest frame was handed over, ms of the monotonic clock, by number. */
  readonly handed: number[] = [];
  /** Wall clock of frame 0, ms. */
  readonly began: number;
  readonly #timer: NodeJS.Timeout;

  /** @param lateMs how much later than it was captured the first half second comes. */
  constructor(server: TestServer, name: string, lateMs = 0) {
    const publication = server.registry.publish(streamName('live', name), {
      protocol: 'test',
      revoked: () => {},
    });
    publication.promise({ video: true, audio: true });
    publication.setTrack(VIDEO);
    publication.setTrack(AUDIO);
    const start = performance.now() + lateMs;
    this.began = Date.now() + lateMs;
    let sound = 0;
    this.#timer = setInterval(() => {
      for (;;) {
        const number = this.handed.length;
        const delay = number < 15 ? lateMs : 0;
        if (performance.now() - start < (number * 1000) / 30 + delay) break;
        const dts = ticks(number * 3000);
        const data = new Uint8Array(number % 30 === 0 ? 8000 : 1500).fill(number);
        this.handed.push(performance.now());
        publication.push({
          track: VIDEO,
          dts,
          pts: dts,
          duration: undefined,
          keyframe: number % 30 === 0,
          data,
        });
        for (; sound * 1024 * 30 <= number * 48_000; sound++) {
          const at = ticks(sound * 1024);
          const frame = new Uint8Array(170).fill(sound);
          publication.push({
            track: AUDIO,
            dts: at,
            pts: at,
            duration: ticks(1024),
            keyframe: true,
            data: frame,
          });
        }
      }
    }, 2);
    scope.defer(() => {
      clearInterval(this.#timer);
      publication.close('test over');
    });
  }
}

/** A connection that asks and tells when the answer was complete, ms of the monotonic clock. */
class Asker {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  static open(port: number): Promise<Asker> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Asker(socket)));
      socket.on('error', reject);
      scope.defer(() => socket.destroy());
    });
  }

  ask(path: string): Promise<{ at: number; body: string }> {
    return new Promise((resolve, reject) => {
      let text = '';
      const take = (data: Buffer): void => {
        text += data.toString('latin1');
        const end = text.indexOf('\r\n\r\n');
        if (end < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
        if (text.length < end + 4 + length) return;
        this.#socket.off('data', take);
        if (text.startsWith('HTTP/1.1 200')) resolve({ at: performance.now(), body: text.slice(end + 4) });
        else reject(new Error(text.slice(0, 200)));
      };
      this.#socket.on('data', take);
      this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    });
  }
}

const share = (values: readonly number[], of: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * of))]!;

describe('speed of HLS', () => {
  it('lists and serves the first part of a stream without delay', async () => {
    const server = await startTestServer(scope);
    const port = server.ports.http;
    const asker = await Asker.open(port);
    const camera = new Camera(server, 'start');
    await until(() => camera.handed.length > 0);
    const { body } = await asker.ask('/live/start/hls/video.m3u8?_HLS_msn=0&_HLS_part=0');
    const uri = parseMediaPlaylist(body).pending!.parts[0]!.uri;
    const part = await fetch(`${server.http}/live/start/hls/${uri}`);
    expect((await part.arrayBuffer()).byteLength).toBeGreaterThan(8000);
    const ms = performance.now() - camera.handed[0]!;
    console.info(`first keyframe to first part fetched: ${ms.toFixed(0)} ms, part 334 ms`);
    expect(ms).toBeLessThan(334 + 250);
  });

  it('dates frames by their capture, also when the first ones came late', async () => {
    const server = await startTestServer(scope);
    const off: number[] = [];
    for (const [name, late] of [
      ['prompt', 0],
      ['late', 150],
    ] as const) {
      const camera = new Camera(server, name, late);
      await until(async () => (await fetch(`${server.http}/live/${name}/index.m3u8`)).ok);
      for (const rendition of ['video', 'audio']) {
        const answer = await fetch(`${server.http}/live/${name}/hls/${rendition}.m3u8`);
        const { segments } = parseMediaPlaylist(await answer.text());
        off.push(segments[0]!.programDateTime! - camera.began);
      }
    }
    console.info(`dates off the capture: ${off.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    for (const ms of off) expect(Math.abs(ms)).toBeLessThanOrEqual(34);
  });

  it('releases blocked reloads at once, and a herd together', async () => {
    const server = await startTestServer(scope, { 'http.maxConnectionsPerAddress': '5000' });
    const camera = new Camera(server, 'herd');
    const path = '/live/herd/hls/video.m3u8';
    const askers: Asker[] = [];
    for (let i = 0; i < 8; i++) askers.push(await Asker.open(server.ports.http));
    let playlist = parseMediaPlaylist((await askers[0]!.ask(path)).body);
    const delays: number[] = [];
    /** Which frame ends the newest part: the parts tell how many frames they hold. */
    const lastFrame = (): number => {
      const { pending, segments } = playlist;
      const head = pending ?? segments.at(-1)!;
      const seconds = (head.programDateTime! - camera.began) / 1000;
      const length = head.parts.reduce((sum, { duration }) => sum + duration, 0);
      return Math.round((seconds + length) * 30) - 1;
    };
    const next = (ahead: number): string => {
      const msn = playlist.mediaSequence + playlist.segments.length;
      return `${path}?_HLS_msn=${msn}&_HLS_part=${(playlist.pending?.parts.length ?? 0) + ahead}`;
    };
    for (let i = 0; i < 60; i++) {
      const { at, body } = await askers[i % 8]!.ask(next(0));
      playlist = parseMediaPlaylist(body);
      delays.push(at - camera.handed[lastFrame()]!);
    }
    while (askers.length < WAITERS) askers.push(await Asker.open(server.ports.http));
    const spreads: number[] = [];
    for (let round = 0; round < 8; round++) {
      playlist = parseMediaPlaylist((await askers[0]!.ask(next(0))).body);
      const url = next(1);
      const answers = await Promise.all(askers.map((asker) => asker.ask(url)));
      expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
      const times = answers.map(({ at }) => at);
      spreads.push(Math.max(...times) - Math.min(...times));
    }
    console.info(
      `release after the part exists: p50 ${share(delays, 0.5).toFixed(1)} ms, p99 ${share(delays, 0.99).toFixed(1)} ms; ` +
        `${WAITERS} waiters answered within ${share(spreads, 0.5).toFixed(0)} ms (median), clients in the same process`,
    );
    expect(share(delays, 0.5)).toBeLessThan(20);
    // Machines that run tests are busy; the figure is the median.
    expect(share(spreads, 0.5)).toBeLessThan(400);
  });
});
