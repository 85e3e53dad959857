import type { RelayFacts, RelayUuid } from '@onair/contracts/relay';

/** How a simulated peer goes: `closed`, everybody is told; `cut`, nobody is; `mute`, it only stops serving. */
export type Ending = 'closed' | 'cut' | 'mute';

/** A viewer of the simulation. */
export interface SimPeer {
  readonly uuid: RelayUuid;
  readonly facts: RelayFacts;
  /** False once it is gone. */
  alive: boolean;
  /** False while it serves nobody although it should. */
  serves: boolean;
  /** Who feeds it; undefined in the gap after its parent went. */
  source: SimPeer | 'server' | undefined;
  /** The former source, which feeds on until the coordinator has agreed. */
  previous: SimPeer | 'server' | undefined;
  readonly serving: Set<SimPeer>;
  attempt: number;
  /** When the gap began; NaN if there is none. */
  orphanedAt: number;
  /** When it last fell back to the server; NaN if a peer feeds it. */
  rescuedAt: number;
}

let names = 0;

/** A name like a UUID; each call another. */
export function nextUuid(): RelayUuid {
  return `00000000-0000-4000-8000-${(++names).toString(16).padStart(12, '0')}` as RelayUuid;
}

/**
 * An audience at home and on the move: a fifth lends nothing (mobile data, battery, tab in the background), the uplinks
 * of the others lie between 1 and 100 Mbit/s. Round trips to the server are log-normal around 30 ms, from 8 to 150 ms.
 */
export function drawFacts(random: () => number): RelayFacts {
  const kind = random();
  const between = (low: number, high: number): number => (low + (high - low) * random()) * 1e6;
  const uplink =
    kind < 0.2
      ? between(1, 10)
      : kind < 0.45
        ? between(1, 4)
        : kind < 0.75
          ? between(5, 15)
          : kind < 0.9
            ? between(20, 50)
            : between(50, 100);
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const rtt = Math.min(150, Math.max(8, 30 * Math.exp(0.6 * normal)));
  return { relayable: kind >= 0.2, capacity: 12, rtt, uplink };
}

/** A viewer with nothing yet. */
export function createSimPeer(uuid: RelayUuid, facts: RelayFacts): SimPeer {
  return {
    uuid,
    facts,
    alive: true,
    serves: true,
    source: undefined,
    previous: undefined,
    serving: new Set(),
    attempt: 0,
    orphanedAt: Number.NaN,
    rescuedAt: Number.NaN,
  };
}
