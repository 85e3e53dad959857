import { expect, it } from 'vitest';
import { encodeAmf0 } from '../../amf/index.ts';
import { ParseError } from '../../model/errors.ts';
import {
  type ControlMessage,
  decodeControl,
  decodeMessage,
  decodeUserControl,
  encodeCommand,
  encodeControl,
  encodeData,
  encodeUserControl,
  type UserControlMessage,
} from './index.ts';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.replace(/\s/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return 'accepted';
};

const CONTROL: readonly (readonly [number, string, ControlMessage])[] = [
  [1, '00001000', { kind: 'setChunkSize', size: 4096 }],
  [2, '00000006', { kind: 'abort', csid: 6 }],
  [3, 'ffffffff', { kind: 'acknowledgement', sequence: 0xffff_ffff }],
  [5, '002625a0', { kind: 'windowAckSize', size: 2_500_000 }],
  [6, '002625a0 00', { kind: 'setPeerBandwidth', size: 2_500_000, limit: 'hard' }],
  [6, '002625a0 01', { kind: 'setPeerBandwidth', size: 2_500_000, limit: 'soft' }],
  [6, '002625a0 02', { kind: 'setPeerBandwidth', size: 2_500_000, limit: 'dynamic' }],
];

it.each(CONTROL)('type %i %s both ways', (type, wire, message) => {
  expect(decodeControl(type, bytes(wire))).toEqual(message);
  expect(encodeControl(message)).toEqual({ type, body: bytes(wire) });
  expect(code(() => decodeControl(type, bytes(wire).subarray(0, -1)))).toBe('RTMP_CONTROL_INVALID');
});

const USER: readonly (readonly [string, UserControlMessage])[] = [
  ['0000 00000001', { kind: 'streamBegin', streamId: 1 }],
  ['0001 00000001', { kind: 'streamEof', streamId: 1 }],
  ['0002 00000001', { kind: 'streamDry', streamId: 1 }],
  ['0003 00000001 00000bb8', { kind: 'setBufferLength', streamId: 1, ms: 3000 }],
  ['0004 00000001', { kind: 'streamIsRecorded', streamId: 1 }],
  ['0006 fffffffe', { kind: 'pingRequest', timestamp: 0xffff_fffe }],
  ['0007 fffffffe', { kind: 'pingResponse', timestamp: 0xffff_fffe }],
  ['001a', { kind: 'swfVerifyRequest', data: new Uint8Array(0) }],
  ['001b 0101', { kind: 'swfVerifyResponse', data: Uint8Array.of(1, 1) }],
  ['001f 00000001', { kind: 'bufferEmpty', streamId: 1 }],
  ['0020 00000001', { kind: 'bufferReady', streamId: 1 }],
  ['0005', { kind: 'unknown', event: 5 }],
];

it.each(USER)('user control %s both ways', (wire, message) => {
  expect(decodeUserControl(bytes(wire))).toEqual(message);
  expect(encodeUserControl(message)).toEqual(bytes(wire));
});

it('refuses user control that is too short', () => {
  for (const wire of ['', '00', '0000 000000', '0003 00000001 000000', '0006 0000', '0020 0000']) {
    expect(code(() => decodeUserControl(bytes(wire)))).toBe('RTMP_CONTROL_INVALID');
  }
});

it('decodes by type', () => {
  const decode = (type: number, body: Uint8Array) =>
    decodeMessage({ csid: 3, type, streamId: 1, timestampMs: 7, body });
  const empty = new Uint8Array(0);
  expect(decode(8, empty)).toEqual({
    kind: 'media',
    type: 'audio',
    streamId: 1,
    timestampMs: 7,
    body: empty,
  });
  expect(decode(9, empty)).toMatchObject({ kind: 'media', type: 'video' });
  expect(decode(4, bytes('0000 00000001'))).toEqual({
    kind: 'userControl',
    event: { kind: 'streamBegin', streamId: 1 },
  });
  expect(decode(20, encodeCommand('play', 4, [null, '名']))).toEqual({
    kind: 'command',
    name: 'play',
    transactionId: 4,
    values: [null, '名'],
  });
  // A command of AMF3 may switch at any value: an integer by 11 04.
  expect(decode(17, bytes('00 02 0001 61 00 0000000000000000 05 11 04 07'))).toEqual({
    kind: 'command',
    name: 'a',
    transactionId: 0,
    values: [null, 7],
  });
  expect(decode(18, encodeData('onCuePoint', [{ a: 1 }]))).toMatchObject({
    kind: 'data',
    name: 'onCuePoint',
  });
  expect(decode(20, encodeAmf0(['bare']))).toMatchObject({ name: 'bare', transactionId: 0, values: [] });
  expect(decode(19, empty)).toEqual({ kind: 'sharedObject', body: empty });
  expect(decode(16, empty)).toEqual({ kind: 'sharedObject', body: empty });
  expect(decode(22, empty)).toEqual({ kind: 'aggregate', messages: [] });
  expect(decode(99, empty)).toEqual({ kind: 'unknown', type: 99 });
  expect(code(() => decode(18, encodeAmf0([null])))).toBe('RTMP_COMMAND_INVALID');
});
