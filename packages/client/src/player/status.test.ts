import { expect, it } from 'vitest';
import type { SourceState } from '../sources/source.ts';
import { type MediaCondition, sameStatus, statusOf } from './status.ts';
import { transportOrder } from './transports.ts';

const playing: MediaCondition = { wanted: true, blocked: false, moving: true };
const still: MediaCondition = { wanted: true, blocked: false, moving: false };
const paused: MediaCondition = { wanted: false, blocked: false, moving: false };

it.each<[SourceState, MediaCondition, string]>([
  [{ kind: 'connecting' }, still, 'connecting'],
  [{ kind: 'waiting' }, still, 'waiting'],
  [{ kind: 'live' }, playing, 'playing'],
  [{ kind: 'live' }, still, 'buffering'],
  [{ kind: 'live' }, paused, 'paused'],
  [{ kind: 'live' }, { ...still, blocked: true }, 'blocked'],
  [{ kind: 'absent', until: 5 }, playing, 'playing'],
  [{ kind: 'absent', until: 5 }, still, 'absent'],
  [{ kind: 'reconnecting', reason: 'x' }, playing, 'playing'],
  [{ kind: 'reconnecting', reason: 'x' }, still, 'reconnecting'],
  [{ kind: 'ended' }, playing, 'playing'],
  [{ kind: 'ended' }, still, 'ended'],
])('%j with %j is %s', (source, media, expected) => {
  expect(statusOf(source, media).kind).toBe(expected);
});

it('tells statuses apart by what they say', () => {
  expect(sameStatus({ kind: 'absent', until: 5 }, { kind: 'absent', until: 5 })).toBe(true);
  expect(sameStatus({ kind: 'absent', until: 5 }, { kind: 'absent', until: 6 })).toBe(false);
});

it('orders transports by what the browser can and a person chose', () => {
  const all = { mediaSource: true, webSocket: true, nativeHls: true, webRtc: true };
  const none = { mediaSource: false, webSocket: true, nativeHls: false, webRtc: false };
  expect(transportOrder('auto', all)).toEqual(['ws', 'llhls', 'hls', 'flv', 'whep']);
  expect(transportOrder('auto', { ...all, nativeHls: false })).toEqual(['ws', 'llhls', 'flv', 'whep']);
  expect(transportOrder('auto', { ...none, nativeHls: true })).toEqual(['hls']);
  expect(transportOrder('auto', none)).toEqual([]);
  expect(transportOrder('flv', all)).toEqual(['flv']);
  expect(transportOrder('whep', { ...all, nativeHls: false })).toEqual(['whep', 'ws', 'llhls', 'flv']);
});
