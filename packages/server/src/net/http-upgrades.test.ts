import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Config, loadConfig } from '../config/index.ts';
import { createLog } from '../observe/index.ts';
import {
  createClientReader,
  createHttpServer,
  createProxyTrust,
  HttpProblem,
  type HttpServer,
  type UpgradeRequest,
} from './index.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close(100);
});
const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });

async function open(settings: Partial<Config['http']> = {}) {
  const base = loadConfig({});
  const config: Config = { ...base, host: '127.0.0.1', http: { ...base.http, port: 0, ...settings } };
  const server = createHttpServer({ config: () => config, logger, pagesFolder: `${tmpdir()}/none` });
  servers.push(server);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1000 });
  const seen: UpgradeRequest[] = [];
  const greet = (upgrade: UpgradeRequest): void => {
    seen.push(upgrade);
    sockets.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, (socket) => socket.send('hello'));
  };
  server.upgrades.add({ pattern: /\/(?<app>[\w-]+)\/(?<name>[\w-]+)\.flv/, origins: 'any', handle: greet });
  server.upgrades.add({ pattern: /\/signal/, origins: 'own', handle: greet });
  server.upgrades.add({ pattern: /\/hang/, origins: 'any', handle: () => new Promise(() => {}) });
  server.upgrades.add({
    pattern: /\/full/,
    origins: 'any',
    handle: () => {
      throw new HttpProblem('OVERLOADED', { headers: { 'retry-after': '5' } });
    },
  });
  server.upgrades.add({
    pattern: /\/broken/,
    origins: 'any',
    handle: async () => {
      throw new Error('secret');
    },
  });
  server.fastify.get('/plain', async () => ({ plain: true }));
  return { server, port: await server.listen(), seen };
}

function greeting(port: number, path: string, origin?: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, origin === undefined ? {} : { origin });
    socket.on('message', (data) => {
      resolve(String(data));
      socket.terminate();
    });
    socket.on('unexpected-response', (_request, response) => resolve(String(response.statusCode)));
    socket.on('error', (error) => resolve(error.message));
  });
}

function raw(port: number, lines: readonly string[], keep?: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
      keep?.(socket);
    });
    socket.on('data', (part) => {
      text += part.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

const handshake = [
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];

describe('WebSocket requests', () => {
  it('reach the handler of their path', async () => {
    const { port, seen } = await open();
    expect(await greeting(port, '/live/test.flv?after=5', 'https://other.example')).toBe('hello');
    expect(seen[0]).toMatchObject({ path: '/live/test.flv', params: { app: 'live', name: 'test' } });
    expect(seen[0]!.query.get('after')).toBe('5');
    expect(seen[0]!.client).toMatchObject({ address: '127.0.0.1', local: true });
    expect(await greeting(port, '/live/test.flv/more')).toBe('404');
    expect(await greeting(port, '/live/%2e%2e.flv')).toBe('404');
    expect(await greeting(port, `/${'x'.repeat(5000)}`)).toBe('404');
  });

  it('that can act are for pages of this server only', async () => {
    const { port } = await open({ allowedOrigins: ['https://studio.example'] });
    expect(await greeting(port, '/signal')).toBe('hello');
    expect(await greeting(port, '/signal', `http://127.0.0.1:${port}`)).toBe('hello');
    expect(await greeting(port, '/signal', 'https://studio.example')).toBe('hello');
    expect(await greeting(port, '/signal', 'https://evil.example')).toBe('403');
    expect(await greeting(port, '/signal', 'null')).toBe('403');
    const rebound = ['GET /signal HTTP/1.1', ...handshake.with(0, 'Host: evil.example')];
    expect(await raw(port, rebound)).toMatch(/^HTTP\/1\.1 421 [\s\S]*HOST_REFUSED/);
  });

  it('are refused with a problem document', async () => {
    const { port } = await open();
    expect(await raw(port, ['GET /full HTTP/1.1', ...handshake])).toMatch(
      /^HTTP\/1\.1 503 [\s\S]*retry-after: 5[\s\S]*OVERLOADED/,
    );
    const broken = await raw(port, ['GET /broken HTTP/1.1', ...handshake]);
    expect(broken).toMatch(/^HTTP\/1\.1 500 [\s\S]*INTERNAL/);
    expect(broken).not.toContain('secret');
    const old = ['GET /signal HTTP/1.1', ...handshake.with(3, 'Sec-WebSocket-Version: 8')];
    expect(await raw(port, old)).toMatch(/^HTTP\/1\.1 426 [\s\S]*sec-websocket-version: 13/);
    const keyless = ['GET /signal HTTP/1.1', ...handshake.with(4, 'Sec-WebSocket-Key: short')];
    expect(await raw(port, keyless)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw(port, ['POST /signal HTTP/1.1', ...handshake])).toMatch(/^HTTP\/1\.1 405 /);
  });

  it('have a deadline', async () => {
    const { port } = await open({ upgradeTimeoutMs: 200 });
    const began = performance.now();
    expect(await raw(port, ['GET /hang HTTP/1.1', ...handshake])).toBe('');
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('survive a peer that goes in mid-handshake', async () => {
    const { port } = await open();
    for (let i = 0; i < 20; i++) {
      await raw(port, ['GET /hang HTTP/1.1', ...handshake], (socket) => socket.resetAndDestroy());
    }
    expect(await greeting(port, '/signal')).toBe('hello');
  });
});

it('an upgrade to another protocol is ignored', async () => {
  const { port } = await open();
  const lines = [
    'GET /plain HTTP/1.1',
    'Host: a',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AA',
  ];
  expect(await raw(port, lines)).toMatch(/^HTTP\/1\.1 200 [\s\S]*"plain":true/);
});

describe('who is at the other end', () => {
  const from = (remoteAddress: string, headers: Record<string, string> = {}) =>
    ({ headers, socket: { remoteAddress } }) as never;

  it('is the peer unless a proxy is trusted', () => {
    const read = createClientReader(createProxyTrust([]));
    expect(read(from('::ffff:127.0.0.1'))).toMatchObject({
      address: '127.0.0.1',
      local: true,
      forwarded: false,
    });
    expect(read(from('127.0.0.1', { 'x-forwarded-for': '9.9.9.9' }))).toMatchObject({
      local: false,
      forwarded: true,
    });
    expect(read(from('10.0.0.1', { 'x-forwarded-for': '127.0.0.1' }))).toMatchObject({
      address: '10.0.0.1',
      local: false,
    });
  });

  it('is read again when the same connection sends other headers', () => {
    const read = createClientReader(createProxyTrust(['10.0.0.0/8']));
    const socket = { remoteAddress: '10.0.0.1' };
    const ask = (headers: Record<string, string>) => read({ headers, socket } as never);
    const headers = { 'x-forwarded-for': '9.9.9.9' };
    const first = ask(headers);
    expect(ask(headers)).toBe(first);
    expect(ask({ 'x-forwarded-for': '8.8.8.8' }).address).toBe('8.8.8.8');
    expect(ask(headers)).toEqual(first);
  });

  it('is whom the nearest trusted proxies saw', () => {
    const read = createClientReader(createProxyTrust(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']));
    const through = (chain: string, peer = '127.0.0.1') => read(from(peer, { 'x-forwarded-for': chain }));
    expect(through('127.0.0.1, 9.9.9.9, 10.1.1.1')).toMatchObject({ address: '9.9.9.9', local: false });
    expect(through('9.9.9.9', 'fd00::1').address).toBe('9.9.9.9');
    expect(through('nonsense').address).toBe('127.0.0.1');
    expect(through(`${'1.1.1.1,'.repeat(10_000)}10.1.1.1`).address).toBe('1.1.1.1');
    expect(
      read(from('127.0.0.1', { 'x-forwarded-for': '9.9.9.9', 'x-forwarded-proto': 'https' })).secure,
    ).toBe(true);
  });
});

it('pending handshakes are let go when the server closes', async () => {
  const { port, server } = await open();
  const pending = raw(port, ['GET /hang HTTP/1.1', ...handshake]);
  await vi.waitFor(async () => {
    const count = await new Promise<number>((resolve) =>
      server.fastify.server.getConnections((_error, open) => resolve(open)),
    );
    expect(count).toBe(1);
  });
  await server.close(50);
  expect(await pending).toBe('');
});
