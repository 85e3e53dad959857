import { streamName } from '@onair/media';
import { expect, it } from 'vitest';
import { passedOn } from './addresses.ts';
import { believedIntake } from './intake.ts';
import { mayRelay, type RelaySettings } from './settings.ts';

const settings: RelaySettings = {
  enabled: true,
  streams: [],
  addresses: 'open',
  maxChildren: 8,
  uploadBits: 0,
  maxPeers: 10,
  silentMs: 250,
};

it('relays what the settings name', () => {
  const name = streamName('live', 'a');
  expect(mayRelay(settings, name)).toBe(true);
  expect(mayRelay({ ...settings, enabled: false }, name)).toBe(false);
  expect(mayRelay({ ...settings, streams: ['live'] }, name)).toBe(true);
  expect(mayRelay({ ...settings, streams: ['live/a'] }, name)).toBe(true);
  expect(mayRelay({ ...settings, streams: ['live/b', 'other'] }, name)).toBe(false);
});

it('tells peers no address but that of the TURN server where a site wants it so', () => {
  const own = 'candidate:1 1 UDP 2122 198.51.100.7 4000 typ host';
  const reflexive = 'candidate:2 1 UDP 1686 198.51.100.7 4001 typ srflx raddr 10.0.0.9 rport 4000';
  const relayed = 'candidate:3 1 UDP 41 203.0.113.5 5000 typ relay raddr 198.51.100.7 rport 4001';
  const lines = ['v=0', 'o=- 1 2 IN IP4 198.51.100.7', 'c=IN IP4 198.51.100.7', `a=${own}`, `a=${reflexive}`];
  const sdp = [...lines, `a=${relayed}`, 'a=mid:0', ''].join('\r\n');
  const signal = { attempt: 3, description: { type: 'offer' as const, sdp } };
  expect(passedOn(signal, 'open')).toEqual(signal);
  const passed = JSON.stringify(passedOn(signal, 'turn'));
  expect(passed).not.toMatch(/198\.51\.100\.7|10\.0\.0\.9/);
  expect(passed).toContain('203.0.113.5 5000 typ relay raddr 0.0.0.0 rport 0');
  expect(passed).toContain('a=mid:0');
  const single = (candidate: string) => passedOn({ attempt: 3, candidate: { candidate, mid: '0' } }, 'turn');
  expect(single(own)).toBeUndefined();
  expect(single(reflexive)).toBeUndefined();
  expect(single(`${own} typ relay`)).toBeUndefined();
  expect(JSON.stringify(single(relayed))).toContain('203.0.113.5');
  expect(single('')).toEqual({ attempt: 3, candidate: { candidate: '', mid: '0' } });
});

it('counts what viewers say they took from each other, within what there was', () => {
  const none = { peers: 0, server: 0 };
  expect(believedIntake(none, { peers: 900, server: 100 }, 1000)).toEqual({ peers: 900, server: 100 });
  // A count that went back would look like a new one, and be counted again.
  expect(believedIntake({ peers: 900, server: 100 }, none, 1000)).toEqual({ peers: 900, server: 100 });
  const boast = believedIntake(none, { peers: 1e15, server: 0 }, 1e6);
  expect(boast.peers).toBeLessThan(25e6);
});
