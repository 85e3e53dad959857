import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../api/index.ts';
import {
  decodeRelayNode,
  decodeRelayPeerMessage,
  decodeRelayServerMessage,
  decodeRelayTree,
  RELAY_ROOT,
} from './index.ts';

const A = '0b1f2c3d-0000-4000-8000-00000000000a';
const B = '0b1f2c3d-0000-4000-8000-00000000000b';
const facts = { relayable: true, capacity: 4, rtt: 20.5, uplink: 8_000_000 };

describe('relay messages', () => {
  it('reads what it documents', () => {
    const peer = [
      { type: 'announce', uuid: A, parent_uuid: RELAY_ROOT, children_uuid: [B], ...facts, secret: 's' },
      { type: 'report', ...facts },
      { type: 'report', ...facts, taken: { peers: 7, server: 8 } },
      { type: 'want', sequences: [5, 9] },
      { type: 'signal', peer_uuid: B, attempt: 7, description: { type: 'offer', sdp: 'v=0' } },
      { type: 'signal', peer_uuid: B, attempt: 7, candidate: { candidate: 'candidate:1', mid: '0' } },
      { type: 'ping', id: 1 },
      { type: 'probe', bytes: 65536 },
      { type: 'attached', attempt: 7 },
      { type: 'failed', attempt: 7 },
      { type: 'lost', parent_uuid: B, reason: 'late' },
      { type: 'leave' },
    ];
    for (const message of peer) expect(decodeRelayPeerMessage(JSON.stringify(message))).toEqual(message);
    const server = [
      { type: 'feed' },
      { type: 'connect', parent_uuid: B, attempt: 7 },
      { type: 'expect', child_uuid: A, attempt: 7 },
      { type: 'release', child_uuid: A },
      { type: 'cancel', attempt: 7 },
      { type: 'full' },
      {
        type: 'hello',
        stream: 'live/a',
        state: 'waiting',
        until: 9,
        now: 1,
        iceServers: [{ urls: ['turn:t'], username: 'u', credential: 'c' }],
        addresses: 'turn',
        silentMs: 250,
        maxChildren: 8,
        uploadBits: 0,
      },
      { type: 'signal', peer_uuid: B, attempt: 7, description: { type: 'answer', sdp: 'v=0' } },
      { type: 'pong', id: 1, now: 5 },
      { type: 'gone', sequences: [5] },
      { type: 'skip', blocks: 3 },
      { type: 'probed', bytes: 5, ms: 1.5 },
    ];
    for (const message of server) expect(decodeRelayServerMessage(JSON.stringify(message))).toEqual(message);
    const node = { uuid: A, parent_uuid: RELAY_ROOT, children_uuid: [B], depth: 1, ...facts };
    expect(decodeRelayNode(node)).toEqual(node);
  });

  it('reads what a tree is', () => {
    const node = { uuid: A, parent_uuid: RELAY_ROOT, children_uuid: [B], depth: 1, ...facts };
    const tree = {
      stream: 'live/a',
      enabled: true,
      root_uuid: RELAY_ROOT,
      sent: { blocks: 1, index: 2 },
      relayed: 3,
      nodes: [{ ...node, peerBytes: 4, serverBytes: 5 }],
    };
    expect(decodeRelayTree(tree)).toEqual(tree);
  });

  it('lets nobody be the root, and cuts boasts', () => {
    const announce = { type: 'announce', uuid: RELAY_ROOT, parent_uuid: A, children_uuid: [], ...facts };
    expect(() => decodeRelayPeerMessage(JSON.stringify(announce))).toThrow(DecodeError);
    const boast = { type: 'report', ...facts, capacity: 1e6 };
    expect(decodeRelayPeerMessage(JSON.stringify(boast))).toMatchObject({ capacity: 64 });
  });

  it.each([
    '',
    'null',
    '[]',
    '{"type":"__proto__"}',
    '{"type":"attached"}',
    '{"type":"attached","attempt":-1}',
    '{"type":"report","relayable":true,"capacity":1,"rtt":-1,"uplink":0}',
    `{"type":"lost","parent_uuid":"${A.toUpperCase()}","reason":"late"}`,
    `{"type":"lost","parent_uuid":"${A}","reason":"bored"}`,
    `{"type":"leave","more":"${'x'.repeat(9000)}"}`,
  ])('refuses %s', (text) => {
    expect(() => decodeRelayPeerMessage(text)).toThrow(DecodeError);
    expect(() => decodeRelayServerMessage(text)).toThrow(DecodeError);
  });

  it('never throws anything but its own error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const decode of [decodeRelayPeerMessage, decodeRelayServerMessage]) {
          try {
            decode(text);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }
      }),
    );
  });
});
