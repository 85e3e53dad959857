import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DecodeError } from '../api/index.ts';
import { decodeRoomEntry, decodeRoomMessage, decodeStampedMessage, isRoomName } from './index.ts';

it('reads every message of the original wire', () => {
  for (const message of [
    { type: 'talk_ready' },
    { type: 'talk_request', sendto: 'a' },
    { type: 'offer', sdp: 'v=0\r\n', sendto: 'a' },
    { type: 'answer', sdp: 'v=0\r\n', sendto: 'a' },
    {
      type: 'candidate',
      sendto: 'a',
      sdpMLineIndex: 0,
      sdpMid: '0',
      candidate: 'candidate:1 1 udp 1 ::1 9 typ host',
    },
    { type: 'bye' },
    { type: 'end_talk' },
  ]) {
    expect(decodeRoomMessage(message)).toEqual(message);
  }
});

it('passes on nothing that does not belong there, a sender least of all', () => {
  const message = JSON.parse(
    '{"type":"bye","from":"victim","room":"other","__proto__":{"from":"victim"},"sdp":"v=0"}',
  );
  expect(decodeRoomMessage(message)).toEqual({ type: 'bye' });
  expect(() => decodeStampedMessage({ type: 'bye' })).toThrow(DecodeError);
});

it.each([
  undefined,
  null,
  [],
  'bye',
  { type: '__proto__' },
  { type: 'offer' },
  { type: 'offer', sdp: 'x'.repeat(50_000) },
  { type: 'candidate', candidate: 1 },
  { type: 'candidate', candidate: '', sdpMLineIndex: -1 },
  { type: 'bye', sendto: { id: 'a' } },
])('refuses %j', (message) => {
  expect(() => decodeRoomMessage(message)).toThrow(DecodeError);
});

it('knows names of rooms in any script, and nothing else', () => {
  for (const name of ['_defaultroom', 'a', 'Raum-7', '講義.1', 'x'.repeat(64)])
    expect(isRoomName(name)).toBe(true);
  for (const name of ['', 'x'.repeat(65), 'a b', 'a/b', '<b>', 'a\u0000', 'e\u0301', '%20', 'a&b=c'])
    expect(isRoomName(name)).toBe(false);
  expect(decodeRoomEntry('a', { password: 'p', more: 1 })).toEqual({ room: 'a', password: 'p' });
  expect(decodeRoomEntry('a', undefined)).toEqual({ room: 'a' });
  for (const room of [undefined, 7, {}, 'a b'])
    expect(() => decodeRoomEntry(room, undefined)).toThrow(DecodeError);
});

it('never throws anything but its own error', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (a, b) => {
      for (const decode of [() => decodeRoomMessage(a), () => decodeRoomEntry(a, b)]) {
        try {
          decode();
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }
    }),
  );
});
