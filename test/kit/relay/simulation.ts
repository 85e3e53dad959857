import {
  coordinate,
  createRelayState,
  faultsOf,
  type RelayEvent,
  type RelayPeer,
  type RelayState,
} from '../../../packages/server/src/relay/index.ts';
import { Agenda } from './agenda.ts';
import { Audience } from './audience.ts';
import { seededRandom } from './random.ts';
import type { SimPeer } from './sim-peer.ts';

/** What is simulated. */
export interface SimulationOptions {
  readonly seed: number;
  readonly peers: number;
  /** Share of the audience that goes, and is replaced, per minute. */
  readonly churn: number;
  /** Simulated seconds after the audience has gathered. */
  readonly seconds: number;
  /** Whether the whole tree is inspected after each event; else those that the event touched, and all every other second. */
  readonly thorough?: boolean;
}

/** One event as the coordinator got it, and how many commands came of it; `undefined` for a restart. */
export interface Recorded {
  readonly now: number;
  readonly event: RelayEvent | undefined;
  readonly commands: number;
}

/** The figures of a run. Times in simulated milliseconds. */
export interface SimulationResult {
  readonly peers: number;
  readonly peerShare: number;
  readonly maxDepth: number;
  readonly orphans: number;
  readonly maxGap: number;
  readonly p99Gap: number;
  readonly p50Home: number;
  readonly p99Home: number;
  readonly events: number;
  /** Mean depth at the end. */
  readonly meanDepth: number;
  /** All that went into the coordinator, to be given to another one. */
  readonly record: readonly Recorded[];
  readonly direct: number;
  readonly full: number;
  readonly faults: readonly string[];
}

/** Seconds in which the audience gathers. */
const GATHER_S = 10;

/** Runs one audience through churn, mass deaths, a lost publisher and a restart of the coordinator. */
export function simulate(options: SimulationOptions): SimulationResult {
  const random = seededRandom(options.seed);
  const agenda = new Agenda();
  const draw = seededRandom(options.seed + 1);
  let state = createRelayState(0);
  const record: Recorded[] = [];
  const faults: string[] = [];
  let maxDepth = 0;

  const tell = (event: RelayEvent): void => {
    const commands = coordinate(state, event, { now: agenda.now, random: draw });
    record.push({ now: agenda.now, event, commands: commands.length });
    if (options.thorough) inspect(state, undefined);
    else if (commands.length > 0) {
      const touched = new Set<RelayPeer>();
      const touch = (peer: RelayPeer | undefined): void => {
        if (peer !== undefined) touched.add(peer);
      };
      if ('uuid' in event) touch(state.tree.find(event.uuid));
      for (const { to } of commands) touch(state.tree.find(to));
      inspect(state, touched);
    }
    for (const command of commands) audience.deliver(command);
  };
  const inspect = (of: RelayState, peers: Iterable<RelayPeer> | undefined): void => {
    for (const peer of peers ?? of.tree.peers) if (peer.depth > maxDepth) maxDepth = peer.depth;
    const found = faultsOf(of, peers);
    if (found.length > 0 && faults.length < 20)
      faults.push(`at ${agenda.now.toFixed(1)}: ${found.join('; ')}`);
  };
  const audience = new Audience(agenda, random, tell);

  const some = (): SimPeer => {
    for (;;) {
      const peer = names[Math.floor(random() * names.length)]!;
      if (peer.alive) return peer;
    }
  };
  let names: SimPeer[] = [];
  const everyTick = (): void => {
    tell({ kind: 'tick' });
    agenda.in(100, everyTick);
  };
  const everyOther = (): void => {
    inspect(state, undefined);
    faults.push(...cycles(audience));
    names = [...audience.peers.values()];
    agenda.in(2000, everyOther);
  };

  agenda.in(0, everyTick);
  agenda.in(500, everyOther);
  for (let at = 0; at < options.peers; at++)
    agenda.in((at / options.peers) * GATHER_S * 1000, () => audience.join());
  agenda.runTo(GATHER_S * 1000 + 3000);
  audience.settleAccount();
  audience.seen.serverMs = 0;
  audience.seen.peerMs = 0;
  names = [...audience.peers.values()];

  const goings = (options.peers * options.churn) / 60;
  const goOn = (): void => {
    const kind = random();
    audience.end(some(), kind < 0.85 ? 'closed' : kind < 0.98 ? 'cut' : 'mute');
    audience.join();
    agenda.in((-Math.log(1 - random()) * 1000) / goings, goOn);
  };
  agenda.in(0, goOn);
  const part = (options.seconds * 1000) / 10;
  // Somebody whose browser comes and goes.
  const waver = (): void => {
    const peer = some();
    const again = (): void => {
      audience.end(peer, 'closed');
      agenda.in(500, () => audience.join(peer.uuid));
    };
    again();
  };
  for (let at = 1; at < 10; at++) agenda.in(part * at, waver);
  // One in twenty dies in the same instant.
  agenda.in(part * 3, () => {
    for (const peer of names) if (random() < 0.05) audience.end(peer, random() < 0.5 ? 'closed' : 'cut');
    for (let at = 0; at < options.peers / 20; at++) agenda.in(random() * 5000, () => audience.join());
  });
  agenda.in(part * 5, () => tell({ kind: 'source', present: false }));
  agenda.in(part * 6, () => tell({ kind: 'source', present: true }));
  agenda.in(part * 8, () => {
    state = createRelayState(agenda.now);
    record.push({ now: agenda.now, event: undefined, commands: 0 });
    for (const peer of audience.peers.values()) {
      agenda.in(random() * 500 + peer.facts.rtt, () => audience.announce(peer));
    }
  });
  agenda.runTo(agenda.now + options.seconds * 1000);
  audience.settleAccount();
  inspect(state, undefined);

  const { serverMs, peerMs, gaps, homecomings, full } = audience.seen;
  return {
    peers: state.tree.size,
    peerShare: peerMs / (peerMs + serverMs),
    maxDepth,
    orphans: gaps.length,
    maxGap: quantile(gaps, 1),
    p99Gap: quantile(gaps, 0.99),
    p50Home: quantile(homecomings, 0.5),
    p99Home: quantile(homecomings, 0.99),
    events: record.length,
    meanDepth: [...state.tree.peers].reduce((sum, { depth }) => sum + depth, 0) / state.tree.size,
    record,
    direct: state.tree.direct.size,
    full,
    faults,
  };
}

/** Gives a record to a coordinator of its own. Returns the processor time per event in microseconds. */
export function replay(record: readonly Recorded[], seed: number): { micros: number; same: boolean } {
  const random = seededRandom(seed + 1);
  let state = createRelayState(0);
  let same = true;
  const before = process.cpuUsage();
  for (const { now, event, commands } of record) {
    if (event === undefined) state = createRelayState(now);
    else if (coordinate(state, event, { now, random }).length !== commands) same = false;
  }
  const { user, system } = process.cpuUsage(before);
  return { micros: (user + system) / record.length, same };
}

/** Viewers that feed each other in a circle, whatever the coordinator believes. */
function cycles({ peers }: Audience): string[] {
  const safe = new Set<SimPeer>();
  for (const first of peers.values()) {
    const path: SimPeer[] = [];
    let at: SimPeer['source'] = first;
    while (typeof at === 'object' && !safe.has(at)) {
      if (path.length > 64) return [`${first.uuid} is fed in a circle`];
      path.push(at);
      at = at.source;
    }
    for (const peer of path) safe.add(peer);
  }
  return [];
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
