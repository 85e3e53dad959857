import { createHmac, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { AmfEcmaArray } from '../amf/index.ts';
import {
  type HandshakeCrypto,
  type RtmpClientEvent,
  type RtmpClientOptions,
  RtmpClientSession,
  type RtmpServerEvent,
  RtmpServerSession,
} from './index.ts';

const crypto: HandshakeCrypto = {
  hmacSha256: (key, data) => new Uint8Array(createHmac('sha256', key).update(data).digest()),
  randomBytes: (count) => new Uint8Array(randomBytes(count)),
};
const nowMs = (): number => 0;

/** A client and a server back to back; the owner's answers are `answer`. */
class Pair {
  readonly client: RtmpClientSession;
  readonly server: RtmpServerSession;
  readonly seen: (RtmpClientEvent | RtmpServerEvent)[] = [];
  readonly #answer: (server: RtmpServerSession, event: RtmpServerEvent) => void;
  readonly #piece: number;

  constructor(
    options: Partial<RtmpClientOptions>,
    answer: (server: RtmpServerSession, event: RtmpServerEvent) => void,
    serverCrypto: HandshakeCrypto | 'none' = crypto,
    piece = 1 << 20,
  ) {
    this.client = new RtmpClientSession({
      nowMs,
      intent: 'play',
      app: 'live/',
      tcUrl: 'rtmp://host/live',
      name: 'test?key=秘密',
      ...options,
    });
    this.server = new RtmpServerSession({
      nowMs,
      crypto: serverCrypto === 'none' ? undefined : serverCrypto,
    });
    this.#answer = answer;
    this.#piece = piece;
    this.client.start();
  }

  /** Carries bytes to and fro until nothing moves. */
  run(): this {
    for (let moved = true; moved; ) {
      moved = false;
      for (let bytes = this.client.takeOutput(); bytes !== undefined; bytes = this.client.takeOutput()) {
        moved = true;
        for (const piece of this.#pieces(bytes)) {
          this.server.push(piece);
          for (let event = this.server.next(); event !== undefined; event = this.server.next()) {
            this.seen.push(event);
            this.#answer(this.server, event);
          }
        }
      }
      for (let bytes = this.server.takeOutput(); bytes !== undefined; bytes = this.server.takeOutput()) {
        moved = true;
        for (const piece of this.#pieces(bytes)) {
          this.client.push(piece);
          for (let event = this.client.next(); event !== undefined; event = this.client.next())
            this.seen.push(event);
        }
      }
    }
    return this;
  }

  get kinds(): string[] {
    return this.seen.map((event) => event.kind);
  }

  #pieces(bytes: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += this.#piece) pieces.push(bytes.slice(at, at + this.#piece));
    return pieces;
  }
}

const accept = (server: RtmpServerSession, event: RtmpServerEvent): void => {
  if (event.kind === 'connect') server.acceptConnect();
  if (event.kind === 'publish') server.acceptPublish();
  if (event.kind === 'play') server.acceptPlay();
};

it.each([
  ['digest', crypto, crypto, true],
  ['simple, the server cannot', crypto, 'none', false],
  ['simple, the client cannot', undefined, crypto, false],
  ['simple', undefined, 'none', false],
] as const)('connects by the handshake: %s', (_, clientCrypto, serverCrypto, digest) => {
  for (const piece of [1, 1536, 1 << 20]) {
    const pair = new Pair({ crypto: clientCrypto }, accept, serverCrypto, piece).run();
    expect(pair.client.phase).toBe('playing');
    expect(pair.server.phase).toBe('playing');
    expect(pair.client.digest).toBe(digest);
  }
});

it('publishes', () => {
  const pair = new Pair({ intent: 'publish' }, accept).run();
  expect(pair.kinds).toEqual(['connect', 'connected', 'publish', 'ready']);
  expect(pair.seen[0]).toMatchObject({ request: { app: 'live', instance: '', tcUrl: 'rtmp://host/live' } });
  expect(pair.seen[2]).toEqual({
    kind: 'publish',
    streamId: 1,
    app: 'live',
    name: 'test',
    query: 'key=秘密',
    mode: 'live',
  });
  expect([pair.client.phase, pair.server.phase]).toEqual(['publishing', 'publishing']);
  pair.seen.length = 0;
  const body = new Uint8Array(66_000).fill(7);
  const meta = new AmfEcmaArray({ width: 640, title: '生放送' });
  pair.client.setDataFrame(0, 'onMetaData', meta);
  pair.client.sendData(5, 'onCuePoint', [{ name: 'cm' }]);
  pair.client.sendMedia('video', 0x1_0000_0005, body);
  pair.client.sendMedia('audio', 0xff_ffff, Uint8Array.of(0xaf, 1));
  pair.run();
  expect(pair.seen).toEqual([
    { kind: 'data', streamId: 1, timestampMs: 0, name: 'onMetaData', values: [meta] },
    { kind: 'data', streamId: 1, timestampMs: 5, name: 'onCuePoint', values: [{ name: 'cm' }] },
    { kind: 'media', type: 'video', streamId: 1, timestampMs: 5, body },
    { kind: 'media', type: 'audio', streamId: 1, timestampMs: 0xff_ffff, body: Uint8Array.of(0xaf, 1) },
  ]);
  pair.seen.length = 0;
  pair.client.close();
  pair.run();
  expect(pair.kinds).toEqual(['unpublish']);
  expect(pair.server.phase).toBe('idle');
});

it('plays', () => {
  const pair = new Pair({}, accept).run();
  expect(pair.kinds.filter((kind) => kind !== 'status')).toEqual([
    'connect',
    'connected',
    'play',
    'bufferLength',
    'ready',
    'data',
    'data',
  ]);
  expect(pair.seen.find((event) => event.kind === 'play')).toMatchObject({
    name: 'test',
    query: 'key=秘密',
    start: 'any',
    durationMs: undefined,
    reset: true,
  });
  const codes = pair.seen.flatMap((event) => (event.kind === 'status' ? [event.code] : []));
  expect(codes).toEqual(['NetStream.Play.Reset']);
  pair.seen.length = 0;
  pair.server.notify(1, 'test', false);
  pair.server.notify(1, 'test', true);
  pair.server.endPlay(1, 'test');
  pair.client.command('pause', true, 1234);
  pair.client.command('receiveVideo', false);
  pair.client.command('seek', 99);
  pair.run();
  expect(pair.seen).toMatchObject([
    { kind: 'pause', paused: true, timeMs: 1234 },
    { kind: 'receive', media: 'video', on: false },
    { kind: 'seek', timeMs: 99 },
    { kind: 'eof', streamId: 1 },
    { kind: 'status', code: 'NetStream.Play.UnpublishNotify' },
    { kind: 'status', code: 'NetStream.Play.PublishNotify' },
    { kind: 'eof' },
    { kind: 'status', code: 'NetStream.Play.Stop' },
    { kind: 'status', code: 'NetStream.Pause.Notify' },
  ]);
});

it('tells nothing before the owner has decided, and keeps the order', () => {
  const pair = new Pair({ intent: 'publish' }, () => undefined).run();
  expect(pair.kinds).toEqual(['connect']);
  expect(pair.server.phase).toBe('connect');
  expect(pair.server.decision?.kind).toBe('connect');
  expect(pair.server.next()).toBe(undefined);
  expect(() => pair.server.acceptPlay()).toThrow('no play request');
  pair.server.acceptConnect();
  pair.run();
  expect(pair.kinds).toEqual(['connect', 'connected', 'publish']);
  pair.client.sendMedia('audio', 0, Uint8Array.of(1));
  pair.run();
  expect(pair.kinds.length).toBe(3); // media waits behind the decision
  pair.server.acceptPublish();
  expect(pair.server.next()).toMatchObject({ kind: 'media' });
  pair.run();
  expect(pair.client.phase).toBe('publishing');
});

it('refuses connect, publish and play in the words of the protocol', () => {
  const closed = new Pair({}, (server, event) => {
    if (event.kind === 'connect')
      server.rejectConnect('NetConnection.Connect.Rejected', 'no', 'rtmp://other/live');
  }).run();
  expect(closed.seen.at(-1)).toMatchObject({
    kind: 'refused',
    code: 'NetConnection.Connect.Rejected',
    description: 'no',
    redirect: 'rtmp://other/live',
  });
  expect([closed.client.phase, closed.server.phase]).toEqual(['closed', 'closed']);
  const refuse = (server: RtmpServerSession, event: RtmpServerEvent): void => {
    if (event.kind === 'connect') server.acceptConnect();
    if (event.kind === 'publish') server.rejectPublish('NetStream.Publish.BadName', 'no');
    if (event.kind === 'play') server.rejectPlay('NetStream.Play.StreamNotFound', 'no');
  };
  const publish = new Pair({ intent: 'publish' }, refuse).run();
  expect(publish.seen.at(-1)).toMatchObject({ kind: 'refused', code: 'NetStream.Publish.BadName' });
  expect(publish.server.phase).toBe('idle');
  const play = new Pair({}, refuse).run();
  expect(play.seen.at(-1)).toMatchObject({ kind: 'refused', code: 'NetStream.Play.StreamNotFound' });
});

it('calls both ways', () => {
  const pair = new Pair({}, accept).run();
  pair.seen.length = 0;
  const asked = pair.server.call('doSomething', 'あ', 1);
  const unknown = pair.client.call('noSuchMethod', 'x');
  pair.run();
  expect(pair.seen).toMatchObject([
    { kind: 'call', name: 'noSuchMethod', transactionId: unknown, args: ['x'] },
    { kind: 'call', name: 'doSomething', transactionId: asked, args: ['あ', 1] },
  ]);
  pair.seen.length = 0;
  pair.server.answerCall(unknown, false, 'no such method');
  pair.run();
  expect(pair.seen).toMatchObject([
    { kind: 'result', transactionId: unknown, ok: false, values: [{ code: 'NetConnection.Call.Failed' }] },
  ]);
  pair.seen.length = 0;
  pair.client.respond(asked, true, 42);
  pair.server.ping(77);
  pair.run();
  expect(pair.seen).toEqual([
    { kind: 'result', transactionId: asked, ok: true, values: [42] },
    { kind: 'pong', timestamp: 77 },
  ]);
});

it('tells Enhanced RTMP clients what is carried through', () => {
  const pair = new Pair({ properties: { fourCcList: ['hvc1', 'xxxx', 'Opus'], capsEx: 15 } }, accept).run();
  const connected = pair.seen.find((event) => event.kind === 'connected');
  expect(connected?.properties.fourCcList).toEqual(['hvc1', 'Opus']);
  expect(connected?.properties.capsEx).toBe(15);
  const plain = new Pair({ properties: { fourCcList: undefined } }, accept)
    .run()
    .seen.find((event) => event.kind === 'connected');
  expect(plain?.properties.fourCcList).toBe(undefined);
  expect(plain?.info.code).toBe('NetConnection.Connect.Success');
});

it('acknowledges by the window that the peer sets, both ways', () => {
  const pair = new Pair({ intent: 'publish' }, accept).run();
  for (let i = 0; i < 30; i++) {
    pair.client.sendMedia('video', i, new Uint8Array(100_000));
    pair.run();
  }
  expect(pair.client.traffic.acknowledged).toBeGreaterThan(2_500_000);
  expect(pair.server.traffic.receivedBytes).toBeGreaterThan(3_000_000);
});
