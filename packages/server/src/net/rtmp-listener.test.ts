import { connect, type Socket } from 'node:net';
import { encodeMessage, MessageType } from '@onair/media/rtmp';
import { afterEach, expect, it, vi } from 'vitest';
import { RtmpTestClient } from '../../../../test/kit/rtmp-client.ts';
import { createLog } from '../observe/index.ts';
import type { RtmpHandlers, RtmpInlet, RtmpOutlet, RtmpPeer } from './rtmp-handlers.ts';
import { RtmpListener, type RtmpListenerPolicy } from './rtmp-listener.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const inlet = (over: Partial<RtmpInlet> = {}): RtmpInlet => ({
  media: () => undefined,
  data: () => undefined,
  closed: () => undefined,
  ...over,
});
const outlet = (over: Partial<RtmpOutlet> = {}): RtmpOutlet => ({
  started: () => undefined,
  paused: () => undefined,
  receive: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
  ...over,
});

async function listener(
  handlers: Partial<RtmpHandlers> = {},
  policy: Partial<RtmpListenerPolicy> = {},
  other?: (socket: Socket, head: Buffer) => boolean,
) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level: 'debug', format: 'json', write: (line) => lines.push(JSON.parse(line)) });
  const made = new RtmpListener({
    handlers: { publish: async () => inlet(), play: async () => outlet(), ...handlers },
    logger: log.logger,
    policy: () => ({
      phaseTimeoutMs: 10_000,
      pingMs: 30_000,
      maxConnections: 100,
      maxConnectionsPerAddress: 10,
      ...policy,
    }),
    ...(other === undefined ? {} : { other }),
  });
  const port = await made.listen(0, '127.0.0.1');
  closers.push(() => made.close('test over'));
  return { listener: made, port, lines };
}

/** A plain socket that keeps what it hears. */
function plain(port: number): Socket & { heard: Buffer[]; gone: boolean } {
  const socket = connect(port, '127.0.0.1') as Socket & { heard: Buffer[]; gone: boolean };
  socket.heard = [];
  socket.gone = false;
  socket.on('data', (bytes) => socket.heard.push(bytes));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    socket.gone = true;
  });
  closers.push(() => socket.destroy());
  return socket;
}

function client(
  port: number,
  ...rest: ConstructorParameters<typeof RtmpTestClient> extends [unknown, infer O] ? [O] : never
) {
  const made = new RtmpTestClient(port, rest[0]);
  closers.push(() => made.stop());
  return made;
}

/** C0, C1 and C2 of the simple handshake. */
const handshake = (): Buffer => Buffer.concat([Buffer.of(3), Buffer.alloc(3072)]);
const command = (body: number[]): Uint8Array =>
  encodeMessage(
    { csid: 3, type: MessageType.commandAmf0, timestampMs: 0, body: Uint8Array.from(body) },
    0,
    128,
  );

it('serves a publisher and a player', async () => {
  const heard: string[] = [];
  const {
    port,
    listener: made,
    lines,
  } = await listener({
    publish: async (peer, request) => {
      heard.push(`publish ${request.app}/${request.name}?${request.query} from ${peer.address}`);
      return inlet({
        media: (message) => heard.push(`${message.type} ${message.timestampMs} ${message.body.length}`),
        data: (event) => heard.push(event.name),
        closed: (reason) => heard.push(reason),
      });
    },
    play: async (peer) =>
      outlet({
        started: () => peer.notify(1, 'test', true),
        paused: (paused) => heard.push(`paused ${paused}`),
        receive: (media, on) => heard.push(`${media} ${on}`),
        closed: (reason) => heard.push(`play ${reason}`),
      }),
  });
  const encoder = client(port, { intent: 'publish', name: 'test?key=x' });
  await vi.waitFor(() => expect(encoder.ready).toBe(true));
  encoder.session.sendMedia('video', 40, new Uint8Array(100_000));
  encoder.session.setDataFrame(0, 'onMetaData', {});
  encoder.flush();
  await vi.waitFor(() => expect(heard).toHaveLength(3));
  expect(heard).toEqual(['publish live/test?key=x from 127.0.0.1', 'video 40 100000', 'onMetaData']);
  encoder.stop();
  await vi.waitFor(() => expect(heard.at(-1)).toBe('unpublished'));
  const player = client(port, { intent: 'play' });
  await vi.waitFor(() => expect(player.codes).toContain('NetStream.Play.PublishNotify'));
  expect(player.codes).toEqual(['NetStream.Play.Reset', 'NetStream.Play.PublishNotify']);
  player.session.command('pause', true, 0);
  player.session.command('receiveAudio', false);
  player.session.command('seek', 0);
  player.flush();
  await vi.waitFor(() => expect(player.codes).toContain('NetStream.Seek.Failed'));
  expect(heard.slice(-2)).toEqual(['paused true', 'audio false']);
  player.stop();
  await vi.waitFor(() => expect(made.size).toBe(0));
  expect(heard.at(-1)).toBe('play stopped');
  expect(lines.filter((line) => line.msg === 'rtmp connection closed')).toHaveLength(2);
});

it.each([
  ['HTTP', 'GET / HTTP/1.1\r\n\r\n'],
  ['TLS', '\x16\x03\x01\x02\x00'],
  ['RTMPE', '\x06'],
])('closes %s without a word', async (_, text) => {
  const { port, listener: made } = await listener();
  const socket = plain(port);
  socket.write(text, 'latin1');
  await vi.waitFor(() => expect(socket.gone).toBe(true));
  expect(socket.heard).toEqual([]);
  await vi.waitFor(() => expect(made.size).toBe(0));
});

it('hands other protocols on with what was received', async () => {
  const { port } = await listener({}, {}, (socket, head) => {
    socket.on('data', (bytes) => socket.write(bytes));
    socket.resume();
    return socket.write(head);
  });
  const socket = plain(port);
  socket.write('GET ');
  await vi.waitFor(() => expect(Buffer.concat(socket.heard).toString()).toBe('GET '));
  socket.write('/');
  await vi.waitFor(() => expect(Buffer.concat(socket.heard).toString()).toBe('GET /'));
});

it.each([
  ['silence', async (socket: Socket) => void socket.on('connect', () => undefined)],
  ['half a handshake', async (socket: Socket) => void socket.write(handshake().subarray(0, 700))],
  ['silence after the handshake', async (socket: Socket) => void socket.write(handshake())],
  [
    'one byte late',
    async (socket: Socket) => {
      const timer = setTimeout(() => socket.write(Buffer.of(3)), 100);
      closers.push(() => clearTimeout(timer));
    },
  ],
  [
    'bytes that trickle',
    async (socket: Socket) => {
      const timer = setInterval(() => socket.write(Buffer.of(3)), 20);
      closers.push(() => clearInterval(timer));
    },
  ],
])('closes after the time for a phase: %s', async (_, act) => {
  const { port, listener: made } = await listener({}, { phaseTimeoutMs: 150 });
  const socket = plain(port);
  await act(socket);
  const since = performance.now();
  await vi.waitFor(() => expect(socket.gone).toBe(true), { timeout: 3000 });
  expect(performance.now() - since).toBeLessThan(1500);
  await vi.waitFor(() => expect(made.size).toBe(0));
});

it('times connect and the command after it each for itself', async () => {
  const { port, lines } = await listener(
    { play: () => new Promise(() => undefined) },
    { phaseTimeoutMs: 200 },
  );
  const player = client(port, { intent: 'play' });
  await vi.waitFor(() => expect(player.closed).toBe(true), { timeout: 3000 });
  expect(player.events.map((event) => event.kind)).toContain('connected');
  expect(lines.at(-1)).toMatchObject({ code: 'REQUEST_TIMEOUT', phase: 'idle' });
});

it('tells a refusal in the words of the protocol and closes', async () => {
  const {
    port,
    listener: made,
    lines,
  } = await listener({
    publish: async () => ({ refused: 'NetStream.Publish.BadName', reason: 'no' }),
    play: async () => {
      throw new Error('broken');
    },
  });
  const encoder = client(port, { intent: 'publish' });
  await vi.waitFor(() => expect(encoder.closed).toBe(true));
  expect(encoder.codes).toEqual(['NetStream.Publish.BadName']);
  const player = client(port, { intent: 'play' });
  await vi.waitFor(() => expect(player.closed).toBe(true));
  expect(player.codes).toEqual(['NetStream.Play.Failed']);
  expect(lines.find((line) => line.msg === 'rtmp handler failed')).toMatchObject({
    err: { message: 'broken' },
  });
  await vi.waitFor(() => expect(made.size).toBe(0));
});

it('logs a fault of its own with its origin, and closes that connection only', async () => {
  const {
    port,
    lines,
    listener: made,
  } = await listener({
    publish: async () =>
      inlet({
        media: () => {
          throw new Error('broken');
        },
      }),
  });
  const encoder = client(port, { intent: 'publish' });
  await vi.waitFor(() => expect(encoder.ready).toBe(true));
  encoder.session.sendMedia('audio', 0, Uint8Array.of(1));
  encoder.flush();
  await vi.waitFor(() => expect(encoder.closed).toBe(true));
  expect(lines.at(-1)).toMatchObject({ level: 'error', code: 'INTERNAL', err: { message: 'broken' } });
  await vi.waitFor(() => expect(made.size).toBe(0));
});

it('lets a publisher go that left while it was being judged', async () => {
  let decide: ((inlet: RtmpInlet) => void) | undefined;
  const reasons: string[] = [];
  const { port, listener: made } = await listener({
    publish: () =>
      new Promise((resolve) => {
        decide = resolve;
      }),
  });
  const encoder = client(port, { intent: 'publish' });
  await vi.waitFor(() => expect(decide).toBeDefined());
  encoder.socket.destroy();
  await vi.waitFor(() => expect(made.connections.size).toBe(0));
  decide!(inlet({ closed: (reason) => reasons.push(reason) }));
  await vi.waitFor(() => expect(reasons).toHaveLength(1));
});

it.each([
  [
    'a command before connect',
    command([2, 0, 4, 112, 108, 97, 121, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    'RTMP_STATE',
  ],
  ['a malformed command', command([2, 0, 99]), 'BYTES_OUT_OF_RANGE'],
  [
    'deep nesting',
    command([
      2,
      0,
      1,
      97,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ...Array.from({ length: 40 }, () => [3, 0, 1, 97]).flat(),
    ]),
    'AMF_DEPTH',
  ],
])('closes one connection for %s and no other', async (_, bytes, code) => {
  const { port, lines, listener: made } = await listener();
  const bystander = client(port, { intent: 'play' });
  await vi.waitFor(() => expect(bystander.ready).toBe(true));
  const socket = plain(port);
  socket.write(Buffer.concat([handshake(), bytes]));
  await vi.waitFor(() => expect(socket.gone).toBe(true));
  expect(lines.at(-1)).toMatchObject({ level: 'warn', code });
  expect(made.size).toBe(1);
  expect(bystander.closed).toBe(false);
});

it('closes a peer that floods with pings and does not read', async () => {
  const { port, lines } = await listener();
  const socket = plain(port);
  socket.pause();
  socket.write(handshake());
  const ping = encodeMessage(
    { csid: 2, type: 4, timestampMs: 0, body: Uint8Array.of(0, 6, 0, 0, 0, 0) },
    0,
    128,
  );
  const pings = Buffer.concat(Array.from({ length: 60_000 }, () => ping));
  socket.on('error', () => undefined);
  await vi.waitFor(
    () => {
      if (!socket.writableNeedDrain) socket.write(pings);
      expect(lines.some((line) => line.code === 'RTMP_OUTPUT_LIMIT')).toBe(true);
    },
    { timeout: 50_000, interval: 5 },
  );
}, 60_000);

it('keeps to the caps', async () => {
  const { port, listener: made } = await listener({}, { maxConnections: 2 });
  const sockets = [plain(port), plain(port), plain(port)];
  await vi.waitFor(() => expect(sockets.filter((socket) => socket.gone)).toHaveLength(1));
  expect(made.size).toBe(2);
});

it('pings a silent peer and closes one that does not answer', async () => {
  let peer: RtmpPeer | undefined;
  const { port, listener: made } = await listener({
    play: async (self) => {
      peer = self;
      return outlet();
    },
  });
  const player = client(port, { intent: 'play' });
  await vi.waitFor(() => expect(player.ready).toBe(true));
  const [connection] = made.connections;
  expect(peer).toBe(connection);
  connection!.check(performance.now() + 31_000);
  await vi.waitFor(() => expect(made.connections.size).toBe(1));
  connection!.check(performance.now() + 100_000);
  await vi.waitFor(() => expect(player.closed).toBe(true));
});

it('survives resets in the middle of a message', async () => {
  const { port, listener: made } = await listener();
  for (let i = 0; i < 30; i++) {
    const socket = plain(port);
    socket.write(Buffer.concat([handshake(), command([2, 0, 9, 1])]).subarray(0, 1500 + i * 60), () =>
      socket.resetAndDestroy(),
    );
  }
  await vi.waitFor(() => expect(closers.length).toBe(31));
  await vi.waitFor(() => expect(made.size).toBe(0));
});

it('asks clients that can to connect anew when it closes', async () => {
  const { listener: made, port } = await listener({}, { reconnectTo: 'rtmp://other/live' });
  const able = client(port, { intent: 'play' });
  const old = client(port, { intent: 'play', properties: { capsEx: 0 } });
  await vi.waitFor(() => expect([able.ready, old.ready]).toEqual([true, true]));
  await made.close('stopping');
  await vi.waitFor(() => expect([able.closed, old.closed]).toEqual([true, true]));
  const asked = able.events.find(
    (event) => event.kind === 'status' && event.code === 'NetConnection.Connect.ReconnectRequest',
  );
  expect(asked).toMatchObject({ streamId: 0, info: { tcUrl: 'rtmp://other/live', description: 'stopping' } });
  expect(old.codes).not.toContain('NetConnection.Connect.ReconnectRequest');
});
