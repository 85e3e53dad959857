import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AmfValue, encodeAmf0 } from '../amf/index.ts';
import { concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import {
  encodeMessage,
  joinAggregate,
  MAX_MESSAGE_STREAMS,
  MessageType,
  type RtmpServerEvent,
  RtmpServerSession,
} from './index.ts';

/** A server session past its handshake that accepts everything, with a clock of its own. */
class Victim {
  nowMs = 0;
  readonly session = new RtmpServerSession({ nowMs: () => this.nowMs });
  readonly events: RtmpServerEvent[] = [];
  /** Bytes the session sent. */
  sent = 0;
  code: string | undefined;

  constructor() {
    const hello = new Uint8Array(3073);
    hello[0] = 3;
    this.push(hello);
  }

  /** @returns the code of the error, if there is one. */
  push(bytes: Uint8Array): string | undefined {
    try {
      this.session.push(bytes);
      for (let event = this.session.next(); event !== undefined; event = this.session.next()) {
        this.events.push(event);
        if (event.kind === 'connect') this.session.acceptConnect();
        if (event.kind === 'publish') this.session.acceptPublish();
        if (event.kind === 'play') this.session.acceptPlay();
      }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.code = error.code;
    }
    this.drain();
    return this.code;
  }

  drain(): Uint8Array | undefined {
    const bytes = this.session.takeOutput();
    this.sent += bytes?.length ?? 0;
    return bytes;
  }

  message(type: number, body: Uint8Array, streamId = 0, timestampMs = 0, csid = 3): string | undefined {
    return this.push(encodeMessage({ csid, type, timestampMs, body }, streamId, 128));
  }

  command(streamId: number, name: AmfValue, id: AmfValue, ...values: AmfValue[]): string | undefined {
    return this.message(MessageType.commandAmf0, encodeAmf0([name, id, ...values]), streamId);
  }

  connected(): this {
    this.command(0, 'connect', 1, { app: 'live', tcUrl: 'rtmp://h/live' });
    return this;
  }

  publishing(): this {
    this.connected();
    this.command(0, 'createStream', 2, null);
    this.command(1, 'publish', 3, null, 'test', 'live');
    return this;
  }

  get kinds(): string[] {
    return this.events.map((event) => event.kind);
  }
}

it('takes every type of message, whole or cut short', () => {
  for (let type = 0; type < 256; type++) {
    for (let length = 0; length <= 6; length++) {
      const victim = new Victim().publishing();
      const code = victim.message(type, new Uint8Array(length).fill(1), 1);
      const control = [1, 2, 3, 5].includes(type) && length < 4;
      if (control || (type === 6 && length < 5) || (type === 4 && length < 2))
        expect(code).toBe('RTMP_CONTROL_INVALID');
      if (![1, 2, 3, 4, 5, 6, 8, 9, 15, 16, 17, 18, 19, 20, 22].includes(type)) expect(code).toBe(undefined);
    }
  }
});

it('answers pings, whatever else user control brings', () => {
  const victim = new Victim().connected();
  const before = victim.sent;
  for (const event of [0, 1, 2, 4, 26, 27, 31, 32, 5, 99]) {
    expect(victim.message(4, Uint8Array.of(0, event, 0, 0, 0, 1))).toBe(undefined);
  }
  expect(victim.sent).toBe(before);
  victim.message(4, Uint8Array.of(0, 6, 1, 2, 3, 4));
  expect(victim.sent).toBe(before + 18);
});

it.each([
  ['publish before connect', (v: Victim) => v.command(1, 'publish', 1, null, 'x'), 'RTMP_STATE'],
  ['createStream before connect', (v: Victim) => v.command(0, 'createStream', 1, null), 'RTMP_STATE'],
  [
    'publish before createStream',
    (v: Victim) => v.connected().command(1, 'publish', 1, null, 'x'),
    'RTMP_STATE',
  ],
  ['play before createStream', (v: Victim) => v.connected().command(1, 'play', 1, null, 'x'), 'RTMP_STATE'],
  ['connect twice', (v: Victim) => v.connected().command(0, 'connect', 1, {}), 'RTMP_STATE'],
  ['a name that is no string', (v: Victim) => v.command(0, 5, 1), 'RTMP_COMMAND_INVALID'],
  ['a transaction id that is no number', (v: Victim) => v.command(0, 'connect', 'x'), 'RTMP_COMMAND_INVALID'],
  ['an empty command', (v: Victim) => v.message(20, new Uint8Array(0)), 'RTMP_COMMAND_INVALID'],
])('refuses %s', (_, act, code) => {
  const victim = new Victim();
  expect(act(victim)).toBe(code);
  expect(victim.session.phase).toBe('closed');
});

it('answers what the state does not allow, and stays', () => {
  const victim = new Victim().publishing();
  const events = victim.events.length;
  expect(victim.command(1, 'publish', 4, null, 'other', 'live')).toBe(undefined);
  expect(victim.command(1, 'play', 5, null, 'test')).toBe(undefined);
  expect(victim.command(0, 'deleteStream', 6, null, 7)).toBe(undefined);
  expect(victim.command(0, 'deleteStream', 6, null, Number.NaN)).toBe(undefined);
  expect(victim.command(0, 'play2', 6, null, {})).toBe(undefined);
  // What RTMP does not know may be a method.
  expect(victim.events.slice(events)).toMatchObject([{ kind: 'call', name: 'play2' }]);
  expect(victim.session.phase).toBe('publishing');
});

it('takes connect with whatever is in it', () => {
  const values: AmfValue[] = [null, 5, 'x', [], {}, { app: 5 }, { app: null, fourCcList: 'x', capsEx: {} }];
  for (const value of values) {
    const victim = new Victim();
    expect(victim.command(0, 'connect', 1, value)).toBe(undefined);
    expect(victim.events[0]).toMatchObject({ kind: 'connect', request: { app: '', tcUrl: '' } });
  }
  const hostile = Object.assign(Object.create(null), { app: 'live', toString: 1, constructor: 2 });
  Object.defineProperty(hostile, '__proto__', { value: { polluted: 1 }, enumerable: true });
  const victim = new Victim();
  victim.command(0, 'connect', 1, hostile);
  expect(victim.session.phase).toBe('idle');
  expect(({} as Record<string, unknown>).polluted).toBe(undefined);
});

it.each([
  ['live/', 'live', '', ''],
  ['/live//', 'live', '', ''],
  ['live/_definst_', 'live', '', ''],
  ['live/room/2', 'live', 'room/2', ''],
  ['live?key=a/b', 'live', '', 'key=a/b'],
  ['', '', '', ''],
])('takes the application path %j apart', (path, app, instance, query) => {
  const victim = new Victim();
  victim.command(0, 'connect', 1, { app: path });
  expect(victim.events[0]).toMatchObject({ request: { app, instance, query } });
});

it('gives names that are no strings as the empty name', () => {
  for (const name of [5, null, {}, undefined]) {
    const victim = new Victim().connected();
    victim.command(0, 'createStream', 2, null);
    victim.command(1, 'publish', 3, null, name);
    expect(victim.events.at(-1)).toMatchObject({ kind: 'publish', name: '', query: '', mode: 'live' });
  }
});

it('creates so many streams and no more, however often it is asked', () => {
  const victim = new Victim().connected();
  for (let i = 0; i < 60; i++) victim.command(0, 'createStream', i + 2, null);
  expect(victim.code).toBe(undefined);
  expect(victim.command(MAX_MESSAGE_STREAMS, 'publish', 99, null, 'x')).toBe(undefined);
  expect(victim.command(MAX_MESSAGE_STREAMS + 1, 'publish', 99, null, 'x')).toBe('RTMP_STATE');
});

it.each([
  ['createStream', (v: Victim) => v.command(0, 'createStream', 9, null)],
  ['an unknown method', (v: Victim) => v.command(0, 'hack', 9, null)],
  ['a shared object', (v: Victim) => v.message(MessageType.sharedObjectAmf0, new Uint8Array(14))],
])('closes a flood of %s, and forgives after a pause', (_, act) => {
  const victim = new Victim().connected();
  let count = 0;
  while (act(victim) === undefined && count < 1000) count++;
  expect(victim.code).toBe('RTMP_COMMAND_FLOOD');
  expect(count).toBeLessThan(110);
  const calm = new Victim().connected();
  for (let i = 0; i < 500; i++) {
    calm.nowMs += 10;
    expect(act(calm)).toBe(undefined);
  }
});

it('bounds answers that nobody reads', () => {
  const victim = new Victim().connected();
  const ping = encodeMessage(
    { csid: 2, type: 4, timestampMs: 0, body: Uint8Array.of(0, 6, 0, 0, 0, 0) },
    0,
    128,
  );
  const many = concatBytes(Array.from({ length: 1000 }, () => ping));
  const run = (): void => {
    for (let i = 0; i < 200; i++) {
      victim.session.push(many);
      while (victim.session.next() !== undefined);
    }
  };
  expect(run).toThrow('unread');
  expect(victim.session.takeOutput()!.length).toBeLessThanOrEqual(1_048_576 + 18);
});

it('acknowledges at most once per 64 KB, whatever window the peer sets', () => {
  const victim = new Victim().publishing();
  victim.message(MessageType.windowAckSize, Uint8Array.of(0, 0, 0, 1));
  const before = victim.sent;
  for (let i = 0; i < 1000; i++) victim.message(9, new Uint8Array(1000), 1, i, 6);
  const bytes = victim.session.traffic.receivedBytes;
  expect(victim.sent - before).toBeLessThanOrEqual((bytes / 65_536) * 16);
  expect(victim.sent - before).toBeGreaterThan(16 * 10);
  for (let i = 0; i < 1000; i++) victim.message(3, Uint8Array.of(0, 0, 0, i & 255));
  expect(victim.code).toBe(undefined);
});

it.each([
  [9, 2_000_000, undefined],
  [9, 2_000_001, '2000000 are allowed'],
  [20, 1_048_577, '1048576 are allowed'],
])('takes messages up to the length that is set: type %i, %i bytes', (type, length, fault) => {
  const limits = { maxMessageBytes: 2_000_000, windowAckSize: 5_000_000 };
  const session = new RtmpServerSession({ nowMs: () => 0, ...limits });
  const hello = new Uint8Array(3073);
  hello[0] = 3;
  session.push(hello);
  const connect = encodeAmf0(['connect', 1, {}]);
  session.push(encodeMessage({ csid: 3, type: 20, timestampMs: 0, body: connect }, 0, 128));
  session.next();
  session.takeOutput();
  session.acceptConnect();
  expect([...session.takeOutput()!.subarray(12, 16)]).toEqual([0, 0x4c, 0x4b, 0x40]);
  session.push(Uint8Array.of(6, 0, 0, 0, length >> 16, length >> 8, length, type, 1, 0, 0, 0));
  if (fault === undefined) expect(session.next()).toBe(undefined);
  else expect(() => session.next()).toThrow(fault);
});

it('splits aggregates with the times they have, and refuses lies', () => {
  const part = (type: number, timestampMs: number, length: number) => ({
    type,
    timestampMs,
    body: new Uint8Array(length).fill(type),
  });
  const body = joinAggregate([part(9, 1000, 10), part(8, 1010, 5), part(18, 1020, 0), part(9, 1040, 300)]);
  const victim = new Victim().publishing();
  victim.events.length = 0;
  expect(victim.message(22, body, 1, 0xffff_fff0)).toBe('RTMP_COMMAND_INVALID'); // the data message is empty
  expect(victim.events).toMatchObject([
    { kind: 'media', type: 'video', timestampMs: 0xffff_fff0 },
    { kind: 'media', type: 'audio', timestampMs: 0xffff_fffa },
  ]);
  for (let cut = 1; cut < body.length; cut++) {
    const other = new Victim().publishing();
    const whole = [25, 45, 60].includes(cut);
    const code = other.message(22, body.subarray(0, cut), 1);
    if (!whole) expect(code).toBe('RTMP_AGGREGATE_INVALID');
  }
  const lie = body.slice();
  lie[1] = 0xff;
  expect(new Victim().publishing().message(22, lie, 1)).toBe('RTMP_AGGREGATE_INVALID');
  const nested = joinAggregate([part(22, 0, 20)]);
  expect(new Victim().publishing().message(22, nested, 1)).toBe('RTMP_AGGREGATE_INVALID');
  const many = joinAggregate(Array.from({ length: 9000 }, () => part(8, 0, 0)));
  expect(new Victim().publishing().message(22, many, 1)).toBe('RTMP_AGGREGATE_INVALID');
});

it('leaves media alone that nobody publishes', () => {
  const victim = new Victim().connected();
  victim.message(9, Uint8Array.of(1), 1);
  victim.message(18, encodeAmf0(['onMetaData', {}]), 1);
  expect(victim.kinds).toEqual(['connect']);
  expect(victim.session.droppedMessages).toBe(2);
});

it('reads AMF3 commands and data, with and without the leading byte', () => {
  const victim = new Victim().publishing();
  victim.events.length = 0;
  const data = encodeAmf0(['@setDataFrame', 'onMetaData', { width: 1 }]);
  victim.message(MessageType.dataAmf3, concatBytes([Uint8Array.of(0), data]), 1);
  victim.message(MessageType.dataAmf3, data, 1);
  victim.message(MessageType.dataAmf0, encodeAmf0(['@clearDataFrame', 'onMetaData']), 1);
  const close = concatBytes([Uint8Array.of(0), encodeAmf0(['closeStream', 0, null])]);
  victim.message(MessageType.commandAmf3, close, 1);
  expect(victim.kinds).toEqual(['data', 'data', 'clearData', 'unpublish']);
});

it('says the same for every way of stopping', () => {
  for (const stop of [
    (v: Victim) => v.command(0, 'FCUnpublish', 9, null, 'test'),
    (v: Victim) => v.command(0, 'deleteStream', 9, null, 1),
    (v: Victim) => v.command(1, 'closeStream', 0, null),
    (v: Victim) => v.command(1, 'publish', 0, null, false),
  ]) {
    const victim = new Victim().publishing();
    stop(victim);
    expect(victim.events.at(-1)).toEqual({ kind: 'unpublish', streamId: 1, name: 'test' });
    expect(victim.session.phase).toBe('idle');
    stop(victim);
    expect(victim.kinds.filter((kind) => kind === 'unpublish')).toHaveLength(1);
  }
});

it('never throws anything but its own errors, nor grows, at damaged conversations', () => {
  const conversation = concatBytes([
    encodeMessage(
      { csid: 3, type: 20, timestampMs: 0, body: encodeAmf0(['connect', 1, { app: 'live' }]) },
      0,
      128,
    ),
    encodeMessage({ csid: 3, type: 20, timestampMs: 0, body: encodeAmf0(['createStream', 2, null]) }, 0, 128),
    encodeMessage({ csid: 3, type: 20, timestampMs: 0, body: encodeAmf0(['publish', 3, null, 'a']) }, 1, 128),
    encodeMessage(
      { csid: 4, type: 18, timestampMs: 0, body: encodeAmf0(['@setDataFrame', 'onMetaData', {}]) },
      1,
      128,
    ),
    encodeMessage({ csid: 6, type: 9, timestampMs: 0xff_ffff, body: new Uint8Array(300) }, 1, 128),
    encodeMessage(
      {
        csid: 6,
        type: 22,
        timestampMs: 9,
        body: joinAggregate([{ type: 8, timestampMs: 0, body: new Uint8Array(9) }]),
      },
      1,
      128,
    ),
  ]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(conversation.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.array(fc.nat(conversation.length), { maxLength: 5 }),
      (damage, cuts) => {
        const bytes = conversation.slice();
        for (const [at, value] of damage) bytes[at] = value;
        const victim = new Victim();
        let from = 0;
        for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
          if (victim.push(bytes.slice(from, to)) !== undefined) return;
          from = to;
        }
      },
    ),
    { numRuns: 400 },
  );
});
