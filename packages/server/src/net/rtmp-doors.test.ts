import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { parseRtmpUrl, type RtmpScheme } from '@onair/media/rtmp';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { createLog } from '../observe/index.ts';
import { createClientReader } from './http-client.ts';
import { RtmpClient } from './rtmp-client.ts';
import { RtmpDoors, type TlsRange } from './rtmp-doors.ts';
import { RtmpListener, type RtmpListenerPolicy } from './rtmp-listener.ts';
import { selfSigned } from './self-signed.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const identity = selfSigned({
  names: ['localhost', '127.0.0.1'],
  notBefore: Date.now() - 60_000,
  notAfter: Date.now() + 3_600_000,
});

async function openDoors(policy: Partial<RtmpListenerPolicy> = {}, range?: TlsRange) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level: 'debug', format: 'json', write: (line) => lines.push(JSON.parse(line)) });
  const heard: string[] = [];
  const listener: RtmpListener = new RtmpListener({
    handlers: {
      publish: async (peer) => ({
        media: (message) => heard.push(`${peer.transport} ${message.body.length}`),
        data: () => undefined,
        closed: (reason) => heard.push(reason),
      }),
      play: async (peer, { streamId }) => ({
        started: () => peer.sendData(streamId, 0, 'onTest', ['x'.repeat(50_000)]),
        paused: () => undefined,
        receive: () => undefined,
        drained: () => undefined,
        closed: (reason) => heard.push(reason),
      }),
    },
    logger: log.logger,
    policy: () => ({
      phaseTimeoutMs: 10_000,
      pingMs: 30_000,
      maxConnections: 100,
      maxConnectionsPerAddress: 10,
      encrypted: true,
      ...policy,
    }),
    other: (socket, head, tls) => doors.open(socket, head, tls),
  });
  const phaseTimeoutMs = policy.phaseTimeoutMs ?? 10_000;
  const { http } = loadConfig({ environment: { ONAIR_DATA: tmpdir() }, flags: [] });
  const doors = new RtmpDoors(
    {
      http: () => ({ ...http, headersTimeoutMs: phaseTimeoutMs, requestTimeoutMs: phaseTimeoutMs }),
      phaseTimeoutMs,
      tunnel: true,
      webSocket: true,
      client: createClientReader(() => false),
      logger: log.logger,
      identity: () => identity,
      fault: (error) => heard.push(String(error)),
    },
    listener,
  );
  const port = await listener.listen(0, '127.0.0.1', range === undefined ? {} : { range, secure: true });
  closers.push(async () => {
    const closed = listener.close('test over');
    doors.close();
    await closed;
  });
  return { listener, doors, port, lines, heard };
}

function client(scheme: RtmpScheme, port: number, intent: 'publish' | 'play') {
  const events: string[] = [];
  const made = new RtmpClient({
    url: parseRtmpUrl(`${scheme}://127.0.0.1:${port}/live/test`),
    intent,
    verify: false,
    onEvent: (event) => {
      if (event.kind !== 'data') return;
      const [value] = event.values;
      if (typeof value === 'string') events.push(`${event.name} ${value.length}`);
    },
  });
  closers.push(() => made.close());
  return Object.assign(made, { events });
}

function plain(port: number): Socket & { heard: string; gone: boolean } {
  const socket = Object.assign(connect(port, '127.0.0.1'), { heard: '', gone: false });
  socket.on('data', (bytes) => {
    socket.heard += bytes.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    socket.gone = true;
  });
  closers.push(() => socket.destroy());
  return socket;
}

describe.each<RtmpScheme>(['rtmp', 'rtmps', 'rtmpt', 'rtmpts', 'rtmpe', 'rtmpte'])('%s', (scheme) => {
  it('publishes', async () => {
    const { port, heard, listener, doors } = await openDoors();
    const encoder = client(scheme, port, 'publish');
    await encoder.ready;
    for (const size of [1, 100_000, 700_000, 5]) encoder.sendMedia('video', 0, new Uint8Array(size));
    await vi.waitFor(() => expect(heard).toHaveLength(4));
    expect(heard).toEqual([1, 100_000, 700_000, 5].map((size) => `${scheme} ${size}`));
    await encoder.close();
    await vi.waitFor(() => expect(listener.size).toBe(0), 4000);
    expect(doors.tunnels.size).toBe(0);
    expect(heard.at(-1)).toBe('unpublished');
  });

  it('plays', async () => {
    const { port, listener, doors } = await openDoors();
    const player = client(scheme, port, 'play');
    await player.ready;
    await vi.waitFor(() => expect(player.events).toContain('onTest 50000'));
    await player.close();
    await vi.waitFor(() => expect(listener.size).toBe(0), 4000);
    expect(doors.tunnels.size).toBe(0);
  });
});

it('speaks only TLS, of its versions, on a port for it', async () => {
  const { port } = await openDoors({}, { min: 'TLSv1.3', max: 'TLSv1.3' });
  await client('rtmps', port, 'play').ready;
  for (const scheme of ['rtmp', 'rtmpt', 'rtmpe'] as const) {
    await expect(client(scheme, port, 'play').ready).rejects.toThrow();
  }
});

it('refuses RTMPE where it is off', async () => {
  const { port, lines } = await openDoors({ encrypted: false });
  await expect(client('rtmpe', port, 'play').ready).rejects.toThrow();
  await expect(client('rtmpte', port, 'play').ready).rejects.toThrow();
  expect(lines.some(({ reason }) => reason === 'RTMPE is off')).toBe(true);
});

it.each([
  ['a page', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', '404'],
  ['another method', 'DELETE /open/1 HTTP/1.1\r\nhost: x\r\n\r\n', ''],
  ['another request', 'POST /api/v1/keys HTTP/1.1\r\nhost: x\r\n\r\n', '404'],
  ['no HTTP', 'POX\r\n\r\n', ''],
  ['a malformed request', 'POST /open/1 HTTP/1.1\r\ncontent-length: x\r\n\r\n', ''],
  ['half a TLS record', '\x16\x03\x01\x00\x05hello', ''],
  ['anything', '\x7fELF', ''],
])('closes %s', async (_, text, answer) => {
  const { port, listener } = await openDoors();
  const socket = plain(port);
  socket.write(text, 'latin1');
  await vi.waitFor(() => expect(socket.gone).toBe(true));
  expect(socket.heard.slice(9, 12)).toBe(socket.heard.startsWith('HTTP') ? answer : '');
  await vi.waitFor(() => expect(listener.size).toBe(0));
});

it.each([
  ['a head', 'POST /open/1 HTTP/1.1\r\n', 'x: y\r\n'],
  ['a body', 'POST /open/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n', '.'],
  ['a TLS handshake', '\x16\x03\x01\x02\x00', '\x01'],
  ['an RTMPE handshake', '\x06', '\x01'],
])('gives %s that trickles in its time and no more', async (_, begin, more) => {
  const { port, listener } = await openDoors({ phaseTimeoutMs: 300 });
  const socket = plain(port);
  socket.write(begin, 'latin1');
  const timer = setInterval(() => socket.write(more, 'latin1'), 20);
  closers.push(() => clearInterval(timer));
  await vi.waitFor(() => expect(socket.gone).toBe(true), 6000);
  await vi.waitFor(() => expect(listener.size).toBe(0));
});

describe('a tunnel', () => {
  const agent = new Agent({ keepAlive: true });
  const post = (port: number, path: string, body: Uint8Array = Buffer.of(0)) =>
    new Promise<{ readonly status: number; readonly body: Buffer }>((resolve, reject) => {
      const asked = request({ port, host: '127.0.0.1', path, method: 'POST', agent }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }));
      });
      asked.on('error', reject);
      asked.end(body);
    });
  const openTunnel = async (port: number): Promise<string> =>
    (await post(port, '/open/1')).body.toString().trim();
  /** C0 and C1, then C2, of the simple handshake. */
  const hello = Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]);

  it('answers requests in the order of their numbers, whatever connection they come by', async () => {
    const { port } = await openDoors();
    const id = await openTunnel(port);
    await post(port, `/idle/${id}/0`);
    const answers = await Promise.all([
      post(port, `/send/${id}/3`, hello.subarray(1000)),
      post(port, `/send/${id}/2`, hello.subarray(10, 1000)),
      post(port, `/send/${id}/1`, hello.subarray(0, 10)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.map(({ body }) => body.length)).toEqual([1 + 3073, 1, 1]);
    const again = await post(port, `/send/${id}/3`, hello.subarray(1000));
    expect(again.body.equals(answers[0]!.body)).toBe(true);
  });

  it('counts from 1 if the client does', async () => {
    const { port } = await openDoors();
    const id = await openTunnel(port);
    expect((await post(port, `/send/${id}/1`, hello)).body.length).toBe(1 + 3073);
  });

  it('lets a request go at once when the next one comes', async () => {
    const { port } = await openDoors();
    const id = await openTunnel(port);
    const idle = post(port, `/idle/${id}/0`);
    const sent = await post(port, `/send/${id}/1`, hello);
    expect((await idle).body.length + sent.body.length).toBe(2 + 3073);
  });

  it.each([
    ['old', [5, 3]],
    ['far ahead', [0, 100]],
    ['doubled ahead of its turn', [0, 3, 3]],
  ])('ends for a number that is %s', async (_, numbers) => {
    const { port, listener, doors } = await openDoors();
    const id = await openTunnel(port);
    const answers = await Promise.all(numbers.map((number) => post(port, `/send/${id}/${number}`, hello)));
    expect(answers.at(-1)!.status).toBe(404);
    await vi.waitFor(() => expect(doors.tunnels.size).toBe(0));
    await vi.waitFor(() => expect(listener.connections.size).toBe(0));
    expect((await post(port, `/idle/${id}/1`)).status).toBe(404);
  });

  it('ends when the client says so, or knows no such tunnel', async () => {
    const { port, doors } = await openDoors();
    const id = await openTunnel(port);
    await post(port, `/send/${id}/0`, hello);
    await post(port, `/close/${id}/1`);
    await vi.waitFor(() => expect(doors.tunnels.size).toBe(0));
    expect((await post(port, `/idle/${id}/2`)).status).toBe(404);
    expect((await post(port, '/idle/unknown/0')).status).toBe(404);
    expect((await post(port, '/fcs/ident2')).status).toBe(404);
  });

  it('counts as a connection, and is timed like one', async () => {
    const { port, doors } = await openDoors({ maxConnections: 3, phaseTimeoutMs: 400 });
    const ids = [await openTunnel(port), await openTunnel(port)];
    expect(ids.every((id) => id.length > 20)).toBe(true);
    expect((await post(port, '/open/1')).status).toBe(503);
    await vi.waitFor(() => expect(doors.tunnels.size).toBe(0), 4000);
  });

  it('survives any bytes in it', async () => {
    const { port, doors } = await openDoors();
    for (const first of [0, 3, 6, 0x16, 0x50]) {
      const id = await openTunnel(port);
      const body = Buffer.alloc(4000, first);
      await post(port, `/send/${id}/0`, body);
      await post(port, `/send/${id}/1`, body);
      await post(port, `/close/${id}/2`);
    }
    await vi.waitFor(() => expect(doors.tunnels.size).toBe(0));
  });
});
