import type { Health, SessionInfo, StreamInfo } from '@onair/contracts/api';
import { expect, it } from 'vitest';
import { alertsOf, outRate, relayedBytes, sentBytes } from './figures.ts';

const health: Health = {
  status: 'ok',
  uptime: 10,
  live: 1,
  publishers: 1,
  viewers: 1,
  eventLoopDelayMs: 2,
  memoryBytes: 1e8,
  cpuSeconds: 4,
};
const stream: StreamInfo = {
  name: 'live/a',
  state: 'live',
  since: 0,
  tracks: [
    { kind: 'video', codec: 'h264' },
    { kind: 'audio', codec: 'aac' },
  ],
  viewers: 1,
  viewersByTransport: {},
  bytesIn: 0,
  bytesOut: 1000,
  bitrateIn: 4e6,
  bitrateHistory: [4e6, 4e6, 4e6, 4e6, 4e6, 4e6],
  epoch: 0,
};
const session: SessionInfo = {
  id: 's',
  kind: 'viewer',
  protocol: 'http-flv',
  stream: 'live/a',
  address: '::1',
  since: 0,
  bytes: 0,
  dropped: 0,
  skips: 0,
};

it('computes what leaves the server, also when streams come, go or begin anew', () => {
  const before = sentBytes([stream, { ...stream, name: 'live/gone', bytesOut: 5e6 }]);
  const now = sentBytes([
    { ...stream, bytesOut: 251_000 },
    { ...stream, name: 'live/new', bytesOut: 250_000 },
  ]);
  expect(outRate(before, now, 2000)).toBe(2_000_000);
  expect(outRate(now, sentBytes([{ ...stream, bytesOut: 500 }]), 1000)).toBe(4000);
  expect(outRate(before, now, 0)).toBe(0);
});

it('counts what viewers give each other only where a stream is passed on', () => {
  expect(relayedBytes([stream])).toEqual(new Map());
  expect(relayedBytes([stream, { ...stream, name: 'live/b', bytesRelayed: 7 }])).toEqual(
    new Map([['live/b', 7]]),
  );
});

it('is silent while all is well', () => {
  expect(alertsOf(health, [stream], [session])).toEqual([]);
  expect(alertsOf(undefined, [], [])).toEqual([]);
});

it('names what needs the operator, the server itself first', () => {
  const streams: StreamInfo[] = [
    { ...stream, tracks: [{ kind: 'video', codec: 'h264' }] },
    { ...stream, name: 'live/b', state: 'waiting' },
    { ...stream, name: 'live/c', bitrateIn: 0 },
  ];
  const slow = { ...session, backlogMs: 3000 };
  expect(alertsOf({ ...health, status: 'stopping', eventLoopDelayMs: 180 }, streams, [slow, slow])).toEqual([
    { kind: 'stopping' },
    { kind: 'busy', loopDelay: 180 },
    { kind: 'silent', stream: 'live/a' },
    { kind: 'slow', stream: 'live/a', sessions: 2 },
    { kind: 'waiting', stream: 'live/b' },
    { kind: 'stalled', stream: 'live/c' },
  ]);
});
