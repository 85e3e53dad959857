import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../../../../test/kit/until.ts';
import { loadConfig } from '../config/index.ts';
import { createLog } from '../observe/index.ts';
import {
  createClientReader,
  createProxyTrust,
  type MessageHandler,
  serveMessages,
  UpgradeRouter,
} from './index.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const { logger } = createLog({ level: 'error', format: 'json', write: () => undefined });

/** A bare HTTP server with a handler at `/talk`. */
async function serving(handler: MessageHandler, ports?: ReadonlySet<number>) {
  const faults: unknown[] = [];
  const server = createServer((_request, response) => response.end('beside it'));
  const upgrades = new UpgradeRouter({
    config: () => loadConfig({}).http,
    client: createClientReader(createProxyTrust([])),
    logger,
  });
  upgrades.watch(server);
  const route = {
    pattern: /^\/talk$/,
    origins: 'any',
    onFault: (error: unknown) => faults.push(error),
  } as const;
  serveMessages({ upgrades }, ports === undefined ? route : { ...route, ports }, handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  return { port, faults };
}

/** A client that keeps what comes. */
function dial(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/talk`);
  const got: (string | Buffer)[] = [];
  const state: { code?: number } = {};
  socket.on('message', (data, binary) => got.push(binary ? (data as Buffer) : String(data)));
  socket.on('close', (code) => {
    state.code = code;
  });
  socket.on('error', () => undefined);
  return { socket, got, state, opened: new Promise((resolve) => socket.once('open', resolve)) };
}

describe('a handler per connection', () => {
  it('receives and sends text and bytes in order, beside HTTP', async () => {
    const { port } = await serving(async (connection) => {
      for (;;) {
        const message = await connection.receive();
        await connection.send(typeof message === 'string' ? `<${message}>` : message);
      }
    });
    const { socket, got, opened, state } = dial(port);
    await opened;
    for (let i = 0; i < 100; i++) socket.send(`${i}`);
    socket.send(Buffer.from([1, 2, 3]));
    await until(() => got.length === 101);
    expect(got.slice(0, 3)).toEqual(['<0>', '<1>', '<2>']);
    expect(got[100]).toEqual(Buffer.from([1, 2, 3]));
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('beside it');
    socket.close();
    await until(() => state.code === 1005);
  });

  it('ends the connection when it returns, and with 1011 when it throws', async () => {
    const { port, faults } = await serving(async (connection) => {
      const message = await connection.receive();
      if (message === 'throw') throw new Error('no');
      await connection.send('bye');
    });
    const good = dial(port);
    const bad = dial(port);
    await Promise.all([good.opened, bad.opened]);
    good.socket.send('x');
    bad.socket.send('throw');
    await until(() => good.state.code !== undefined && bad.state.code !== undefined);
    expect([good.got, good.state.code, bad.state.code]).toEqual([['bye'], 1000, 1011]);
    expect(faults).toMatchObject([{ message: 'no' }]);
  });

  it('is told when the peer goes, whether it waits or sends', async () => {
    const ends: string[] = [];
    const { port } = await serving(async (connection) => {
      try {
        await connection.receive();
      } catch (error) {
        ends.push((error as Error).name);
      }
      await connection.send('late').catch((error: Error) => ends.push(error.name));
      throw new Error('after the end');
    });
    const { socket, opened } = dial(port);
    await opened;
    socket.terminate();
    await until(() => ends.length === 2);
    expect(ends).toEqual(['ConnectionClosed', 'ConnectionClosed']);
  });

  it('does not take in more than it can hold of what the handler leaves waiting', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { port } = await serving(async (connection) => {
      await held;
      for (;;) await connection.send(String((await connection.receive()).length));
    });
    const { socket, got, opened } = dial(port);
    await opened;
    const piece = Buffer.alloc(512 * 1024);
    for (let i = 0; i < 60; i++) socket.send(piece);
    await until(() => socket.bufferedAmount > 0);
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    // What the server does not read stays with the client.
    expect(socket.bufferedAmount).toBeGreaterThan(10 * piece.length);
    release();
    await until(() => got.length === 60, { timeoutMs: 10_000 });
  });

  it('closes a connection that sends too much at once, and answers at its ports only', async () => {
    const { port } = await serving(async (connection) => void (await connection.receive()));
    const { socket, opened, state } = dial(port);
    await opened;
    socket.send(Buffer.alloc(2 * 1024 * 1024));
    await until(() => state.code === 1009);
    const elsewhere = await serving(async () => undefined, new Set([1]));
    const refused = dial(elsewhere.port);
    await until(() => refused.state.code === 1006);
  });
});
