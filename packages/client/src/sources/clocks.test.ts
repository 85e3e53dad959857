import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ArrivalClock } from './arrival-clock.ts';
import { BackOff } from './back-off.ts';
import { BitrateMeter } from './bitrate-meter.ts';
import { ServerClock } from './server-clock.ts';
import { WallClockMap } from './wall-clock-map.ts';

describe('server clock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('believes the quickest round trip', () => {
    const clock = new ServerClock();
    expect(clock.now()).toBe(1_000_000);
    clock.guess(1_005_000, 1_000_000);
    expect([clock.offset, clock.synchronised]).toEqual([5000, false]);
    clock.trip(1_000_000, 1_000_400, 1_003_390);
    clock.trip(1_001_000, 1_001_020, 1_004_010);
    clock.trip(1_002_000, 1_002_300, 1_005_290);
    expect([clock.offset, clock.rtt]).toEqual([3000, 20]);
    expect(clock.now()).toBe(1_003_000);
  });

  it('errs by at most half the quickest round trip, wherever the delay lies', () => {
    const trip = fc.record({ there: fc.nat(500), back: fc.nat(500) });
    fc.assert(
      fc.property(
        fc.array(trip, { minLength: 1, maxLength: 16 }),
        fc.integer({ min: -1e9, max: 1e9 }),
        (trips, offset) => {
          const clock = new ServerClock();
          let now = 1_000_000;
          for (const { there, back } of trips) {
            clock.trip(now, now + there + back, now + there + offset);
            now += 1000;
          }
          const quickest = Math.min(...trips.map(({ there, back }) => there + back));
          expect(Math.abs(clock.offset - offset)).toBeLessThanOrEqual(quickest / 2);
        },
      ),
    );
  });

  it('forgets old trips, as clocks drift, and those that end before they begin', () => {
    const clock = new ServerClock();
    clock.trip(0, 1, 1000);
    for (let i = 0; i < 16; i++) clock.trip(0, 10, 5);
    expect(clock.offset).toBe(0);
    clock.trip(100, 50, 9999);
    expect(clock.offset).toBe(0);
  });
});

describe('wall clock map', () => {
  it('tells when the picture at a media time came in, between pictures too', () => {
    const map = new WallClockMap();
    for (let i = 0; i < 10; i++) map.add(i / 10, 5000 + i * 100);
    expect(map.wallAt(0.3)).toBeCloseTo(5300);
    expect(map.wallAt(0.35)).toBeCloseTo(5350);
    expect(map.wallAt(-1)).toBeUndefined();
    expect(map.wallAt(20)).toBeUndefined();
  });

  it('copes with reordered pictures, unknown clocks and a new timeline', () => {
    const map = new WallClockMap();
    map.add(1, 1000);
    map.add(1.12, 1040);
    map.add(1.04, 1080);
    map.add(2, 0);
    expect(map.wallAt(1.05)).toBeCloseTo(1090);
    map.add(0, 9000);
    expect(map.wallAt(1.12)).toBeCloseTo(10_120);
    map.clear();
    expect(map.wallAt(0)).toBeUndefined();
  });

  it('keeps a bounded list', () => {
    const map = new WallClockMap();
    for (let i = 0; i < 10_000; i++) map.add(i / 30, 1 + i);
    expect(map.wallAt(0)).toBeUndefined();
    expect(map.wallAt(9999 / 30)).toBeCloseTo(10_000);
  });
});

describe('arrival clock', () => {
  it('leaves the burst of a join out of account', () => {
    const clock = new ArrivalClock();
    for (let i = 0; i < 60; i++) clock.add(i / 30, 10_000);
    for (let i = 60; i < 120; i++) clock.add(i / 30, 10_000 + (i - 59) * (1000 / 30));
    expect(clock.latency(119 / 30 - 0.5, 12_000)).toBeCloseTo(0.5, 1);
  });

  it('begins anew after silence', () => {
    const clock = new ArrivalClock();
    expect(clock.latency(1, 0)).toBeUndefined();
    for (let i = 0; i < 30; i++) clock.add(i / 30, 1000 + (i * 1000) / 30);
    clock.add(1, 9000);
    expect(clock.latency(1, 9200)).toBeCloseTo(0.2);
    clock.clear();
    expect(clock.latency(1, 9200)).toBeUndefined();
  });
});

it('backs off by doubling to five seconds, with a little chance', () => {
  const even = new BackOff(() => 0.5);
  expect([0, 0, 0, 0, 0, 0, 0].map(() => even.next())).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
  even.reset();
  expect(even.next()).toBe(250);
  expect(new BackOff(() => 0).next()).toBe(225);
});

it('gives up early where nothing ever worked, later where it did', () => {
  const backOff = new BackOff(() => 0.5);
  const given = (): number => {
    let attempts = 0;
    for (; !backOff.exhausted; attempts++) backOff.next();
    return attempts;
  };
  expect(given()).toBe(2);
  backOff.reset();
  expect(given()).toBe(4);
});

it('meters bits per second over the last seconds', () => {
  const meter = new BitrateMeter();
  expect(meter.bitsPerSecond(0)).toBeUndefined();
  for (let t = 0; t <= 10_000; t += 50) meter.add(1250, t);
  expect(meter.bitsPerSecond(10_000)!).toBeGreaterThan(190_000);
  expect(meter.bitsPerSecond(10_000)!).toBeLessThan(210_000);
  expect(meter.bitsPerSecond(20_000)).toBe(0);
  expect(meter.total).toBe(201 * 1250);
});
