import { RELAY_ROOT, type RelayFacts, type RelayServerMessage, type RelayUuid } from '@onair/contracts/relay';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../test/kit/relay/random.ts';
import {
  coordinate,
  createRelayState,
  faultsOf,
  nodeOf,
  type RelayEvent,
  type RelayPolicy,
  type RelayState,
} from './index.ts';

const strong: RelayFacts = { relayable: true, capacity: 3, rtt: 20, uplink: 50e6 };
const weak: RelayFacts = { relayable: false, capacity: 0, rtt: 20, uplink: 1e6 };

function uuid(n: number): RelayUuid {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as RelayUuid;
}

/** A coordinator with peers named by numbers; 0 is the server. */
class Bench {
  now = 0;
  state: RelayState;
  readonly #random = seededRandom(5);
  readonly #policy: Partial<RelayPolicy>;

  constructor(policy: Partial<RelayPolicy> = {}) {
    this.#policy = { adoptMs: 0, ...policy };
    this.state = createRelayState(0, this.#policy);
  }

  /** Hands an event in; checks the whole tree; returns `N: what` per command. */
  give(event: RelayEvent): string[] {
    const commands = coordinate(this.state, event, { now: this.now, random: this.#random });
    expect(faultsOf(this.state)).toEqual([]);
    return commands.map(({ to, message }) => `${number(to)}: ${show(message)}`);
  }

  join(n: number, facts: RelayFacts, parent = 0, children: number[] = []): string[] {
    const [parent_uuid, children_uuid] = [parent === 0 ? RELAY_ROOT : uuid(parent), children.map(uuid)];
    return this.give({ kind: 'announce', uuid: uuid(n), parent_uuid, children_uuid, ...facts });
  }

  /** The peers reach whom they are sent to, until nobody is on the way. */
  arrive(): string[] {
    const out: string[] = [];
    for (let peer = [...this.state.moving][0]; peer !== undefined; peer = [...this.state.moving][0]) {
      out.push(...this.give({ kind: 'attached', uuid: peer.uuid, attempt: peer.move!.attempt }));
    }
    return out;
  }

  late(child: number, parent: number): string[] {
    return this.give({ kind: 'lost', uuid: uuid(child), parent: uuid(parent), reason: 'late' });
  }

  /** `child<parent` of everybody. */
  shape(): string {
    const edges = [...this.state.tree.peers].map((peer) => {
      const node = nodeOf(peer);
      return `${number(node.uuid)}<${number(node.parent_uuid)}`;
    });
    return edges.sort().join(' ');
  }

  restart(): void {
    this.state = createRelayState(this.now, { ...this.#policy, adoptMs: 3000 });
  }
}

function number(name: RelayUuid): number {
  return Number(name.slice(-12));
}

function show(message: RelayServerMessage): string {
  if (message.type === 'connect') return `connect ${number(message.parent_uuid)}`;
  if (message.type === 'expect' || message.type === 'release')
    return `${message.type} ${number(message.child_uuid)}`;
  return message.type;
}

/** The server feeds 1; 2, 3, 4 hang on 1; 5, 6, 7 on one of them. */
function grown(policy: Partial<RelayPolicy> = {}): Bench {
  const bench = new Bench({ minRootSlots: 1, maxRootSlots: 1, blames: 2, ...policy });
  for (let n = 1; n <= 7; n++) {
    bench.join(n, strong);
    bench.arrive();
  }
  return bench;
}

describe('placement', () => {
  it('feeds a newcomer at once, then hands it to a parent, make before break', () => {
    const bench = new Bench({ minRootSlots: 1, maxRootSlots: 1 });
    expect(bench.join(1, strong)).toEqual(['1: feed']);
    expect(bench.join(2, strong)).toEqual(['2: feed', '1: expect 2', '2: connect 1']);
    expect(bench.shape()).toBe('1<0 2<0');
    expect(bench.arrive()).toEqual(['0: release 2']);
    expect(bench.shape()).toBe('1<0 2<1');
  });

  it('gives no peer more children than it can carry, nor goes deeper than allowed', () => {
    const bench = new Bench({ minRootSlots: 1, maxRootSlots: 1, maxDepth: 3 });
    for (let n = 1; n <= 13; n++) bench.join(n, strong);
    bench.arrive();
    for (let n = 0; n < 20; n++) {
      bench.give({ kind: 'tick' });
      bench.arrive();
    }
    const peers = [...bench.state.tree.peers];
    expect(Math.max(...peers.map(({ children }) => children.size))).toBe(3);
    expect(
      peers
        .map(({ depth }) => depth)
        .sort()
        .join(''),
    ).toBe('1222333333333');
  });

  it('moves one that serves nobody down for one that can', () => {
    const bench = new Bench({ minRootSlots: 1, maxRootSlots: 1 });
    bench.join(1, { ...strong, capacity: 1 });
    bench.join(2, weak);
    bench.arrive();
    expect(bench.join(3, strong)).toEqual(['3: feed', '3: expect 2', '2: connect 3']);
    expect(bench.arrive()).toEqual(['1: release 2', '1: expect 3', '3: connect 1', '0: release 3']);
    expect(bench.shape()).toBe('1<0 2<3 3<1');
  });

  it('turns away whom neither the tree nor the server can take', () => {
    const bench = new Bench({ minRootSlots: 1, maxRootSlots: 1, maxDirect: 2 });
    for (let n = 1; n <= 3; n++) expect(bench.join(n, weak)).toEqual([`${n}: feed`]);
    expect(bench.join(4, weak)).toEqual(['4: full']);
    expect(bench.state.tree.size).toBe(3);
    // One who can serve makes room for itself.
    expect(bench.join(5, strong)).toEqual(['5: feed', '5: expect 1', '1: connect 5']);
  });
});

describe('healing', () => {
  it('feeds orphans at once and keeps what hangs below them', () => {
    const bench = grown();
    const middle = [...bench.state.tree.peers].find(
      ({ depth, children }) => depth === 2 && children.size > 0,
    )!;
    const children = [...middle.children].map((child) => number(child.uuid));
    const commands = bench.give({ kind: 'left', uuid: middle.uuid });
    for (const child of children) {
      expect(commands).toContain(`${child}: feed`);
      expect(commands.some((line) => line.startsWith(`${child}: connect`))).toBe(true);
    }
    bench.arrive();
    expect(bench.state.tree.direct.size).toBe(0);
    expect(bench.state.tree.size).toBe(6);
  });

  it('outlives the death of a whole line in one instant, and of the place somebody was on its way to', () => {
    const bench = grown();
    bench.join(8, strong);
    const goal = [...bench.state.moving][0]!.move!.target;
    for (let at: typeof goal.parent = goal; at !== bench.state.tree.root; ) {
      const up: typeof goal.parent = at!.parent;
      bench.give({ kind: 'left', uuid: at!.uuid });
      at = up;
    }
    bench.give({ kind: 'tick' });
    bench.arrive();
    expect(bench.state.tree.direct.size).toBe(0);
  });

  it('suspends a peer that two children find mute, and rescues the others', () => {
    const bench = grown();
    const [a, b, c] = [...bench.state.tree.find(uuid(1))!.children].map((child) => number(child.uuid));
    expect(bench.late(a!, 1)).toContain(`${a}: feed`);
    expect(bench.state.tree.find(uuid(1))!.room).toBe(3);
    expect(bench.late(b!, 1)).toEqual(expect.arrayContaining([`1: release ${c}`, `${c}: feed`]));
    expect(bench.state.tree.find(uuid(1))!.room).toBe(0);
    bench.give({ kind: 'report', uuid: uuid(1), facts: strong });
    expect(bench.state.tree.find(uuid(1))!.room).toBe(0);
    bench.now += 40_000;
    bench.give({ kind: 'report', uuid: uuid(1), facts: strong });
    expect(bench.state.tree.find(uuid(1))!.room).toBe(3);
  });

  it('blames nobody while the publisher is away, and drops nobody', () => {
    const bench = grown();
    bench.give({ kind: 'source', present: false });
    const children = [...bench.state.tree.find(uuid(1))!.children].map((child) => number(child.uuid));
    for (const child of children) bench.late(child, 1);
    expect(bench.state.tree.find(uuid(1))!.room).toBe(3);
    bench.give({ kind: 'source', present: true });
    bench.arrive();
    expect(bench.state.tree.size).toBe(7);
  });

  it('does not believe a child that finds fault with everybody', () => {
    const bench = grown({ complaints: 2, blames: 1, minRootSlots: 2, maxRootSlots: 2 });
    for (let n = 8; n <= 9; n++) {
      bench.join(n, strong);
      bench.arrive();
    }
    const child = bench.state.tree.find(uuid(9))!;
    for (let n = 0; n < 2; n++) {
      bench.late(9, number(child.parent!.uuid));
      bench.arrive();
    }
    expect(child.place).toBe('direct');
    bench.give({ kind: 'tick' });
    expect(child.move).toBeUndefined();
    const suspended = [...bench.state.tree.peers].filter(({ probation }) => probation > 0);
    expect(suspended.length).toBeLessThanOrEqual(1);
    bench.now += 31_000;
    bench.give({ kind: 'tick' });
    expect(bench.state.tree.find(uuid(9))).toBeUndefined();
  });

  it('moves children away from a shrinking uplink without a gap', () => {
    const bench = grown();
    const commands = bench.give({ kind: 'report', uuid: uuid(1), facts: { ...strong, capacity: 2 } });
    expect(commands.filter((line) => line.includes('connect'))).toHaveLength(1);
    expect(commands.join()).not.toContain('feed');
    bench.arrive();
    expect(bench.state.tree.find(uuid(1))!.children.size).toBe(2);
    // It does not get them back before it has been steady for a while.
    bench.give({ kind: 'report', uuid: uuid(1), facts: strong });
    expect(bench.state.tree.find(uuid(1))!.room).toBe(2);
  });

  it('gives one that comes and goes no children', () => {
    const bench = new Bench();
    for (let n = 0; n < 3; n++) {
      bench.join(1, strong);
      bench.now += 100;
      bench.give({ kind: 'left', uuid: uuid(1) });
    }
    bench.join(1, strong);
    expect(bench.state.tree.find(uuid(1))!.room).toBe(0);
    bench.now += 31_000;
    bench.give({ kind: 'report', uuid: uuid(1), facts: strong });
    expect(bench.state.tree.find(uuid(1))!.room).toBe(3);
  });

  it('gives up attempts that take too long, and peers that are silent', () => {
    const bench = grown();
    bench.join(8, strong);
    const first = [...bench.state.moving][0]!.move!;
    bench.now += 4_100;
    for (let n = 1; n <= 8; n++) bench.give({ kind: 'report', uuid: uuid(n), facts: strong });
    expect(bench.give({ kind: 'tick' })).toContain('8: cancel');
    expect(bench.give({ kind: 'attached', uuid: uuid(8), attempt: first.attempt })).toEqual([]);
    bench.now += 6_100;
    bench.give({ kind: 'report', uuid: uuid(1), facts: strong });
    bench.give({ kind: 'tick' });
    expect(bench.shape()).toBe('1<0');
  });
});

describe('after a restart of the coordinator', () => {
  const nodes = (bench: Bench): { n: number; parent: number; children: number[] }[] =>
    [...bench.state.tree.peers].map((peer) => ({
      n: number(peer.uuid),
      parent: number(nodeOf(peer).parent_uuid),
      children: nodeOf(peer).children_uuid.map(number),
    }));

  it('finds the old tree again in whatever order peers announce themselves, and moves nobody', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }), (order) => {
        const bench = grown();
        const [before, old] = [bench.shape(), nodes(bench)];
        bench.restart();
        const commands = order.flatMap((at) =>
          bench.join(old[at]!.n, strong, old[at]!.parent, old[at]!.children),
        );
        expect(bench.shape()).toBe(before);
        expect(commands).toEqual(['1: feed']);
      }),
    );
  });

  it('believes no claim that the other side does not confirm, nor a circle, nor one about nobody', () => {
    const bench = new Bench({ minRootSlots: 1, maxRootSlots: 1 });
    bench.restart();
    bench.join(1, strong, 0, []);
    expect(bench.join(2, strong, 1)).toContain('2: feed');
    bench.join(3, strong, 4, [4]);
    expect(bench.join(4, strong, 3, [3])).toContain('3: feed');
    expect(bench.join(5, strong, 9)).toEqual([]);
    bench.now += 3_001;
    expect(bench.give({ kind: 'tick' })).toContain('5: feed');
    bench.arrive();
    expect(bench.state.tree.direct.size).toBe(0);
  });
});

it('holds its invariants whatever peers say', () => {
  const name = fc.integer({ min: 1, max: 9 });
  const facts = fc.record({
    relayable: fc.boolean(),
    capacity: fc.integer({ min: 0, max: 4 }),
    rtt: fc.integer({ min: 0, max: 300 }),
    uplink: fc.constantFrom(0, 1e6, 9e6, 90e6),
  });
  const step = fc.oneof(
    fc.record({ do: fc.constant('join' as const), a: name, b: fc.nat(9), c: fc.uniqueArray(name), facts }),
    fc.record({ do: fc.constant('report' as const), a: name, facts }),
    fc.record({ do: fc.constantFrom('left', 'attached', 'failed', 'tick'), a: name }),
    fc.record({ do: fc.constant('late' as const), a: name, b: name }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const bench = new Bench({ minRootSlots: 1, maxRootSlots: 2, maxDepth: 3, adoptMs: 2000 });
      for (const act of steps) {
        bench.now += 150;
        if ('c' in act) bench.join(act.a, act.facts, act.b, act.c);
        else if ('facts' in act) bench.give({ kind: 'report', uuid: uuid(act.a), facts: act.facts });
        else if ('b' in act) bench.late(act.a, act.b);
        else if (act.do === 'tick') bench.give({ kind: 'tick' });
        else if (act.do === 'left') bench.give({ kind: 'left', uuid: uuid(act.a) });
        else {
          const attempt = bench.state.tree.find(uuid(act.a))?.move?.attempt ?? 1;
          bench.give({ kind: act.do === 'failed' ? 'failed' : 'attached', uuid: uuid(act.a), attempt });
        }
      }
    }),
    { numRuns: 150 },
  );
});
