import { describe, expect, it } from 'vitest';
import { LATENCY_TARGETS, LiveEdge, RATE_RANGE } from './live-edge.ts';

/** Plays a stream of chunks of `chunk` seconds for `seconds`; returns the media ahead just before each chunk. */
function simulate(
  edge: LiveEdge,
  start: number,
  chunk: number,
  seconds: number,
  rates: number[] = [],
): number {
  let ahead = start;
  let least = start;
  let skipped = 0;
  let rate = 1;
  const tick = 0.1;
  let sinceChunk = 0;
  for (let t = 0; t < seconds; t += tick) {
    ahead -= tick * rate;
    sinceChunk += tick;
    if (sinceChunk >= chunk - 1e-9) {
      edge.observe(t * 1000, ahead);
      least = ahead;
      ahead += sinceChunk;
      sinceChunk = 0;
    }
    edge.observe(t * 1000, ahead);
    const decision = edge.decide(t * 1000);
    if (decision.skip > 0) {
      skipped += decision.skip;
      ahead -= decision.skip;
    }
    rate = decision.rate;
    rates.push(rate);
  }
  return skipped > 0 ? -skipped : least;
}

describe('live edge', () => {
  it.each([0.1, 0.2, 0.5])('settles at the margin whatever the chunks’ length (%d s)', (chunk) => {
    const rates: number[] = [];
    const least = simulate(new LiveEdge('lowest'), 0.9, chunk, 40, rates);
    expect(Math.abs(least - LATENCY_TARGETS.lowest.margin)).toBeLessThan(0.1);
    expect(Math.max(...rates)).toBeLessThanOrEqual(RATE_RANGE.max);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(RATE_RANGE.min);
  });

  it('changes the rate smoothly', () => {
    const rates = [1];
    simulate(new LiveEdge('lowest'), 0.9, 0.1, 20, rates);
    for (let i = 1; i < rates.length; i++)
      expect(Math.abs(rates[i]! - rates[i - 1]!)).toBeLessThanOrEqual(0.0301);
  });

  it('leaves the rate alone where it must, and moves the position sooner', () => {
    const rates: number[] = [];
    const least = simulate(new LiveEdge('lowest', true), 0.9, 0.1, 20, rates);
    expect(new Set(rates)).toEqual(new Set([1]));
    expect(least).toBeLessThan(-0.5);
    expect(simulate(new LiveEdge('lowest', true), 0.5, 0.1, 20)).toBeGreaterThan(0);
  });

  it('holds rate 1 near the margin', () => {
    const edge = new LiveEdge('balanced');
    for (let t = 0; t < 3000; t += 100) edge.observe(t, 0.85);
    expect(edge.decide(3000)).toEqual({ rate: 1, skip: 0 });
  });

  it('slows down when there is too little', () => {
    const edge = new LiveEdge('balanced');
    let rate = 1;
    for (let t = 0; t < 2000; t += 100) {
      edge.observe(t, 0.1);
      rate = edge.decide(t).rate;
    }
    expect(rate).toBe(RATE_RANGE.min);
  });

  it('moves the position only when far off', () => {
    const edge = new LiveEdge('lowest');
    edge.observe(0, 5);
    expect(edge.decide(0).skip).toBeCloseTo(5 - LATENCY_TARGETS.lowest.margin);
    const near = new LiveEdge('smoothest');
    near.observe(0, 5);
    expect(near.decide(0).skip).toBe(0);
  });

  it('wants more margin after a stall and forgets it slowly', () => {
    const edge = new LiveEdge('lowest');
    const { margin, maxMargin } = LATENCY_TARGETS.lowest;
    edge.stalled(0);
    expect(edge.margin).toBeGreaterThan(margin);
    for (let i = 0; i < 20; i++) edge.stalled(i * 1500);
    expect(edge.margin).toBe(maxMargin);
    for (let t = 30_000; t < 200_000; t += 100) edge.decide(t);
    expect(edge.margin).toBe(margin);
  });

  it('wants more margin when media came so late that it nearly stood, once for each time', () => {
    const edge = new LiveEdge('lowest');
    const { margin } = LATENCY_TARGETS.lowest;
    const see = (from: number, to: number, ahead: number): void => {
      for (let t = from; t < to; t += 100) {
        edge.observe(t, ahead);
        edge.decide(t);
      }
    };
    // That play begins with little is no sign of it.
    see(0, 1000, 0.05);
    expect(edge.margin).toBe(margin);
    see(1000, 4000, margin);
    expect(edge.margin).toBe(margin);
    see(4000, 4200, 0.07);
    see(4200, 5000, margin);
    expect(edge.margin).toBeCloseTo(margin * 1.5);
    see(5000, 9000, margin * 1.5);
    see(9000, 9100, 0.05);
    expect(edge.margin).toBeCloseTo(margin * 1.5 ** 2);
  });

  it('does nothing before it has seen anything', () => {
    expect(new LiveEdge('lowest').decide(0)).toEqual({ rate: 1, skip: 0 });
  });
});
