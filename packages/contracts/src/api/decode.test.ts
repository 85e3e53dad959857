import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DecodeError,
  decodeHealth,
  decodeKeyList,
  decodeNewKey,
  decodeServerInfo,
  decodeSessionList,
  decodeSignInState,
  decodeStreamInfo,
  decodeStreamList,
  type SessionInfo,
  type StreamInfo,
} from './index.ts';

const stream: StreamInfo = {
  name: 'live/test',
  state: 'waiting',
  since: 1_700_000_000_000,
  publisher: { session: 's1', protocol: 'rtmp', address: '127.0.0.1', encoder: 'エンコーダ 🎥', since: 5 },
  tracks: [
    { kind: 'video', codec: 'h264', codecString: 'avc1.64001f', width: 1280, height: 720, frameRate: 29.97 },
    { kind: 'audio', codec: 'aac', sampleRate: 48_000, channels: 2, bitrate: 128_000 },
  ],
  viewers: 3,
  viewersByTransport: { rtmp: 1, 'ws-fmp4': 2 },
  bytesIn: 10,
  bytesOut: 30,
  bitrateIn: 2_500_000.5,
  bitrateHistory: [1, 2, 3],
  epoch: 2,
  reconnectDeadline: 1_700_000_030_000,
};
const session: SessionInfo = {
  id: 'abc',
  kind: 'viewer',
  protocol: 'ws-fmp4',
  stream: 'live/test',
  address: '::1',
  since: 1,
  bytes: 5,
  bitrate: 8,
  dropped: 0,
  skips: 1,
  backlogMs: 20,
  backlogBytes: 0,
  agent: 'mpv',
};
const copy = <T>(value: T): unknown => JSON.parse(JSON.stringify(value));

function faultOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return (error as DecodeError).message;
  }
  return 'none';
}

describe('decoders of the API', () => {
  it('read what was written', () => {
    expect(decodeStreamInfo(copy(stream))).toEqual(stream);
    expect(decodeStreamList({ streams: [copy(stream)] })).toEqual({ streams: [stream] });
    const list = { sessions: [session], next: 'abc' };
    expect(decodeSessionList(copy(list))).toEqual(list);
    const info = {
      version: '1',
      nodeTime: 5,
      ports: { http: 1, rtmp: 2 },
      admin: true,
      keyNeeded: false,
      demoAccount: false,
    };
    expect(decodeServerInfo(copy(info))).toEqual(info);
    const key = { id: 'k', app: 'live', name: 'a', label: 'b', created: 1, key: 'secret' };
    expect(decodeNewKey(copy(key))).toEqual(key);
    expect(decodeKeyList({ keys: [{ id: 'k', app: 'live', created: 1 }] }).keys).toHaveLength(1);
    expect(decodeSignInState({ admin: false })).toEqual({ admin: false });
    const health = {
      status: 'ok',
      uptime: 1.5,
      live: 1,
      publishers: 1,
      viewers: 2,
      eventLoopDelayMs: 0.3,
      memoryBytes: 5,
      cpuSeconds: 1.5,
    };
    expect(decodeHealth(copy(health))).toEqual(health);
  });

  it('leave out unknown fields, so that old clients read new servers', () => {
    expect(decodeSessionList({ sessions: [{ ...session, colour: 'red' }], more: 1 })).toEqual({
      sessions: [session],
    });
  });

  it.each([
    [{ ...stream, state: 'on' }, 'state: expected one of live, waiting, idle, ended, received "on"'],
    [{ ...stream, viewers: -1 }, 'viewers: expected an integer of at least 0, received -1'],
    [{ ...stream, viewers: '3' }, 'viewers: expected an integer of at least 0, received "3"'],
    [
      { ...stream, tracks: [{ kind: 'smell' }] },
      'tracks[0].kind: expected one of video, audio, data, received "smell"',
    ],
    [{ ...stream, viewersByTransport: [] }, 'viewersByTransport: expected an object, received a list of 0'],
    [
      { ...stream, bitrateHistory: Array(61).fill(0) },
      'bitrateHistory: expected a list of at most 60, received a list of 61',
    ],
    [{ ...stream, name: 'x'.repeat(130) }, /^name: expected a string of at most 129 characters/],
    [null, 'the message: expected an object, received null'],
    ['\u001b[31m', 'the message: expected an object, received "\\u001b[31m"'],
  ])('name the field that is wrong (%#)', (value, message) => {
    expect(faultOf(() => decodeStreamInfo(value))).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });

  it('keep names such as __proto__ inside the map', () => {
    const value = JSON.parse(JSON.stringify(stream).replace('"rtmp":1', '"__proto__":1'));
    const counts = decodeStreamInfo(value).viewersByTransport;
    expect(Object.getPrototypeOf(counts)).toBe(null);
    expect(Object.keys(counts)).toEqual(['__proto__', 'ws-fmp4']);
    const hidden = JSON.parse('{"__proto__":{"admin":true}}');
    expect(faultOf(() => decodeSignInState(hidden))).toBe('admin: expected true or false, received nothing');
  });

  it('throw nothing but DecodeError', () => {
    const readers = [decodeStreamInfo, decodeSessionList, decodeServerInfo, decodeHealth, decodeKeyList];
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...readers), (value, read) => {
        faultOf(() => read(value));
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(stream)), fc.jsonValue(), (name, value) => {
        faultOf(() => decodeStreamInfo({ ...stream, [name]: value }));
      }),
      { numRuns: 500 },
    );
  });
});
