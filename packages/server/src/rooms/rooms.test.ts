import type { RoomMessage } from '@onair/contracts/rooms';
import { streamName } from '@onair/media';
import { describe, expect, it } from 'vitest';
import { Allowance } from '../net/index.ts';
import { AsideLimits } from './aside-limits.ts';
import { RoomDirectory, RoomError, type RoomMember, type RoomPolicy, roomGate } from './index.ts';

class Hall {
  readonly heard: string[] = [];
  readonly staged: string[] = [];
  keys = 0;
  readonly directory: RoomDirectory;

  constructor(policy: Partial<RoomPolicy> = {}) {
    const whole = { maxRooms: 10, maxMembers: 3, locks: [], ...policy };
    this.directory = new RoomDirectory({
      policy: () => whole,
      same: (given, wanted) => given === wanted,
      secret: () => `key ${++this.keys}`,
      streamOf: (room, locked) => streamName('rooms', locked ? 'hidden' : room),
      staged: (stream, talking) => void this.staged.push(`${stream} ${talking}`),
    });
  }

  enter(id: string, room = 'r', password?: string): number {
    const member: RoomMember = {
      id,
      send: (event, payload) => void this.heard.push(`${id} ${event} ${JSON.stringify(payload)}`),
    };
    return this.directory.enter(member, password === undefined ? { room } : { room, password });
  }

  /** What everybody hears of a message, or the code of its refusal. */
  say(from: string, message: RoomMessage): string[] {
    this.heard.length = 0;
    try {
      this.directory.message(from, message);
    } catch (error) {
      return [(error as RoomError).code];
    }
    return [...this.heard];
  }
}

describe('a room', () => {
  it('passes messages to all others or to one, with the true sender', () => {
    const hall = new Hall();
    for (const id of ['a', 'b', 'c']) hall.enter(id);
    expect(hall.say('a', { type: 'talk_ready', from: 'c' })).toEqual([
      'b message {"type":"talk_ready","from":"a"}',
      'c message {"type":"talk_ready","from":"a"}',
    ]);
    expect(hall.say('b', { type: 'talk_request', sendto: 'a' })).toEqual([
      'a message {"type":"talk_request","sendto":"a","from":"b"}',
    ]);
  });

  it('lets nothing out to other rooms, nor in', () => {
    const hall = new Hall();
    hall.enter('a');
    hall.enter('x', 'other');
    expect(hall.say('a', { type: 'talk_ready' })).toEqual([]);
    expect(hall.say('a', { type: 'bye', sendto: 'x' })).toEqual(['ROOM_NOT_ENTERED']);
    expect(hall.say('a', { type: 'bye', sendto: 'nobody' })).toEqual(['ROOM_NOT_ENTERED']);
    expect(hall.say('stranger', { type: 'bye' })).toEqual(['ROOM_NOT_ENTERED']);
  });

  it('tells those who stay who left, also when somebody changes rooms', () => {
    const hall = new Hall();
    hall.enter('a');
    hall.enter('b');
    hall.enter('b', 'other');
    expect(hall.heard).toEqual(['a user disconnected {"id":"b"}']);
    hall.directory.leave('a');
    hall.directory.leave('a');
    expect(hall.directory.size).toBe(1);
  });

  it('has one on air', () => {
    const hall = new Hall();
    for (const id of ['a', 'b', 'c']) hall.enter(id);
    hall.say('a', { type: 'talk_ready' });
    expect(hall.say('b', { type: 'talk_ready' })).toEqual(['ROOM_HAS_TALKER']);
    expect(hall.say('b', { type: 'offer', sdp: 'v=0', sendto: 'c' })).toEqual(['ROOM_HAS_TALKER']);
    expect(hall.say('b', { type: 'end_talk' })).toEqual([]);
    expect(hall.say('a', { type: 'end_talk' })).toHaveLength(2);
    expect(hall.say('b', { type: 'offer', sdp: 'v=0', sendto: 'c' })).toHaveLength(1);
    hall.directory.leave('b');
    expect(hall.say('c', { type: 'talk_ready' })).toHaveLength(1);
  });

  it('sends descriptions and candidates to one only', () => {
    const hall = new Hall();
    hall.enter('a');
    hall.enter('b');
    expect(hall.say('a', { type: 'answer', sdp: 'v=0' })).toEqual(['ROOM_MESSAGE_INVALID']);
  });

  it('has limits and locks, and whoever is refused stays where it was', () => {
    const hall = new Hall({ maxRooms: 2, maxMembers: 2, locks: [{ room: 'safe', password: 'open' }] });
    const refusal = (call: () => void): string => {
      try {
        call();
      } catch (error) {
        expect(error).toBeInstanceOf(RoomError);
        return (error as RoomError).code;
      }
      return '';
    };
    expect(hall.enter('a')).toBe(1);
    expect(hall.enter('b')).toBe(2);
    expect(hall.enter('b')).toBe(2);
    expect(refusal(() => hall.enter('c'))).toBe('ROOM_FULL');
    for (const wrong of [undefined, '', 'Open']) {
      expect(refusal(() => hall.enter('b', 'safe', wrong))).toBe('ROOM_PASSWORD_WRONG');
    }
    expect(hall.enter('c', 'safe', 'open')).toBe(1);
    expect(refusal(() => hall.enter('d', 'third'))).toBe('ROOM_FULL');
    expect(hall.say('b', { type: 'bye' })).toHaveLength(1);
  });
});

it('allows so much per second, and more after a pause', () => {
  const allowance = new Allowance(() => 10, 2, 0);
  const taken = (now: number): number => {
    let count = 0;
    while (allowance.take(now)) count++;
    return count;
  };
  expect(taken(0)).toBe(20);
  expect(taken(100)).toBe(1);
  expect(taken(10_000)).toBe(20);
});

describe('the talk of a room on the server', () => {
  const open = (): Hall => {
    const hall = new Hall({ maxMembers: 5, locks: [{ room: 'locked', password: 'p' }] });
    for (const id of ['t', 'w']) hall.enter(id);
    return hall;
  };

  it('may be published by who talks, as long as it talks', async () => {
    const hall = open();
    const { stream, key } = hall.directory.welcome('t')!;
    const gate = roomGate(
      {
        keyNeeded: () => true,
        authorize: async ({ app }: { app: string; name: string; query: string }) => ({ other: app }),
      },
      () => hall.directory,
    );
    const ask = (name: string, query: string, app = 'rooms') => gate.authorize({ app, name, query });
    expect(stream).toBe('rooms/r');
    expect(await ask('r', `key=${encodeURIComponent(key)}`)).toMatchObject({ ok: false });
    hall.say('t', { type: 'talk_ready' });
    expect(await ask('r', `key=${encodeURIComponent(key)}`)).toEqual({ ok: true, identity: 'rooms/r' });
    const other = encodeURIComponent(hall.directory.welcome('w')!.key);
    for (const query of ['', 'key=', `key=${other}`]) {
      expect(await ask('r', query)).toMatchObject({ ok: false, code: 'PUBLISH_REFUSED' });
    }
    expect(await ask('unknown', `key=${encodeURIComponent(key)}`)).toMatchObject({ ok: false });
    expect(await ask('r', '', 'live')).toEqual({ other: 'live' });
    hall.say('t', { type: 'end_talk' });
    expect(await ask('r', `key=${encodeURIComponent(key)}`)).toMatchObject({ ok: false });
    expect(hall.staged).toEqual(['rooms/r false']);
  });

  it('is shown and recorded as the talker and the operator say, and everybody is told', () => {
    const hall = open();
    expect(hall.directory.stageRoom('r', { record: true })).toBeUndefined();
    expect(() => hall.directory.stage('w', { stream: true, record: false })).toThrow(RoomError);
    hall.say('t', { type: 'talk_ready' });
    hall.heard.length = 0;
    hall.directory.stage('t', { stream: false, record: true });
    expect(hall.heard).toEqual(['t', 'w'].map((id) => `${id} stage {"stream":true,"record":true}`));
    expect(hall.directory.isRecorded('rooms/r')).toBe(true);
    expect(hall.directory.list()).toEqual([
      {
        room: 'r',
        members: 2,
        talking: true,
        locked: false,
        stage: { stream: true, record: true },
        stream: 'rooms/r',
      },
    ]);
    expect(hall.directory.stageRoom('r', { record: false })).toEqual({ stream: true, record: false });
    hall.heard.length = 0;
    hall.directory.leave('t');
    expect(hall.heard).toEqual(['w stage {"stream":false,"record":false}', 'w user disconnected {"id":"t"}']);
    expect(hall.staged).toEqual(['rooms/r true', 'rooms/r true', 'rooms/r false']);
  });

  it('of a locked room is told to its members alone', () => {
    const hall = open();
    hall.enter('x', 'locked', 'p');
    hall.say('x', { type: 'talk_ready' });
    hall.directory.stage('x', { stream: true, record: false });
    expect(hall.directory.welcome('x')!.stream).toBe('rooms/hidden');
    expect(hall.directory.list()[0]).not.toHaveProperty('stream');
    expect(hall.directory.list()[0]).toMatchObject({ room: 'locked', locked: true });
  });

  it('lets a watcher offer the picture to those whom the talker sends to it, and to nobody else', () => {
    const hall = open();
    hall.enter('v');
    const offer = (sendto: string): RoomMessage => ({ type: 'offer', sdp: 'v=0', sendto });
    expect(hall.say('w', { type: 'relay', sendto: 'v', parent: 'w' })).toHaveLength(1);
    hall.say('w', { type: 'end_talk' });
    hall.say('t', { type: 'talk_ready' });
    expect(hall.say('w', offer('v'))).toEqual(['ROOM_HAS_TALKER']);
    expect(hall.say('w', { type: 'relay', sendto: 'v', parent: 'w' })).toEqual(['ROOM_HAS_TALKER']);
    hall.say('t', { type: 'relay', sendto: 'v', parent: 'w' });
    expect(hall.say('w', offer('v'))).toHaveLength(1);
    expect(hall.say('v', offer('w'))).toEqual(['ROOM_HAS_TALKER']);
    hall.directory.leave('v');
    hall.enter('v');
    expect(hall.say('w', offer('v'))).toEqual(['ROOM_HAS_TALKER']);
  });

  it('sends files from the talker and to the talker alone', () => {
    const hall = open();
    hall.enter('v');
    hall.say('t', { type: 'talk_ready' });
    const offer = { type: 'file_offer', id: 'file1234', name: 'x', size: 1 } as const;
    expect(hall.say('w', { ...offer, sendto: 'v' })).toEqual(['ROOM_MESSAGE_INVALID']);
    expect(hall.say('w', offer)).toEqual(['ROOM_MESSAGE_INVALID']);
    expect(hall.say('w', { ...offer, sendto: 't' })).toHaveLength(1);
    expect(hall.say('t', offer)).toHaveLength(2);
    expect(hall.say('t', { type: 'file_sent', id: 'file1234' })).toEqual(['ROOM_MESSAGE_INVALID']);
  });

  it('has limits for what is said and sent beside it', () => {
    const settings = { chatPerSecond: 2, relayBytesPerSecond: 1000, relayFileBytes: 2000 };
    const limits = new AsideLimits(() => settings, 0);
    const codes = (message: RoomMessage, times: number, now: number): (string | undefined)[] =>
      Array.from({ length: times }, () => {
        try {
          limits.take(message, now, false);
          return undefined;
        } catch (error) {
          return (error as RoomError).code;
        }
      });
    const chat = { type: 'chat', id: 'chat1234', text: 'x' } as const;
    expect(codes(chat, 8, 0).filter((code) => code === 'TOO_MANY_REQUESTS')).toHaveLength(2);
    expect(codes(chat, 3, 1000).filter((code) => code === undefined)).toHaveLength(2);
    const part = { type: 'file_part', id: 'file1234', index: 0, data: new Uint8Array(1000) } as const;
    expect(codes(part, 4, 0)).toEqual([undefined, undefined, undefined, 'TOO_MANY_REQUESTS']);
    expect(codes(part, 2, 60_000)).toEqual([undefined, 'ROOM_MESSAGE_INVALID']);
    expect(codes({ type: 'talk_request' }, 50, 0).every((code) => code === undefined)).toBe(true);
  });
});
