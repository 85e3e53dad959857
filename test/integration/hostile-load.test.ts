import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Tag } from '@onair/media/flv';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  Canary,
  expectNoChildren,
  heldBytes,
  makeTags,
  openRaw,
  openSockets,
  Replay,
  Scope,
  seenFurther,
  startTestServer,
  type TestServer,
  until,
  watchAll,
  watchFmp4,
  witnesses,
} from '../kit/index.ts';
import { slack } from '../kit/load.ts';

const FPS = 25;

let scope = new Scope();
afterEach(async () => {
  const closing = scope;
  scope = new Scope();
  await closing.close();
});
afterAll(() => expectNoChildren());

/** A loop of `times` passes over tags of `seconds`. */
function looped(tags: readonly Tag[], seconds: number, times: number): Tag[] {
  return Array.from({ length: times }, (_, pass) =>
    tags.map((tag) => ({ ...tag, timestampMs: tag.timestampMs + pass * seconds * 1000 })),
  ).flat();
}

describe('readers that stall', () => {
  const SECONDS = 6;
  const STALL_MS = 6_000;
  /** Bytes that all of them may hold. */
  const MOST_HELD = 4_000_000;
  let tags: Tag[];
  beforeAll(async () => {
    const files = new Scope();
    const options = { seconds: SECONDS, fps: FPS, gopSeconds: 1, size: '960x540', bitrate: 6_000_000 };
    tags = await makeTags(files, { ...options, audio: false });
    tags = tags.filter(({ type }) => type === 'video');
    await files.close();
  });

  /** Connections that ask for a stream and read nothing of it, by every protocol. */
  async function stalled(server: TestServer, name: string): Promise<void> {
    const port = server.ports.http;
    const request = (path: string, more = ''): Socket => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`);
      socket.pause();
      scope.defer(() => socket.destroy());
      return socket;
    };
    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      '',
    ].join('\r\n');
    request(`/live/${name}.flv`);
    request(`/live/${name}.flv`, upgrade);
    request(`/live/${name}.fmp4`, upgrade);
    for (let n = 0; n < 2; n++) {
      const player = openRaw(scope, server.ports.rtmp!);
      const streamId = await player.openStream();
      player.command('play', 3, [null, name], streamId);
      await player.status('NetStream.Play.Start');
      player.socket.pause();
    }
  }

  it('hold no memory, do not delay others, and are closed', async () => {
    const server = await startTestServer(scope, { 'hub.stallMs': String(STALL_MS), 'hub.maxLagMs': '2000' });
    // The real deadline, which is 10 s for each phase.
    const half = [openRaw(scope, server.ports.rtmp!), openRaw(scope, server.ports.rtmp!)];
    half[1]!.send(Uint8Array.of(3));
    scope.own(new Replay(`${server.rtmp}/live/heavy`, looped(tags, SECONDS, 20)));
    const good = watchFmp4(scope, `${server.ws}/live/heavy.fmp4`);
    const flv = watchAll(scope, server, 'live/heavy');
    const readers = [good, ...witnesses(flv)];
    /** Milliseconds from the arrival at the server to the arrival here, of the pictures since `from`. */
    const delays = (from: number): number[] =>
      good.chunks
        .slice(from)
        .map(({ wallClock }, i) => performance.timeOrigin + good.video[from + i]!.atMs - wallClock / 1000)
        .sort((a, b) => a - b);
    // The logs keep 6 s; only when they are full does memory stand still.
    await seenFurther(readers, 9_000, 40_000);
    const before = delays(0);
    const steady = heldBytes();
    const from = good.chunks.length;
    await stalled(server, 'heavy');
    await seenFurther(readers, 3_000);
    const during = delays(from);
    const closed = () =>
      server.log.filter(({ msg, reason }) => msg === 'viewer left' && reason === 'too-slow');
    // What is held is there each time one looks; what waits to be collected is not.
    let extra = heldBytes() - steady;
    await until(
      () => {
        extra = Math.min(extra, heldBytes() - steady);
        return extra < MOST_HELD || closed().length > 0;
      },
      { everyMs: 200 },
    );
    await until(() => closed().length === 5, {
      timeoutMs: 40_000,
      message: () => `${closed().length} of 5 are closed`,
    });
    const middle = (list: readonly number[]): number => list[list.length >> 1]!;
    console.info(
      `5 stalled readers of 6 Mbit/s: +${(extra / 1024).toFixed(0)} KiB; delay of others ` +
        `p50 ${middle(before).toFixed(1)} → ${middle(during).toFixed(1)} ms`,
    );
    expect(extra).toBeLessThan(MOST_HELD);
    // Only a delay that readers who take nothing would cause; a busy machine makes some of its own.
    expect(middle(during)).toBeLessThan(middle(before) + 60 * slack());
    for (const reader of readers) {
      expect(reader.faults, reader.name).toEqual([]);
      expect(reader.lostFrames(FPS), reader.name).toBe(0);
    }
    expect(
      closed()
        .map(({ protocol }) => protocol)
        .sort(),
    ).toEqual([...['http-flv', 'rtmp', 'rtmp', 'ws-flv', 'ws-fmp4']]);
  });
});

describe('storms', () => {
  let canary: Canary;
  const house = new Scope();
  beforeAll(async () => {
    canary = await Canary.start(house, { 'hub.reconnectWindowMs': '300', 'hub.endedLingerMs': '0' });
  });
  afterAll(() => house.close());

  /** Calls `join` at a rate until `count` have been made; each leaves when its promise is settled. */
  async function storm(
    count: number,
    perSecond: number,
    join: (n: number) => Promise<unknown>,
  ): Promise<void> {
    const begin = performance.now();
    const running: Promise<unknown>[] = [];
    for (let n = 0; n < count; n++) {
      const wait = begin + (n * 1000) / perSecond - performance.now();
      if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
      running.push(join(n));
    }
    await Promise.all(running);
  }

  it('of viewers who join and leave, 200 a second, leave nothing behind', async () => {
    await canary.rest();
    const { http, ws } = canary.server;
    const firstBytes = (n: number): Promise<void> =>
      new Promise((resolve, reject) => {
        if (n % 2 === 0) {
          const request = get(`${http}/live/canary.flv`, { agent: false }, (response: IncomingMessage) => {
            response.once('data', () => {
              request.destroy();
              resolve();
            });
          });
          request.once('error', (error) => (request.destroyed ? resolve() : reject(error)));
        } else {
          const socket = new WebSocket(`${ws}/live/canary.${n % 4 === 1 ? 'flv' : 'fmp4'}`);
          socket.once('error', reject);
          socket.once('message', () => {
            socket.terminate();
            resolve();
          });
        }
      });
    await storm(800, 200, firstBytes);
    await canary.unharmed();
  });

  it('of players who join, 500 at once, all see a picture', async () => {
    await canary.rest();
    const clients = Array.from({ length: 500 }, () => openRaw(scope, canary.rtmpPort));
    await Promise.all(
      clients.map(async (client) => {
        const streamId = await client.openStream();
        client.command('play', 3, [null, 'canary'], streamId);
        await until(() => client.types.includes(9), { timeoutMs: 30_000, everyMs: 50 });
        await client.stop();
      }),
    );
    await canary.unharmed();
  });

  it('of a publisher who comes and goes 5 times a second', async () => {
    await canary.rest();
    const files = new Scope();
    const tags = (await makeTags(files, { seconds: 1, fps: FPS, gopSeconds: 0.2, audio: false })).filter(
      ({ type }) => type === 'video',
    );
    await files.close();
    const own = new Scope();
    const viewers = watchAll(own, canary.server, 'live/flap');
    await storm(40, 5, async (n) => {
      const client = openRaw(own, canary.rtmpPort);
      const streamId = await client.publish('flap').catch(() => 0);
      client.data(streamId, '@setDataFrame', ['onMetaData', { videocodecid: 7 }]);
      for (const { body, timestampMs } of tags.slice(0, 5))
        client.media('video', streamId, timestampMs, body);
      if (n % 2 === 0) client.reset();
      else await client.stop();
    });
    await until(() => viewers.fmp4.notes.at(-1) === 'state ended', {
      message: () => viewers.fmp4.notes.join(),
    });
    for (const witness of witnesses(viewers)) {
      expect(witness.faults, witness.name).toEqual([]);
      expect(witness.video.length, witness.name).toBeGreaterThan(10);
    }
    await own.close();
    await until(() => canary.server.registry.list().length === 1, { message: 'the stream is forgotten' });
    await canary.unharmed();
  });

  it('of faulty connections fill no log', async () => {
    await canary.rest();
    await storm(600, 300, async () => {
      const client = openRaw(scope, canary.rtmpPort);
      client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      await client.gone(30_000);
    });
    await canary.unharmed();
    expect(canary.lines.length).toBeLessThan(60);
    expect(canary.lines.some(({ repeats }) => Number(repeats) > 20)).toBe(true);
  });

  it('leave no socket of the server open at its end', async () => {
    await canary.server.close();
    await until(() => openSockets() === 0, { message: () => `${openSockets()} sockets` });
  });
});
