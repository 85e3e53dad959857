import { tmpdir } from 'node:os';
import { RtmpClientSession } from '@onair/media/rtmp';
import { afterEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { loadConfig } from '../config/index.ts';
import { createLog } from '../observe/index.ts';
import { createClientReader } from './http-client.ts';
import { RtmpDoors } from './rtmp-doors.ts';
import { RtmpListener } from './rtmp-listener.ts';
import { addressOf } from './rtmp-web-socket.ts';

/** Waits as a busy machine needs it. */
const waitFor = (check: () => void): Promise<void> => vi.waitFor(check, 15_000);

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(maxConnections = 100) {
  const log = createLog({ level: 'silent', format: 'json', write: () => undefined });
  const heard: string[] = [];
  const listener: RtmpListener = new RtmpListener({
    handlers: {
      publish: async () => ({ media: () => undefined, data: () => undefined, closed: () => undefined }),
      play: async (peer, { streamId }) => ({
        started: () => peer.sendData(streamId, 0, 'onTest', [`${peer.transport}${'x'.repeat(400_000)}`]),
        paused: () => undefined,
        receive: () => undefined,
        drained: () => undefined,
        closed: (reason) => heard.push(reason),
      }),
    },
    logger: log.logger,
    policy: () => ({ phaseTimeoutMs: 10_000, pingMs: 30_000, maxConnections, maxConnectionsPerAddress: 10 }),
    other: (socket, head, tls) => doors.open(socket, head, tls),
  });
  const { http } = loadConfig({ environment: { ONAIR_DATA: tmpdir() }, flags: [] });
  const doors = new RtmpDoors(
    {
      http: () => ({ ...http, allowedOrigins: ['http://page.example'] }),
      phaseTimeoutMs: 10_000,
      tunnel: true,
      webSocket: true,
      client: createClientReader(() => false),
      logger: log.logger,
      identity: undefined,
      fault: () => undefined,
    },
    listener,
  );
  const port = await listener.listen(0, '127.0.0.1');
  closers.push(async () => {
    const closed = listener.close('test over');
    doors.close();
    await closed;
  });
  return { port, listener, heard };
}

function socketTo(port: number, options: { readonly origin?: string } = {}, path = '/rtmp') {
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
  const seen = { events: [] as string[], end: '' };
  closers.push(() => ws.terminate());
  ws.on('error', (error) => {
    seen.end = error.message;
  });
  ws.on('close', (code) => {
    seen.end ||= String(code);
  });
  return Object.assign(ws, { seen });
}

it('carries RTMP both ways, however its bytes are cut into messages', async () => {
  const { port, listener, heard } = await open();
  const ws = socketTo(port, { origin: 'http://page.example' });
  const session = new RtmpClientSession({
    nowMs: () => performance.now(),
    intent: 'play',
    app: 'live',
    tcUrl: 'rtmp://h/live',
    name: 'test',
  });
  const flush = (): void => {
    const bytes = session.takeOutput() ?? new Uint8Array(0);
    for (let at = 0; at < bytes.length; at += 700) ws.send(bytes.subarray(at, at + 700));
  };
  ws.on('open', () => {
    session.start();
    flush();
  });
  ws.on('message', (data: Buffer) => {
    session.push(data);
    for (let event = session.next(); event !== undefined; event = session.next()) {
      if (event.kind === 'data' && event.name === 'onTest')
        ws.seen.events.push(String(event.values[0]).replace(/x+/, (found) => ` ${found.length}`));
    }
    flush();
  });
  await waitFor(() => expect(ws.seen.events).toEqual(['rtmp+ws 400000']));
  ws.close();
  await waitFor(() => expect(heard).toHaveLength(1));
  await waitFor(() => expect(listener.size).toBe(0));
});

it.each([
  ['a page of elsewhere', { origin: 'http://evil.example' }, '/rtmp', /403/],
  ['another path', {}, '/live/x.fmp4', /socket hang up/],
])('refuses %s', async (_, options, path, end) => {
  const { port, listener } = await open();
  const ws = socketTo(port, options, path);
  await waitFor(() => expect(ws.seen.end).toMatch(end));
  await waitFor(() => expect(listener.size).toBe(0));
});

it.each([
  ['text', (ws: WebSocket) => ws.send('hello')],
  ['what is not RTMP', (ws: WebSocket) => ws.send(Buffer.alloc(9))],
  ['RTMPE', (ws: WebSocket) => ws.send(Buffer.alloc(1537, 6))],
  ['a request', (ws: WebSocket) => ws.send(Buffer.from('POST /open/1 HTTP/1.1\r\n\r\n'))],
  ['too much in one message', (ws: WebSocket) => ws.send(Buffer.alloc(2_000_000, 3))],
])('ends for %s', async (_, act) => {
  const { port, listener } = await open();
  const ws = socketTo(port);
  ws.on('open', () => act(ws));
  await waitFor(() => expect(ws.seen.end).not.toBe(''));
  await waitFor(() => expect(listener.size).toBe(0));
});

it('counts as a connection', async () => {
  const { port } = await open(3);
  const first = socketTo(port); // its TCP connection counts too
  await waitFor(() => expect(first.readyState).toBe(WebSocket.OPEN));
  const second = socketTo(port);
  await waitFor(() => expect(second.seen.end).not.toBe(''));
  expect(first.readyState).toBe(WebSocket.OPEN);
});

it('takes nobody behind an unknown proxy for this machine', () => {
  const client = { address: '127.0.0.1', local: false, secure: false };
  expect(addressOf({ ...client, forwarded: true })).toBe('0.0.0.0');
  expect(addressOf({ ...client, forwarded: false })).toBe('127.0.0.1');
});

it('lets pages that may tunnel know it, and no others', async () => {
  const { port } = await open();
  const ask = (method: string, origin: string) =>
    fetch(`http://127.0.0.1:${port}/open/1`, { method, headers: { origin } });
  const preflight = await ask('OPTIONS', 'http://page.example');
  expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
    204,
    'Content-Type',
  ]);
  const opened = await ask('POST', 'http://page.example');
  expect([opened.status, opened.headers.get('access-control-allow-origin')]).toEqual([
    200,
    'http://page.example',
  ]);
  for (const method of ['OPTIONS', 'POST']) {
    const refused = await ask(method, 'http://evil.example');
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  }
});
