import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { amfProperties, encodeAmf0, encodeAmf3, readRemoting, writeRemoting } from '@onair/media/amf';
import { type CommandMessage, MessageType } from '@onair/media/rtmp';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { socketEvents } from '../kit/event-receivers.ts';
import { openRaw, Scope, until } from '../kit/index.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

const ODD = `export default defineApp({
  methods: {
    throws() { throw new Error('on purpose'); },
    hangs() { for (;;); },
    never() { return new Promise(() => {}); },
    cycle() { const a = {}; a.a = a; return a; },
    sum(_client, ...values) { return values.reduce((a, b) => a + b, 0); },
    async back(client, question) { return { answer: await client.call('ask', question) }; },
    tell(_client, text) { onair.broadcast('told', text); },
    exits() { process.exit(3); },
  },
  onConnect(client) { return client.address !== 'x'; },
  onPublish(_client, { stream }) { if (stream === 'secret') throw new Error('not this one'); },
});`;

async function serve(): Promise<{ readonly server: TestServer; readonly folder: string }> {
  const folder = scope.tempDir('onair-apps');
  copyFileSync('examples/apps/live.js', join(folder, 'live.js'));
  writeFileSync(join(folder, 'odd.mjs'), ODD);
  const server = await startTestServer(scope, { 'apps.folder': folder, 'apps.callMs': '400', demo: 'true' });
  return { server, folder };
}

const json = async (server: TestServer, app: string, method: string, ...args: unknown[]) => {
  const answer = await fetch(`${server.http}/rpc/${app}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ method, args }),
  });
  const body = (await answer.json()) as { result?: unknown; code?: string; detail?: string };
  return answer.ok ? body.result : `${answer.status} ${body.code}`;
};

async function rtmp(server: TestServer, app: string) {
  const raw = openRaw(scope, server.ports.rtmp!);
  await raw.shakeHands();
  await raw.connectApp(app);
  return raw;
}

class Socket {
  readonly heard: Record<string, unknown>[] = [];
  readonly ws: WebSocket;

  constructor(url: string) {
    this.ws = new WebSocket(url);
    this.ws.on('error', () => undefined);
    this.ws.on('message', (text) => this.heard.push(JSON.parse(String(text))));
    scope.defer(() => this.ws.terminate());
  }

  async say(message: object): Promise<void> {
    if (this.ws.readyState !== WebSocket.OPEN) await new Promise((resolve) => this.ws.once('open', resolve));
    this.ws.send(JSON.stringify(message));
  }

  async hear(count: number): Promise<Record<string, unknown>[]> {
    await until(() => this.heard.length >= count, { message: () => JSON.stringify(this.heard) });
    return this.heard;
  }
}

const logged = (server: TestServer): string[] =>
  server.log
    .filter(({ msg }) => String(msg).startsWith('doSomething is called'))
    .map(({ msg }) => String(msg));

describe('doSomething', () => {
  it('is called by RTMP in AMF0 and AMF3, HTTP remoting, HTTP JSON and WebSocket, and logs it', async () => {
    const { server } = await serve();
    const client = await rtmp(server, 'live');
    client.command('doSomething', 5, [null, 'a', 1]);
    expect((await client.answer(5)).values[1]).toMatchObject({ done: true, args: ['a', 1] });
    const head = encodeAmf0(['doSomething', 6, null]);
    const value = encodeAmf3([{ deep: [true] }]);
    client.message(3, MessageType.commandAmf3, 0, 0, Uint8Array.from([0, ...head, 0x11, ...value]));
    expect((await client.answer(6)).values[1]).toMatchObject({ args: [{ deep: [true] }] });
    // No answer is wanted.
    client.command('doSomething', 0, [null, 'quiet']);
    client.command('nothing', 7, [null]);
    const fault = await client.answer(7);
    expect([fault.name, amfProperties(fault.values[1])]).toMatchObject([
      '_error',
      { level: 'error', code: 'NetConnection.Call.Failed', description: 'Method not found (nothing).' },
    ]);

    expect(await json(server, 'live', 'doSomething', 'j')).toEqual({ done: true, args: ['j'] });
    expect(await json(server, 'live', 'nothing')).toBe('404 METHOD_NOT_FOUND');
    expect(await json(server, 'none', 'doSomething')).toBe('404 METHOD_NOT_FOUND');

    const packet = await fetch(`${server.http}/rpc/live`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amf' },
      body: Buffer.from(
        writeRemoting([
          { target: 'doSomething', response: '/1', value: ['r'] },
          { target: 'nothing', response: '/2', value: [] },
        ]),
      ),
    });
    expect(packet.headers.get('content-type')).toBe('application/x-amf');
    expect(readRemoting(new Uint8Array(await packet.arrayBuffer()))).toMatchObject([
      { target: '/1/onResult', value: { done: true, args: ['r'] } },
      { target: '/2/onStatus', value: { code: 'NetConnection.Call.Failed' } },
    ]);

    const socket = new Socket(`${server.ws}/rpc/live`);
    await socket.say({ call: 'doSomething', args: ['w'], id: 1 });
    expect(await socket.hear(1)).toEqual([{ id: 1, result: { done: true, args: ['w'] } }]);
    expect(logged(server)).toEqual([
      'doSomething is called rtmp ["a",1]',
      'doSomething is called rtmp [{"deep":[true]}]',
      'doSomething is called rtmp ["quiet"]',
      'doSomething is called http ["j"]',
      'doSomething is called http ["r"]',
      'doSomething is called websocket ["w"]',
    ]);
    expect(
      client.commands.filter(({ transactionId, name }) => transactionId === 0 && name === '_result'),
    ).toEqual([]);

    // A method presses the cue.
    await until(() =>
      server.registry.list().some(({ name, state }) => name === 'live/demo' && state === 'live'),
    );
    const viewer = socketEvents(scope, `${server.ws}/live/demo.fmp4`);
    await socket.say({ call: 'cmIn', args: ['demo', 7] });
    await until(() => viewer.events.size === 1);
    expect([...viewer.events.values()][0]).toMatchObject({ name: 'cm-in', data: { spot: 7 } });
  });

  it('is replaced while the server runs, and by nothing that cannot be loaded', async () => {
    const { server, folder } = await serve();
    const file = join(folder, 'live.js');
    writeFileSync(file, 'export default defineApp({ methods: { doSomething: () => "new" } });');
    await until(async () => (await json(server, 'live', 'doSomething')) === 'new', { timeoutMs: 15_000 });
    writeFileSync(file, 'export default {');
    await until(() => server.log.some(({ msg }) => msg === 'application script not loaded'), {
      timeoutMs: 15_000,
    });
    expect(await json(server, 'live', 'doSomething')).toBe('new');
  });
});

describe('methods', () => {
  it('call their clients back, and all of them', async () => {
    const { server } = await serve();
    const client = await rtmp(server, 'odd');
    const socket = new Socket(`${server.ws}/rpc/odd`);
    const called = (name: string): Promise<CommandMessage> =>
      until(() => client.commands.find((command) => command.name === name), { message: name });
    client.command('back', 9, [null, 'why']);
    const question = await called('ask');
    expect(question.values).toEqual([null, 'why']);
    client.command('_result', question.transactionId, [null, 'because']);
    expect((await client.answer(9)).values[1]).toMatchObject({ answer: 'because' });
    await socket.say({ call: 'back', args: [1], id: 'x' });
    const [ask] = await socket.hear(1);
    expect(ask).toMatchObject({ call: 'ask', args: [1] });
    await socket.say({ id: ask!.id, error: { detail: 'no idea' } });
    expect((await socket.hear(2))[1]).toEqual({
      id: 'x',
      error: { code: 'METHOD_FAILED', detail: 'no idea' },
    });
    expect(await json(server, 'odd', 'tell', 'everybody')).toBeNull();
    expect((await called('told')).values).toEqual([null, 'everybody']);
    expect((await socket.hear(3))[2]).toEqual({ call: 'told', args: ['everybody'] });
  });

  it('that throw, hang, never answer, return cycles or exit harm nobody', async () => {
    const { server } = await serve();
    expect(await json(server, 'odd', 'throws')).toBe('500 METHOD_FAILED');
    expect(await json(server, 'odd', 'cycle')).toBe('500 METHOD_FAILED');
    expect(await json(server, 'odd', 'never')).toBe('504 METHOD_TIMEOUT');
    expect(await json(server, 'odd', 'sum', 1, 2)).toBe(3);
    const before = performance.now();
    const [hung, other] = await Promise.all([
      json(server, 'odd', 'hangs'),
      json(server, 'live', 'doSomething'),
    ]);
    expect([hung, other]).toEqual(['504 METHOD_TIMEOUT', { done: true, args: [] }]);
    // The thread was ended and another one is there.
    await until(async () => (await json(server, 'odd', 'sum', 2, 3)) === 5, { timeoutMs: 20_000 });
    console.log(`a hanging script was back after ${(performance.now() - before).toFixed(0)} ms`);
    expect(await json(server, 'odd', 'exits')).toBe('500 METHOD_FAILED');
    await until(async () => (await json(server, 'odd', 'sum', 3, 4)) === 7, { timeoutMs: 20_000 });
    expect((await fetch(`${server.http}/healthz`)).status).toBe(200);
  });

  it('decide who may publish', async () => {
    const { server } = await serve();
    const client = openRaw(scope, server.ports.rtmp!);
    await client.shakeHands();
    await client.connectApp('odd');
    client.command('createStream', 2, [null]);
    const streamId = Number((await client.answer(2)).values[1]);
    client.command('publish', 3, [null, 'secret', 'live'], streamId);
    await client.status('NetStream.Publish.Denied');
    const other = openRaw(scope, server.ports.rtmp!);
    expect(await other.publish('open', 'odd')).toBeGreaterThan(0);
  });
});
