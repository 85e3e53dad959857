import { readdirSync } from 'node:fs';
import { type AmfValue, encodeAmf0 } from '@onair/media/amf';
import { encodeCommand, encodeMessage, MessageType } from '@onair/media/rtmp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Canary, expectNoChildren, heldBytes, openRaw, type RawRtmp, Scope, until } from '../kit/index.ts';

const PHASE_MS = 2_500;
/** Room for the clock of a busy machine. */
const LATE_MS = 2_000;

const house = new Scope();
let canary: Canary;
beforeAll(async () => {
  canary = await Canary.start(house, { 'rtmp.phaseTimeoutMs': String(PHASE_MS) });
});
afterAll(async () => {
  await house.close();
  await expectNoChildren();
});

let scope = new Scope();
beforeEach(() => canary.rest());
afterEach(async () => {
  const closing = scope;
  scope = new Scope();
  await closing.close();
  await canary.unharmed();
});

const open = (): RawRtmp => openRaw(scope, canary.rtmpPort);
const many = (count: number): RawRtmp[] => Array.from({ length: count }, open);

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

function repeated(pattern: readonly number[], times: number): Uint8Array {
  const out = new Uint8Array(pattern.length * times);
  for (let at = 0; at < out.length; at += pattern.length) out.set(pattern, at);
  return out;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

it('what is not RTMP is closed without an echo', async () => {
  const heads = [
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.from('16030100c8010000c40303', 'hex'),
    Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
    repeated([6, 0, 0, 0], 400),
    new Uint8Array(3_000),
  ];
  const clients = heads.map((head) => {
    const client = open();
    client.send(head);
    return client;
  });
  for (const client of clients) {
    await client.gone(PHASE_MS + LATE_MS);
    expect(client.received).toBe(0);
  }
  await canary.told('not RTMP');
});

describe('each phase has one absolute deadline', () => {
  it('however little comes, and however often', async () => {
    const silent = many(60);
    const versionOnly = many(60);
    for (const client of versionOnly) client.send(bytes(3));
    const trickling = many(10);
    for (const client of trickling) client.send(bytes(3));
    const drip = setInterval(() => {
      for (const client of trickling) client.send(bytes(1));
    }, 100);
    const shaken = await Promise.all(many(20).map((client) => client.shakeHands()));
    const connected = await Promise.all(many(20).map((client) => client.openStream()));
    expect(connected.every((streamId) => streamId === 1)).toBe(true);
    const all = [...silent, ...versionOnly, ...trickling];
    for (const client of all) {
      expect(await client.gone(PHASE_MS + LATE_MS)).toBeGreaterThan(PHASE_MS - 100);
      expect(client.closedMs).toBeLessThan(PHASE_MS + LATE_MS);
    }
    clearInterval(drip);
    // Two phases at most: handshake, connect.
    for (const client of shaken) await client.gone(2 * PHASE_MS + LATE_MS);
    await canary.told('REQUEST_TIMEOUT');
    await canary.told('silent');
  });
});

describe('chunks', () => {
  it.each([
    ['0', 0],
    ['with bit 31 set', 0x8000_0001],
  ])('of size %s are refused', async (_name, size) => {
    const client = open();
    await client.openStream();
    client.setChunkSize(size >>> 0);
    await client.gone();
    await canary.told('RTMP_CHUNK_SIZE');
  });

  it.each([
    ['1', 1],
    ['2^31 - 1', 0x7fff_ffff],
  ])('of size %s are taken', async (_name, size) => {
    const client = open();
    await client.shakeHands();
    await client.connectApp();
    const before = heldBytes();
    client.setChunkSize(size);
    client.command('createStream', 2, [null]);
    expect((await client.answer(2)).values[1]).toBe(1);
    expect(heldBytes() - before).toBeLessThan(8_000_000);
  });

  it('that come byte by byte are taken, from the handshake to the end', async () => {
    const client = open();
    const whole = client.send.bind(client);
    client.send = (data) => {
      for (const byte of data) client.socket.write(bytes(byte));
    };
    const streamId = await client.publish('bytewise');
    client.data(streamId, '@setDataFrame', ['onMetaData', { width: 320 }]);
    client.send = whole;
    client.command('deleteStream', 0, [null, streamId]);
    await client.status('NetStream.Unpublish.Success');
  });

  it('on thousands of chunk streams are refused, and announced lengths cost nothing', async () => {
    const before = heldBytes();
    const clients = many(4);
    for (const client of clients) {
      await client.shakeHands();
      for (let n = 0; n < 2_000 && !client.socket.destroyed; n++) {
        const csid = 64 + n;
        // Type 0, video, 16 MB announced, one byte of it sent by one chunk.
        const header = bytes(1, (csid - 64) & 255, (csid - 64) >> 8, 0, 0, 0, 255, 255, 255, 9, 1, 0, 0, 0);
        client.send(joined(header, new Uint8Array(128)));
      }
      await client.gone();
    }
    expect(heldBytes() - before).toBeLessThan(16_000_000);
    await canary.told('RTMP_CHUNK_STREAMS');
  });

  it('of unfinished messages are bounded together', async () => {
    const client = await open().shakeHands();
    client.setChunkSize(1_000_000);
    for (let n = 0; n < 60 && !client.socket.destroyed; n++) {
      const header = bytes(3 + n, 0, 0, 0, 0x20, 0, 0, 9, 1, 0, 0, 0);
      client.send(joined(header, new Uint8Array(1_000_000)));
    }
    await client.gone();
    await canary.told('RTMP_UNFINISHED_LIMIT');
  });

  it.each([
    ['type 2 on a fresh chunk stream', bytes(0x80 | 5, 0, 0, 0)],
    ['type 3 on a fresh chunk stream', bytes(0xc0 | 5)],
    [
      'a new header within a message',
      joined(bytes(5, 0, 0, 0, 0, 2, 0, 9, 1, 0, 0, 0), new Uint8Array(128), bytes(5, 0, 0, 0, 0, 0, 1, 9)),
    ],
  ])('that break the order are refused: %s', async (_name, data) => {
    const client = await open().shakeHands();
    client.send(data);
    if (data.length > 100) client.send(bytes(1, 0, 0, 0, 0));
    await client.gone();
    await canary.told('RTMP_CHUNK_HEADER');
  });

  it('of strange but lawful forms are taken', async () => {
    const client = await open().shakeHands();
    await client.connectApp();
    // Abort of a chunk stream that nobody knows; a two-byte id where one would do; two messages interleaved.
    client.message(2, MessageType.abort, 0, 0, bytes(0, 0, 0xff, 0));
    const call = encodeCommand('createStream', 2, [null]);
    const one = encodeMessage({ csid: 3, type: MessageType.commandAmf0, timestampMs: 0, body: call }, 0, 128);
    client.send(joined(bytes(0, 200), one.subarray(1)));
    expect((await client.answer(2)).name).toBe('_result');
    const long = encodeCommand('FCPublish', 3, [null, 'x'.repeat(200)]);
    const split = (csid: number): Uint8Array =>
      encodeMessage({ csid, type: MessageType.commandAmf0, timestampMs: 0, body: long }, 0, 128);
    const [a, b] = [split(4), split(5)];
    client.send(joined(a.subarray(0, 140), b.subarray(0, 140), a.subarray(140), b.subarray(140)));
    await until(() => client.commands.filter(({ transactionId }) => transactionId === 3).length === 2);
  });
});

describe('messages', () => {
  it('of every type, empty or short, close or do nothing', async () => {
    for (let from = 0; from < 256; from += 32) {
      const batch = many(32);
      await Promise.all(
        batch.map(async (client, i) => {
          await client.shakeHands();
          await client.connectApp();
          for (let length = 0; length <= 5; length++) {
            client.message(4, from + i, 0, 0, new Uint8Array(length));
          }
          client.command('createStream', 9, [null]);
          await until(() => client.closedMs !== undefined || client.commands.length > 1);
          await client.stop();
        }),
      );
    }
  });

  it('that acknowledge or ping in floods are bounded', async () => {
    const client = open();
    const streamId = await client.openStream();
    // A player has no deadline that could end it first.
    client.command('play', 3, [null, 'canary'], streamId);
    await client.status('NetStream.Play.Start');
    const control = (type: number, ...body: number[]): Uint8Array =>
      encodeMessage({ csid: 2, type, timestampMs: 0, body: bytes(...body) }, 0, 128);
    client.send(control(MessageType.windowAckSize, 0, 0, 0, 1));
    const acks = control(MessageType.acknowledgement, 0, 0, 0, 1);
    const types = client.types.length;
    client.send(repeated([...acks], 40_000));
    await until(() => client.types.length > types);
    const answers = client.types.slice(types).filter((type) => type === MessageType.acknowledgement).length;
    expect(answers).toBeLessThan(20);
    // Nobody reads the answers to these.
    client.socket.pause();
    const ping = control(MessageType.userControl, 0, 6, 0, 0, 0, 1);
    const flood = repeated([...ping], 50_000);
    for (let n = 0; n < 20; n++) client.send(flood);
    await canary.told('RTMP_OUTPUT_LIMIT');
  });

  it('that call without end are stopped', async () => {
    for (const name of ['createStream', 'unheardOf']) {
      const client = open();
      await client.openStream();
      for (let n = 0; n < 300 && !client.socket.destroyed; n++) client.command(name, 10 + n, [null]);
      await client.gone();
      const streams = client.commands.filter((one) => one.name === '_result' && one.transactionId >= 10);
      expect(streams.length).toBeLessThanOrEqual(15);
    }
    const shared = open();
    await shared.openStream();
    for (let n = 0; n < 300 && !shared.socket.destroyed; n++) shared.message(3, 19, 0, 0, new Uint8Array(40));
    await shared.gone();
    await canary.told('RTMP_COMMAND_FLOOD');
  });
});

/** Name and number of a `connect`, then whatever. */
function connectWith(...rest: readonly Uint8Array[]): Uint8Array {
  return joined(encodeAmf0(['connect', 1]), ...rest);
}

describe('AMF', () => {
  const nestedObject = repeated([3, 0, 1, 0x61], 20_000);
  const nestedArray = repeated([0x0a, 0, 0, 0, 1], 20_000);

  const bodies: readonly (readonly [string, string, Uint8Array])[] = [
    ['objects 20,000 deep', 'AMF_DEPTH', connectWith(nestedObject)],
    ['arrays 20,000 deep', 'AMF_DEPTH', connectWith(nestedArray)],
    ['an array of 2^32 - 1', 'AMF_COUNT', connectWith(bytes(0x0a, 255, 255, 255, 255))],
    ['a string of 2^32 - 1', 'BYTES_OUT_OF_RANGE', connectWith(bytes(0x0c, 255, 255, 255, 255, 0x61))],
    ['a reference to nothing', 'AMF_REFERENCE', connectWith(bytes(7, 0, 9))],
    ['an AMF3 array of 2^28 - 1', 'AMF_COUNT', connectWith(bytes(0x11, 9, 255, 255, 255, 255, 1))],
    ['an AMF3 reference to nothing', 'AMF_REFERENCE', connectWith(bytes(0x11, 0x0a, 0x10))],
    ['an unknown marker', 'AMF_MARKER', connectWith(bytes(0x42))],
  ];

  it('that lies about its size or shape is refused', async () => {
    for (const [name, code, body] of bodies) {
      const client = await open().shakeHands();
      client.message(3, MessageType.commandAmf0, 0, 0, body);
      await client.gone();
      await canary.told(code);
      expect(client.codes, name).toEqual([]);
    }
  });

  it('in metadata is refused likewise, or dropped, and the key names of its objects are only names', async () => {
    for (const key of ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString']) {
      const client = open();
      const streamId = await client.publish('names');
      const evil = Object.defineProperty({}, key, { value: { polluted: 1, width: 1 }, enumerable: true });
      client.data(streamId, '@setDataFrame', ['onMetaData', evil]);
      client.data(streamId, key, [evil]);
      client.command(key, 7, [null]);
      expect((await client.answer(7)).name).toBe('_error');
      await client.stop();
      await until(async () => (await canary.health()).publishers === 1);
    }
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    const deep = open();
    const streamId = await deep.publish('deep');
    const body = joined(encodeAmf0(['@setDataFrame', 'onMetaData']), nestedObject);
    deep.message(4, MessageType.dataAmf0, streamId, 0, body);
    await deep.gone();
    await canary.told('AMF_DEPTH');
  });

  it('cut off anywhere closes, and no cut goes unanswered', async () => {
    const whole = encodeCommand('connect', 1, [
      { app: 'live', tcUrl: 'rtmp://h/live', list: [1, 'a', true] },
    ]);
    for (let from = 1; from < whole.length; from += 25) {
      const cuts = Array.from({ length: Math.min(25, whole.length - from) }, (_, i) => from + i);
      await Promise.all(
        cuts.map(async (cut) => {
          const client = await open().shakeHands();
          client.message(3, MessageType.commandAmf0, 0, 0, whole.subarray(0, cut));
          await until(() => client.closedMs !== undefined || client.commands.length > 0, {
            message: `cut at ${cut}`,
          });
          await client.stop();
        }),
      );
    }
  });
});

describe('names', () => {
  const bad: readonly (readonly [AmfValue, string])[] = [
    ...['..', '../../etc/passwd', 'a/b', 'a\\b', 'a%2fb', '', '.', 'a\0b', 'line\nbreak'],
    ...['\u001b[31mred', '\u202egnirts', '🎥', 'x'.repeat(10_000), 'x'.repeat(65_000)],
    ...['$(touch /tmp/onair)', 'a|id', null, 7, true, ['a']],
  ].map((name) => [name, 'live'] as const);
  const badApps = ['../etc', '..', '', '🎥', 'api'].map((app) => ['ok', app] as const);

  it('beyond the allowed are refused to publishers and players, and never touch a file', async () => {
    const files = readdirSync('.').join();
    for (const [name, app] of [...bad, ...badApps]) {
      const client = open();
      const streamId = await client.openStream(app);
      client.command('publish', 3, [null, name, 'live'], streamId);
      await client.gone();
      expect(client.codes, `${name} in ${app}`).toEqual(['NetStream.Publish.BadName']);
      // Reserved applications are refused to publishers only: nobody can ever be on air there.
      if (app === 'api') continue;
      const player = open();
      const playId = await player.openStream(app);
      player.command('play', 3, [null, name], playId);
      await player.gone();
      expect(player.codes, `${name} in ${app}`).toEqual(['NetStream.Play.StreamNotFound']);
    }
    expect(canary.server.registry.list().map(({ name }) => name)).toEqual(['live/canary']);
    expect(readdirSync('.').join()).toBe(files);
    await canary.told('NetStream.Publish.BadName');
    await canary.told('NetStream.Play.StreamNotFound');
  });
});

describe('calls out of order', () => {
  it.each([
    ['publish before connect', false, 0],
    ['publish without createStream', true, 5],
    ['play without createStream', true, 5],
  ])('%s closes', async (what, connects, streamId) => {
    const client = await open().shakeHands();
    if (connects) await client.connectApp();
    client.command(what.startsWith('play') ? 'play' : 'publish', 3, [null, 'x', 'live'], streamId);
    await client.gone();
    await canary.told('RTMP_STATE');
  });

  it('connect twice closes', async () => {
    const client = await open().shakeHands();
    await client.connectApp();
    client.command('connect', 1, [{ app: 'live' }]);
    await client.gone();
    await canary.told('RTMP_STATE');
  });

  it('publish twice, play of what it publishes, and the streams of others change nothing', async () => {
    const client = open();
    const streamId = await client.publish('mine');
    client.command('publish', 4, [null, 'other', 'live'], streamId);
    await client.status('NetStream.Publish.BadName');
    client.command('play', 5, [null, 'mine'], streamId);
    await client.status('NetStream.Play.Failed');
    const other = open();
    await other.openStream();
    for (const id of [2, 3, 17, -1, Number.NaN, 2 ** 40]) other.command('deleteStream', 0, [null, id]);
    other.command('closeStream', 0, [null], 9);
    other.command('createStream', 8, [null]);
    expect((await other.answer(8)).values[1]).toBe(2);
    expect(canary.server.registry.list().map(({ name }) => name)).toEqual(['live/canary', 'live/mine']);
    expect(client.closedMs).toBeUndefined();
  });
});
