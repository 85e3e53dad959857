import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DecodeError, Field } from '../api/index.ts';
import {
  decodeAside,
  decodeIceSettings,
  decodeRoomAnswer,
  decodeRoomMessage,
  FILE_PART_BYTES,
  readFilePart,
  writeFilePart,
} from './index.ts';

const id = 'abcd1234';

it('reads everything that goes beside the picture, over a channel and over the server', () => {
  for (const aside of [
    { type: 'chat', id, text: 'hello' },
    { type: 'chat', id, text: '今日は', name: 'Aki' },
    { type: 'reaction', id, sign: '👏' },
    { type: 'file_offer', id, name: 'a b.pdf', size: 7 },
    { type: 'file_accept', id },
    {
      type: 'file_missing',
      id,
      parts: [
        [0, 3],
        [9, 9],
      ],
    },
    { type: 'file_part', id, index: 3, data: new Uint8Array(5) },
  ]) {
    expect(decodeAside(aside)).toEqual(aside);
    expect(decodeRoomMessage({ ...aside, sendto: 'a', from: 'victim' })).toEqual({ ...aside, sendto: 'a' });
  }
  expect(decodeRoomMessage({ type: 'talk_request', spill: 'only' })).toEqual({
    type: 'talk_request',
    spill: 'only',
  });
});

it.each([
  { type: 'chat', id, text: '  ' },
  { type: 'chat', id, text: 'x'.repeat(1001) },
  { type: 'chat', id, text: 'x', name: 'x'.repeat(41) },
  { type: 'chat', id: 'short', text: 'x' },
  { type: 'chat', id: '<script>', text: 'x' },
  { type: 'reaction', id, sign: '<b>' },
  { type: 'file_offer', id, name: '../../etc/passwd', size: 1 },
  { type: 'file_offer', id, name: 'a\u202egpj.exe', size: 1 },
  { type: 'file_offer', id, name: 'a', size: 0 },
  { type: 'file_offer', id, name: 'a', size: 2 ** 40 },
  { type: 'file_missing', id, parts: [[3, 2]] },
  { type: 'file_missing', id, parts: new Array(300).fill([1, 1]) },
  { type: 'file_part', id, index: 0, data: 'text' },
  { type: 'file_part', id, index: 0, data: new Uint8Array(FILE_PART_BYTES + 1) },
  { type: 'spill' },
  [],
])('refuses %j', (aside) => {
  expect(() => decodeAside(aside)).toThrow(DecodeError);
});

it('writes and reads parts of files', () => {
  const data = Uint8Array.from([1, 2, 3]);
  const bytes = writeFilePart(0x01020304, data);
  expect([...bytes]).toEqual([1, 2, 3, 4, 1, 2, 3]);
  expect(readFilePart(bytes)).toEqual({ index: 0x01020304, data });
  expect(writeFilePart(0, new Uint8Array(FILE_PART_BYTES))).toHaveLength(16 * 1024);
  for (const length of [0, 4, 16 * 1024 + 1]) {
    expect(() => readFilePart(new Uint8Array(length))).toThrow(DecodeError);
  }
});

it('reads what a member is told on entering', () => {
  const answer = {
    ok: true,
    id: 'a',
    members: 2,
    maxDirect: 10,
    maxHandOn: 2,
    iceServers: [{ urls: ['turn:a.example'], username: 'u', credential: 'p' }, { urls: ['stun:b.example'] }],
    iceTransportPolicy: 'relay',
    stream: '/rooms/r',
    key: 'k',
    stage: { stream: true, record: false },
    relayed: { fileBytes: 5, perSecond: 6 },
  };
  expect(decodeRoomAnswer(answer)).toEqual(answer);
  expect(() => decodeIceSettings(new Field({ ...answer, iceTransportPolicy: 'none' }))).toThrow(DecodeError);
});

it('never throws anything but its own error', () => {
  fc.assert(
    fc.property(fc.anything(), fc.uint8Array(), (value, bytes) => {
      for (const read of [() => decodeAside(value), () => readFilePart(bytes)]) {
        try {
          read();
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }
    }),
  );
});
