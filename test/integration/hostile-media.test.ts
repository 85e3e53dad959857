import { randomBytes } from 'node:crypto';
import { encodeAmf0 } from '@onair/media/amf';
import type { Tag } from '@onair/media/flv';
import { MessageType } from '@onair/media/rtmp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  Canary,
  expectNoChildren,
  makeTags,
  openRaw,
  type RawRtmp,
  Scope,
  seenFurther,
  until,
  watchAll,
  witnesses,
} from '../kit/index.ts';

const FPS = 25;
const house = new Scope();
let canary: Canary;
let tags: Tag[];
beforeAll(async () => {
  canary = await Canary.start(house, { 'hub.reconnectWindowMs': '200', 'hub.endedLingerMs': '0' });
  const audio = { sampleRate: 44_100 };
  tags = (await makeTags(house, { seconds: 4, fps: FPS, gopSeconds: 1, bFrames: 2, audio })).filter(
    ({ type }) => type !== 'script',
  );
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

/** A publisher of `live/victim` that has sent set-ups and the first second. */
async function victim(): Promise<{
  readonly client: RawRtmp;
  readonly streamId: number;
  send(tag: Tag): void;
}> {
  const client = open();
  const streamId = await client.publish('victim');
  client.setChunkSize(65_536);
  const send = ({ type, timestampMs, body }: Tag): void => {
    if (type !== 'script') client.media(type, streamId, timestampMs, body);
  };
  for (const tag of tags) if (tag.timestampMs < 1_000) send(tag);
  return { client, streamId, send };
}

/** The first frame of the picture, with `change` made to its body. */
function damaged(change: (body: Uint8Array) => Uint8Array): Uint8Array {
  const frame = tags.find(({ type, body }) => type === 'video' && body[0] === 0x17 && body[1] === 1)!;
  return change(frame.body.slice());
}

function withLength(body: Uint8Array, length: number): Uint8Array {
  new DataView(body.buffer, body.byteOffset).setUint32(5, length);
  return body;
}

const BAD_VIDEO: readonly (readonly [string, () => Uint8Array])[] = [
  ['one byte', () => Uint8Array.of(0x17)],
  ['a frame of a codec that nobody knows', () => Uint8Array.of(0x1f, 1, 0, 0, 0, 1)],
  ['a FourCC that nobody knows', () => Uint8Array.of(0x91, 0x78, 0x78, 0x78, 0x78, 1, 2, 3)],
  ['a NAL length beyond the end', () => damaged((body) => withLength(body, 0x7fff_ffff))],
  ['a decoder configuration of 3 bytes', () => Uint8Array.of(0x17, 0, 0, 0, 0, 1, 0x64, 0)],
  ['a parameter set cut off', () => damaged(() => tags.find(isConfig)!.body.slice(0, 16))],
];

function isConfig({ type, body }: Tag): boolean {
  return type === 'video' && body[1] === 0;
}

describe('media', () => {
  it('that is damaged is dropped and counted, and the stream goes on', async () => {
    const { client, send, streamId } = await victim();
    const viewers = watchAll(scope, canary.server, 'live/victim');
    await until(() => witnesses(viewers).every(({ video }) => video.length > 0));
    client.media('video', streamId, 1_000, new Uint8Array(0));
    client.media('audio', streamId, 1_000, new Uint8Array(0));
    for (const [, body] of BAD_VIDEO) client.media('video', streamId, 1_000, body());
    client.media('audio', streamId, 1_000, Uint8Array.of(0xaf, 0));
    client.media('audio', streamId, 1_000, Uint8Array.of(0xaf, 0, 0xff));
    client.media('audio', streamId, 1_000, Uint8Array.of(0x5f, 1, 2, 3));
    for (const tag of tags) if (tag.timestampMs >= 1_000 && tag.timestampMs < 3_000) send(tag);
    await until(() => witnesses(viewers).every(({ video }) => video.length >= 3 * FPS - 3), {
      message: () =>
        witnesses(viewers)
          .map(({ name, video }) => `${name} ${video.length}`)
          .join(),
    });
    for (const witness of witnesses(viewers)) expect(witness.faults, witness.name).toEqual([]);
    expect(viewers.fmp4.epochs).toEqual([1]);
    const metrics = await canary.text('/metrics');
    const dropped = /onair_stream_dropped_in_total\{[^}]*live\/victim[^}]*\} (\d+)/.exec(metrics);
    expect(Number(dropped?.[1])).toBeGreaterThanOrEqual(BAD_VIDEO.length);
    await client.stop();
  });

  it('that is nothing but damage ends the session', async () => {
    for (const [name, body] of BAD_VIDEO) {
      const { client, streamId } = await victim();
      for (let n = 0; n < 60; n++) client.media('video', streamId, 1_000 + n, body());
      await client.gone().catch((error) => {
        throw new Error(`${name}: ${error}`);
      });
      await until(() => canary.server.registry.list().length === 1);
    }
    expect(canary.lines.some(({ msg, fault }) => msg === 'publisher left' && fault !== undefined)).toBe(true);
  });

  it('in aggregates that lie closes', async () => {
    const lies = [
      Uint8Array.of(9, 0, 0),
      Uint8Array.of(9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4),
      Uint8Array.of(9, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1),
    ];
    for (const body of lies) {
      const { client, streamId } = await victim();
      client.message(6, MessageType.aggregate, streamId, 1_000, body);
      await client.gone();
      await until(() => canary.server.registry.list().length === 1);
    }
    await canary.told('RTMP_AGGREGATE_INVALID');
  });

  it('with more tracks than allowed is refused', async () => {
    const { client, streamId } = await victim();
    for (let n = 0; n < 60; n++) {
      // Enhanced RTMP multitrack: ManyTracks, SequenceStart, avc1, track n.
      client.media('video', streamId, 1_000, Uint8Array.of(0x96, 0x00, 0x61, 0x76, 0x63, 0x31, 16 + n, 1));
    }
    await client.gone();
  });
});

describe('quantities', () => {
  it('of metadata are bounded', async () => {
    const { client, streamId, send } = await victim();
    for (let n = 0; n < 20; n++) {
      client.data(streamId, '@setDataFrame', ['onMetaData', { title: 'x'.repeat(50_000), n }]);
    }
    const long = encodeAmf0(['@setDataFrame', 'onMetaData', { title: 'y'.repeat(60_000) }]);
    client.message(4, MessageType.dataAmf0, streamId, 0, long);
    const at = tags.find(({ timestampMs }) => timestampMs > 1_000)!;
    send(at);
    const known = canary.server.registry.list().find(({ name }) => name === 'live/victim')!;
    const count = known.input.count;
    send(tags.find(({ timestampMs, type }) => timestampMs > 1_200 && type === 'video')!);
    await until(() => known.input.count > count);
    client.message(4, MessageType.dataAmf0, streamId, 0, new Uint8Array(1_100_000));
    await client.gone();
    await canary.told('RTMP_MESSAGE_TOO_LARGE');
  });

  it('of random bytes after the handshake close or wait', async () => {
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 30 }, () => open().shakeHands()));
      for (const client of clients) client.send(randomBytes(200 + Math.floor(Math.random() * 8_000)));
      await seenFurther([], 0);
      for (const client of clients) await client.stop();
    }
    await until(() => canary.lines.some(({ msg }) => msg === 'rtmp connection closed for a fault'));
  });

  it('of resets in the midst of a message leave nothing behind', async () => {
    const body = tags.find(({ body: { length } }) => length > 1_000)!.body;
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 25 }, async (_, i) => {
          const client = open();
          const streamId = await client.publish(`reset${i}`);
          const header = Uint8Array.of(
            6,
            0,
            0,
            0,
            0,
            body.length >> 8,
            body.length & 255,
            9,
            streamId,
            0,
            0,
            0,
          );
          client.socket.write(Buffer.concat([header, body.subarray(0, 100)]), () => client.reset());
          await client.gone();
        }),
      );
    }
    await until(() => canary.server.registry.list().length === 1, { message: 'streams are forgotten' });
  });

  it('of connections at once are served', async () => {
    const clients = Array.from({ length: 1_000 }, open);
    await Promise.all(clients.map((client) => client.openStream()));
    await Promise.all(clients.map((client) => client.stop()));
  });
});
