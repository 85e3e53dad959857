import { afterAll, expect, it } from 'vitest';
import { replay, type SimulationResult, simulate } from '../../../../test/kit/relay/simulation.ts';

/** `npm run bench:relay` takes a hundred seeds and a whole minute of churn. */
const seeds = Number(process.env.ONAIR_RELAY_SEEDS ?? 1);
const first = Number(process.env.ONAIR_RELAY_FIRST ?? 1);
const seconds = Number(process.env.ONAIR_RELAY_SECONDS ?? 10);
/** Processor time a coordinator may take for one event. */
const MAX_MICROS = 50;

function tell(name: string, { record: _, faults, ...figures }: SimulationResult, micros: number): void {
  const shown = Object.entries({ ...figures, micros, faults: faults.length });
  const text = shown.map(([key, value]) => `${key} ${Number.isInteger(value) ? value : value.toFixed(3)}`);
  console.log(`relay ${name}: ${text.join(' · ')}`);
}

/** The worst of each figure over all seeds, with its seed. */
const worst = new Map<string, { readonly value: number; readonly seed: number }>();

function remember(seed: number, result: SimulationResult, micros: number): void {
  const { peerShare, maxDepth, maxGap, p99Gap, p99Home, full, faults } = result;
  // The share is the only one of which less is worse.
  const figures = {
    peerShare: -peerShare,
    maxDepth,
    maxGap,
    p99Gap,
    p99Home,
    full,
    faults: faults.length,
    micros,
  };
  for (const [name, value] of Object.entries(figures)) {
    if (value > (worst.get(name)?.value ?? Number.NEGATIVE_INFINITY)) worst.set(name, { value, seed });
  }
}

afterAll(() => {
  if (seeds === 1) return;
  const text = [...worst].map(([name, { value, seed }]) => {
    const shown = Math.abs(value);
    return `${name} ${Number.isInteger(shown) ? shown : shown.toFixed(3)} (seed ${seed})`;
  });
  console.log(`relay, worst of seeds ${first} to ${first + seeds - 1}: ${text.join(' · ')}`);
});

function judge(result: SimulationResult): void {
  expect(result.faults).toEqual([]);
  expect(result.maxDepth).toBeLessThanOrEqual(8);
  expect(result.peerShare).toBeGreaterThanOrEqual(0.9);
  expect(result.orphans).toBeGreaterThan(0);
  expect(result.maxGap).toBeLessThanOrEqual(300);
  expect(result.full).toBe(0);
}

it.each(Array.from({ length: seeds }, (_, at) => at + first))(
  'carries 10,000 peers through churn, seed %i',
  (seed) => {
    const result = simulate({ seed, peers: 10_000, churn: 0.3, seconds });
    const { micros, same } = replay(result.record, seed);
    tell(`10,000 peers, seed ${seed}`, result, micros);
    remember(seed, result, micros);
    judge(result);
    expect(same, 'the same events give the same commands').toBe(true);
    expect(micros).toBeLessThanOrEqual(MAX_MICROS);
  },
  180_000,
);

it.each([11, 12, 13])('keeps every invariant of the whole tree after each event, seed %i', (seed) => {
  const result = simulate({ seed, peers: 120, churn: 2, seconds: 20, thorough: true });
  judge(result);
});
