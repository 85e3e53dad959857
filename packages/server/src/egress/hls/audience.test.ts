import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import type { Stream } from '../../hub/index.ts';
import type { HttpClient } from '../../net/index.ts';
import type { LiveDeps } from '../live/index.ts';
import { Audience } from './audience.ts';

function open() {
  const clock = new FakeClock();
  const closers: ((reason: string) => void)[] = [];
  const sessions = {
    add: ({ close }: { close(reason: string): void }) => {
      closers.push(close);
      return { id: String(closers.length), remove: () => {} };
    },
  };
  const deps = { sessions, log: () => {} } as unknown as LiveDeps;
  const stream = (name: string) => ({ name, attach: () => () => {} }) as unknown as Stream;
  return { audience: new Audience(deps, clock), clock, closers, stream };
}

const client = (address: string): HttpClient => ({ address, local: false, forwarded: false, secure: false });

describe('who asks again', () => {
  it('has the same seat, also on another connection', () => {
    const { audience, stream } = open();
    const [one, other] = [stream('live/one'), stream('live/other')];
    const connection = client('1.1.1.1');
    const headers = { 'user-agent': 'a' };
    const seat = audience.seatOf(one, connection, headers);
    expect(audience.seatOf(one, connection, headers)).toBe(seat);
    expect(audience.seatOf(one, client('1.1.1.1'), headers)).toBe(seat);
    expect(audience.seat({ stream: one, address: '1.1.1.1', agent: 'a' })).toBe(seat);
    expect(audience.seatOf(one, client('1.1.1.2'), headers)).not.toBe(seat);
    expect(audience.seatOf(one, client('1.1.1.1'), { 'user-agent': 'b' })).not.toBe(seat);
    expect(audience.seatOf(other, connection, headers)).not.toBe(seat);
    expect(audience.seatOf(one, connection, headers)).toBe(seat);
    expect(audience.size).toBe(4);
  });

  it('stays away when sent away, and begins anew after a pause', () => {
    const { audience, stream, clock, closers } = open();
    const [one, connection] = [stream('live/one'), client('1.1.1.1')];
    const seat = audience.seatOf(one, connection, {});
    clock.advance(15_000);
    expect(audience.seatOf(one, connection, {})).toBe(seat);
    clock.advance(15_000);
    expect(audience.seatOf(one, connection, {})).toBe(seat);
    clock.advance(60_000);
    expect(audience.size).toBe(0);
    const next = audience.seatOf(one, connection, {});
    expect(next).not.toBe(seat);
    expect(audience.size).toBe(1);
    closers.at(-1)!('kicked');
    expect(audience.seatOf(one, connection, {}).ended).toBe(true);
    audience.close('stopping');
  });
});
