import type { RoomMessage } from '@onair/contracts/rooms';
import { streamName } from '@onair/media';
import { describe, expect, it } from 'vitest';
import { Allowance } from './allowance.ts';
import { RoomDirectory, RoomError, type RoomMember, type RoomPolicy } from './index.ts';

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
