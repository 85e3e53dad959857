import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Config, loadConfig } from '../config/index.ts';
import { createLog } from '../observe/index.ts';
import {
  answerPrepared,
  createHttpServer,
  type Exchange,
  goneAtEnd,
  HttpProblem,
  PreparedAnswer,
} from './index.ts';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });
const BODY = new PreparedAnswer(Buffer.from('prepared'), '"tag"', [], ['content-type', 'video/mp4']);
const LARGE = new PreparedAnswer(Buffer.alloc(16_000_000, 'x'), '"large"', [], []);

const PATIENT = { timeout: 4000, interval: 5 };

/** A listener whose `/held…` waits until it is let go, and which knows who was asked. */
async function open(settings: Partial<Config['http']> = {}) {
  const base = loadConfig({});
  const config: Config = { ...base, host: '127.0.0.1', http: { ...base.http, port: 0, ...settings } };
  const server = createHttpServer({ config: () => config, logger, pagesFolder: '/nowhere' });
  ending.push(() => server.close(100));
  const held: Exchange[] = [];
  const gone: string[] = [];
  const kinds: string[] = [];
  server.intercept((exchange) => {
    const { url } = exchange;
    if (url.startsWith('/problem')) throw new HttpProblem('GONE');
    if (!/^\/(held|direct|large)/.test(url)) return false;
    kinds.push(exchange.constructor.name);
    if (url.startsWith('/held')) {
      held.push(exchange);
      exchange.onClose(() => gone.push(url));
    } else answerPrepared(exchange, url.startsWith('/large') ? LARGE : BODY);
    return true;
  });
  server.fastify.get('/framework', async (request) => ({ url: request.url }));
  server.fastify.get('/slow', () => new Promise((resolve) => setTimeout(resolve, 20, 'slow')));
  server.fastify.get('/endless', (request, reply) => {
    reply.hijack();
    goneAtEnd(request.raw, reply.raw);
    reply.raw.once('close', () => gone.push(request.url));
  });
  server.fastify.get('/dear', async (request, reply) => {
    goneAtEnd(request.raw, reply.raw);
    return { listeners: request.socket.listenerCount('end') };
  });
  server.fastify.post('/framework', async (request) => ({ body: request.body }));
  const port = await server.listen();
  const dial = () => new Client(port);
  return { server, held, gone, kinds, dial };
}

class Client {
  heard = '';
  closed = false;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (bytes) => {
      this.heard += bytes.toString('latin1');
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
    });
    ending.push(() => this.socket.destroy());
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  ask(path: string, ...headers: readonly string[]): void {
    this.send([`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '\r\n'].join('\r\n'));
  }

  get statuses(): number[] {
    return [...this.heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => Number(match[1]));
  }

  answers(count: number): Promise<void> {
    return vi.waitFor(() => expect(this.statuses.length).toBe(count), { timeout: 3000, interval: 5 });
  }

  gone(): Promise<void> {
    return vi.waitFor(() => expect(this.closed).toBe(true), PATIENT);
  }
}

describe('plain requests', () => {
  it('are answered one after the other, with finished bytes', async () => {
    const { dial, kinds } = await open();
    const client = dial();
    for (let n = 1; n <= 4; n++) {
      client.ask('/direct');
      await client.answers(n);
    }
    expect(kinds).toEqual(Array(4).fill('QuickExchange'));
    const answers = client.heard.split('HTTP/1.1 200 OK\r\n').slice(1);
    for (const answer of answers) {
      expect(answer).toMatch(/^x-content-type-options: nosniff\r\n/);
      expect(answer).toMatch(
        /\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\nconnection: keep-alive\r\n/,
      );
      expect(answer).toMatch(/\r\ncontent-length: 8\r\n[\s\S]*\r\n\r\nprepared$/);
    }
    client.ask('/direct', 'If-None-Match: "tag"');
    await client.answers(5);
    client.ask('/problem');
    await client.answers(6);
    expect(client.statuses.slice(4)).toEqual([304, 410]);
    expect(client.heard).toContain('"code":"GONE"');
    client.ask('/direct', 'Connection: close');
    await client.gone();
    expect(client.heard).toMatch(/connection: close\r\n\r\nprepared$/);
  });

  it('that nobody knows go to the framework, with the connection', async () => {
    const { dial, kinds } = await open();
    const client = dial();
    client.ask('/direct');
    await client.answers(1);
    client.ask('/framework');
    await client.answers(2);
    expect(client.heard).toMatch(/\{"url":"\/framework"\}$/);
    client.ask('/direct');
    await client.answers(3);
    expect(client.statuses).toEqual([200, 200, 200]);
    expect(kinds).toEqual(['QuickExchange', 'NodeExchange']);
  });

  it.each([
    [
      'two at once',
      'GET /direct HTTP/1.1\r\nHost: a\r\n\r\nGET /framework HTTP/1.1\r\nHost: a\r\n\r\n',
      [200, 200],
    ],
    [
      'a body and a request behind it',
      'POST /framework HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}GET /direct HTTP/1.1\r\nHost: a\r\n\r\n',
      [200, 200],
    ],
    [
      'a GET with a body that looks like a request',
      'GET /direct HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\nGET /problem HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /direct HTTP/1.1\r\nHost: a\r\n\r\n',
      [200, 200],
    ],
    [
      'a length and chunks',
      'GET /direct HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      [400],
    ],
    [
      'bare line feeds',
      'GET /direct HTTP/1.1\nHost: a\nX: y\n\nGET /direct HTTP/1.1\r\nHost: a\r\n\r\n',
      [400],
    ],
    ['no host', 'GET /direct HTTP/1.1\r\n\r\n', [400]],
  ])('are not mistaken: %s', async (_what, text, statuses) => {
    const { dial } = await open();
    const client = dial();
    client.send(text);
    if (statuses.includes(400)) await client.gone();
    else await client.answers(statuses.length);
    expect(client.statuses).toEqual(statuses);
    // The same behind a plain request, on a connection that was read here.
    const second = dial();
    second.ask('/direct');
    await second.answers(1);
    second.send(text);
    await second.answers(1 + statuses.length);
    expect(second.statuses).toEqual([200, ...statuses]);
  });

  it('may come in any cut', async () => {
    const { dial } = await open();
    const text = 'GET /direct HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n';
    const clients = Array.from({ length: text.length }, dial);
    await Promise.all(
      clients.map(async (client, cut) => {
        client.send(text.slice(0, cut));
        await new Promise((resolve) => setTimeout(resolve, 5));
        client.send(text.slice(cut));
        await client.answers(1);
        expect(client.heard).toMatch(/prepared$/);
      }),
    );
  });

  it('that come while another waits are answered in turn', async () => {
    const { dial, held } = await open();
    const client = dial();
    client.ask('/held');
    await vi.waitFor(() => expect(held).toHaveLength(1));
    client.ask('/direct');
    client.ask('/framework');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(client.heard).toBe('');
    held[0]!.send(204, ['x-first', '1']);
    // Nobody answers twice.
    held[0]!.send(500, ['x-second', '1']);
    held[0]!.sendPrepared(BODY);
    await client.answers(3);
    expect(client.statuses).toEqual([204, 200, 200]);
    expect(client.heard).not.toContain('x-second');
    expect(client.heard).toMatch(/"\/framework"\}$/);
  });
});

describe('connections that Node takes over', () => {
  /** A connection that asked for what is answered in front of Node's parser, and whose next request is `text`. */
  async function after(text: string) {
    const opened = await open({ maxBodyBytes: 1_000_000 });
    const client = opened.dial();
    for (const count of [1, 2]) {
      client.ask('/direct');
      await client.answers(count);
    }
    client.send(text);
    const left = () =>
      new Promise((resolve) =>
        opened.server.fastify.server.getConnections((_error, count) => resolve(count)),
      );
    return { ...opened, client, left };
  }

  it('bring bodies of any length, whole', async () => {
    const words = 'word '.repeat(100_000);
    const body = JSON.stringify({ words });
    const head = `POST /framework HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const { client } = await after(head + body);
    await client.answers(3);
    await vi.waitFor(() => expect(client.heard).toContain(JSON.stringify({ body: { words } })), PATIENT);
    client.ask('/direct');
    await client.answers(4);
  });

  it('are forgotten when the client goes', async () => {
    for (const go of [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()]) {
      const { client, left } = await after('GET /framework HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      await client.answers(3);
      expect(await left()).toBe(1);
      go(client.socket);
      await vi.waitFor(async () => expect(await left()).toBe(0), PATIENT);
    }
  });

  it('become another protocol', async () => {
    const opened = await open();
    const heard: string[] = [];
    opened.server.upgrades.add({
      pattern: /\/echo/,
      origins: 'any',
      handle: ({ socket }) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        socket.on('data', (bytes: Buffer) => heard.push(bytes.toString('latin1')));
        socket.on('end', () => socket.end('bye'));
      },
    });
    const client = opened.dial();
    client.ask('/direct');
    await client.answers(1);
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    client.ask('/echo', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', key);
    await client.answers(2);
    client.send('a'.repeat(200_000));
    client.send('b');
    await vi.waitFor(() => expect(heard.join('')).toMatch(/^a{200000}b$/), PATIENT);
    client.socket.end();
    await client.gone();
    expect(client.heard).toMatch(/bye$/);
  });
});

describe('connections', () => {
  it('of who goes away while waiting are forgotten, and a late answer goes nowhere', async () => {
    const { dial, held, gone } = await open();
    const client = dial();
    client.ask('/held');
    await vi.waitFor(() => expect(held).toHaveLength(1));
    client.socket.resetAndDestroy();
    await vi.waitFor(() => expect(gone).toEqual(['/held']));
    held[0]!.sendPrepared(BODY);
    await client.gone();
  });

  it('of who sends no more end with the answers', async () => {
    const { dial, held } = await open();
    const client = dial();
    client.ask('/held');
    await vi.waitFor(() => expect(held).toHaveLength(1));
    client.ask('/held');
    client.ask('/framework');
    client.socket.end();
    for (const count of [1, 2]) {
      await vi.waitFor(() => expect(held).toHaveLength(count));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(client.closed).toBe(false);
      held[count - 1]!.sendPrepared(BODY);
    }
    await client.gone();
    expect(client.statuses).toEqual([200, 200, 200]);
    expect(client.heard).toMatch(/"\/framework"\}$/);
  });

  it('half closed are over where the answer is without end, and only there', async () => {
    const { dial, gone } = await open();
    const client = dial();
    for (const count of [1, 2]) {
      client.ask('/dear');
      await client.answers(count);
    }
    expect(new Set(client.heard.match(/"listeners":\d+/g)).size).toBe(1);
    client.ask('/endless');
    client.socket.end();
    await client.gone();
    await vi.waitFor(() => expect(gone).toEqual(['/endless']), PATIENT);
  });

  it.each(['/direct', '/held', '/large', '/framework', '/slow'])('half closed get %s whole', async (path) => {
    const { dial, held } = await open();
    for (const before of ['', '/direct', '/framework']) {
      const client = dial();
      if (before !== '') {
        client.ask(before);
        await client.answers(1);
      }
      client.ask(path, 'Accept: */*');
      client.socket.end();
      if (path === '/held') {
        await vi.waitFor(() => expect(held).toHaveLength(1), PATIENT);
        await new Promise((resolve) => setTimeout(resolve, 20));
        held.pop()!.sendPrepared(BODY);
      }
      await client.gone();
      expect(client.statuses).toEqual(before === '' ? [200] : [200, 200]);
      if (path === '/large') expect(client.heard.length).toBeGreaterThan(LARGE.bytes.length);
    }
  });

  it('are closed when nothing comes, before and after an answer', async () => {
    const { dial, server } = await open({
      headersTimeoutMs: 300,
      requestTimeoutMs: 400,
      keepAliveTimeoutMs: 300,
    });
    const [silent, served] = [dial(), dial()];
    served.ask('/direct');
    await served.answers(1);
    await Promise.all([silent.gone(), served.gone()]);
    expect(silent.statuses).toEqual([408]);
    const left = await new Promise((resolve) =>
      server.fastify.server.getConnections((_error, count) => resolve(count)),
    );
    expect(left).toBe(0);
  });

  it('are closed when an answer is not taken', async () => {
    const { dial } = await open({ idleTimeoutMs: 400 });
    const [stalled, served] = [dial(), dial()];
    stalled.socket.pause();
    stalled.ask('/large');
    served.ask('/large');
    await vi.waitFor(() => expect(served.heard.length).toBeGreaterThan(LARGE.bytes.length), {
      timeout: 4000,
    });
    // Cut, it ends before the end.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    stalled.socket.resume();
    await stalled.gone();
    expect(stalled.heard.length).toBeLessThan(LARGE.bytes.length);
  });

  it('let answers finish when the listener closes, and no longer', async () => {
    const { dial, held, server } = await open();
    const [idle, waiting] = [dial(), dial()];
    idle.ask('/direct');
    waiting.ask('/held');
    await idle.answers(1);
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const closed = server.close(3000);
    await idle.gone();
    expect(waiting.closed).toBe(false);
    held[0]!.sendPrepared(BODY);
    await closed;
    await waiting.gone();
    expect(waiting.heard).toMatch(/connection: close\r\n\r\nprepared$/);
  });
});
