import { tmpdir } from 'node:os';
import { PEER_SUBPROTOCOL, type PeerClientMessage, type PeerServerMessage } from '@onair/contracts/peers';
import type { IceSettings } from '@onair/contracts/rooms';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Scope } from '../../../../test/kit/scope.ts';
import { until } from '../../../../test/kit/until.ts';
import { type Config, loadConfig } from '../config/index.ts';
import { createHttpServer } from '../net/index.ts';
import { createLog } from '../observe/index.ts';
import { PeerDirectory } from './peer-directory.ts';
import { registerPeers } from './register-peers.ts';

const ICE: IceSettings = { iceServers: [{ urls: ['stun:stun.example.org'] }], iceTransportPolicy: 'all' };

const scope = new Scope();
let address: string;
let end: () => void;

beforeAll(async () => {
  const base = loadConfig({});
  const config: Config = { ...base, host: '127.0.0.1', http: { ...base.http, port: 0 } };
  const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });
  const http = createHttpServer({ config: () => config, logger, pagesFolder: tmpdir() });
  scope.defer(() => http.close(100));
  end = registerPeers(http, {
    settings: () => ({ messagesPerSecond: 20 }),
    ice: () => ICE,
    same: (given, wanted) => given === wanted,
  });
  address = `ws://127.0.0.1:${await http.listen()}/peers`;
});
afterAll(() => scope.close());

async function connect(headers: Record<string, string> = {}) {
  const ws = new WebSocket(address, PEER_SUBPROTOCOL, { headers });
  scope.defer(() => ws.terminate());
  const heard: PeerServerMessage[] = [];
  let closed = 0;
  ws.on('message', (data) => heard.push(JSON.parse(String(data))));
  ws.on('close', (code) => {
    closed = code;
  });
  await new Promise((resolve, reject) => ws.on('open', resolve).on('error', reject));
  const send = (message: PeerClientMessage | object): void => ws.send(JSON.stringify(message));
  return { ws, heard, send, closed: () => closed };
}

const secretOf = (id: string): string => `secret-of-the-peer-${id}`;
async function claimed(id: string) {
  const peer = await connect();
  peer.send({ type: 'claim', id, secret: secretOf(id) });
  await until(() => peer.heard.length > 0);
  return peer;
}

it('introduces peers to each other, and says who is not there', async () => {
  const [a, b] = [await claimed('a'), await claimed('b')];
  expect(a.heard).toEqual([{ type: 'ready', id: 'a', ...ICE }]);
  a.send({ type: 'offer', to: 'b', call: 'c1', sdp: 'v=0', from: 'forged' });
  a.send({ type: 'hello', to: 'nobody' });
  await until(() => b.heard.length > 1 && a.heard.length > 1);
  expect(b.heard[1]).toEqual({ type: 'offer', call: 'c1', sdp: 'v=0', from: 'a' });
  expect(a.heard[1]).toEqual({ type: 'absent', id: 'nobody' });
});

it('keeps an id for who claimed it', async () => {
  const first = await claimed('mine');
  const thief = await connect();
  thief.send({ type: 'claim', id: 'mine', secret: secretOf('thief') });
  await until(() => thief.closed() !== 0);
  expect([thief.heard[0]?.type, thief.closed()]).toEqual(['error', 4409]);
  const again = await claimed('mine');
  await until(() => first.closed() === 4000);
  const other = await claimed('other');
  other.send({ type: 'hello', to: 'mine' });
  await until(() => again.heard.length > 1);
  expect(again.heard[1]).toEqual({ type: 'hello', from: 'other' });
});

it('ends whoever breaks the rules', async () => {
  const wrong = async (...messages: (object | string)[]): Promise<[unknown, number]> => {
    const peer = await connect();
    for (const message of messages) {
      peer.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
    }
    await until(() => peer.closed() !== 0);
    const error = peer.heard.find(({ type }) => type === 'error');
    return [error?.type === 'error' ? error.code : undefined, peer.closed()];
  };
  const claim = { type: 'claim', id: 'x', secret: secretOf('x') };
  expect(await wrong('no json')).toEqual(['PEER_MESSAGE_INVALID', 4400]);
  expect(await wrong({ type: 'hello', to: 'a' })).toEqual(['PEER_MESSAGE_INVALID', 4400]);
  expect(await wrong(claim, claim)).toEqual(['PEER_MESSAGE_INVALID', 4400]);
  const hellos = Array.from({ length: 70 }, () => ({ type: 'hello', to: 'nobody' }));
  expect(await wrong({ ...claim, id: 'y' }, ...hellos)).toEqual(['TOO_MANY_REQUESTS', 4429]);
  expect(await wrong('x'.repeat(70_000))).toEqual([undefined, 1009]);
  await expect(connect({ origin: 'http://evil.example' })).rejects.toThrow('403');
});

it('forgets peers a minute after they are gone, and takes no more than it has room for', () => {
  const directory = new PeerDirectory(2, (given, wanted) => given === wanted);
  const line = { send: () => {}, replaced: () => {} };
  directory.claim('a', 's', line, 0);
  directory.claim('b', 's', line, 0);
  expect(() => directory.claim('c', 's', line, 0)).toThrow('2 peers');
  directory.leave('a', line, 1000);
  expect(() => directory.claim('a', 'other', line, 60_000)).toThrow('another peer');
  expect(() => directory.claim('c', 's', line, 60_000)).toThrow('2 peers');
  directory.claim('c', 's', line, 61_000);
  expect([directory.size, directory.pass('b', 'a', { type: 'hello' })]).toEqual([2, false]);
});

it('ends with the server', async () => {
  const peer = await claimed('last');
  end();
  await until(() => peer.closed() === 1001);
});
