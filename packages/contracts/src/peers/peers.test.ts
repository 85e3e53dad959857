import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../api/index.ts';
import { decodePeerClientMessage, decodePeerServerMessage } from './index.ts';

const secret = 'a-secret-of-enough-letters';

describe('messages of peers', () => {
  it('are read both ways, without what does not belong there', () => {
    expect(decodePeerClientMessage({ type: 'claim', id: 'me', secret, more: 1 })).toEqual({
      type: 'claim',
      id: 'me',
      secret,
    });
    for (const body of [
      { type: 'hello' },
      { type: 'offer', call: 'c', sdp: 'v=0' },
      { type: 'answer', call: 'c', sdp: 'v=0' },
      { type: 'candidate', call: 'c', candidate: 'x', sdpMid: null, sdpMLineIndex: 0 },
      { type: 'bye', call: 'c' },
    ]) {
      expect(decodePeerClientMessage({ ...body, to: 'you', from: 'forged' })).toEqual({ ...body, to: 'you' });
      expect(decodePeerServerMessage({ ...body, from: 'me', to: 'you' })).toEqual({ ...body, from: 'me' });
    }
    for (const told of [
      { type: 'ready', id: 'me', iceServers: [{ urls: ['stun:a'] }], iceTransportPolicy: 'all' },
      { type: 'absent', id: 'you' },
      { type: 'error', code: 'PEER_ID_TAKEN', detail: 'no' },
    ]) {
      expect(decodePeerServerMessage(told)).toEqual(told);
    }
  });

  it('refuse what is malformed', () => {
    for (const value of [
      null,
      [],
      {},
      { type: 'claim', id: 'a b', secret },
      { type: 'claim', id: 'a', secret: 'short' },
      { type: 'hello' },
      { type: 'hello', to: 'x'.repeat(65) },
      { type: 'offer', to: 'you', call: 'c', sdp: 'x'.repeat(60_000) },
      { type: 'candidate', to: 'you', call: 'c', candidate: 'x', sdpMLineIndex: -1 },
      { type: 'ready', to: 'you' },
    ]) {
      expect(() => decodePeerClientMessage(value)).toThrow(DecodeError);
    }
    expect(() => decodePeerServerMessage({ type: 'error', code: 'NO_SUCH', detail: '' })).toThrow(
      DecodeError,
    );
  });

  it('throw nothing else, whatever comes', () => {
    fc.assert(
      fc.property(fc.object(), (value) => {
        for (const decode of [decodePeerClientMessage, decodePeerServerMessage]) {
          try {
            decode(value);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }
      }),
    );
  });
});
