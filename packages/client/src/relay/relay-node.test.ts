import { createHash } from 'node:crypto';
import { FMP4_HEADER_LENGTH, FMP4_TYPE, writeFmp4Header } from '@onair/contracts/fmp4-socket';
import {
  encodeRelayAlive,
  encodeRelayBlock,
  encodeRelayIndex,
  encodeRelayStart,
  RELAY_ROOT,
  type RelayHello,
  type RelayPeerMessage,
  type RelayUuid,
} from '@onair/contracts/relay';
import { expect, it } from 'vitest';
import type { LinkOwner } from './ports.ts';
import { RelayNode } from './relay-node.ts';

const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const uuid = (n: number): RelayUuid => `00000000-0000-4000-8000-00000000000${n}` as RelayUuid;

const HELLO: RelayHello = {
  type: 'hello',
  stream: 'live/a',
  state: 'live',
  now: 0,
  iceServers: [],
  addresses: 'turn',
  silentMs: 250,
  maxChildren: 4,
  uploadBits: 0,
};

/** A chunk's message; every fifth is independent. */
function chunk(sequence: number): Uint8Array {
  const bytes = new Uint8Array(FMP4_HEADER_LENGTH + 50).fill(sequence);
  writeFmp4Header(bytes, 0, {
    type: FMP4_TYPE.chunk,
    independent: sequence % 5 === 0,
    discontinuity: false,
    track: 1,
    epoch: 1,
    sequence,
    time: sequence * 1000,
    duration: 1000,
    compositionOffset: 0,
    wallClock: 0,
  });
  return bytes;
}

function index(from: number, to: number): Uint8Array {
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  const entries = numbers.map((sequence) => ({
    sequence,
    independent: sequence % 5 === 0,
    hash: hash(chunk(sequence)),
  }));
  return encodeRelayIndex({ epoch: 1, entries });
}

/** A peer whose links and server are the test. */
class Bench {
  readonly said: RelayPeerMessage[] = [];
  readonly played: number[] = [];
  readonly links: {
    role: string;
    ice: RTCConfiguration;
    owner: LinkOwner;
    sent: Uint8Array[];
    open: boolean;
  }[] = [];
  readonly node: RelayNode;

  constructor() {
    this.node = new RelayNode(
      { uuid: uuid(1), secret: 's' },
      {
        send: (message) => void this.said.push(message),
        sendBytes: () => undefined,
        hash,
        willing: () => ({ relayable: true, uploadBits: 0 }),
        deliver: (bytes) => void this.played.push(new DataView(bytes.buffer).getUint32(12)),
        link: (role, ice, owner) => {
          const link = { role, ice, owner, sent: [] as Uint8Array[], open: true };
          this.links.push(link);
          return {
            buffered: 0,
            send: (message) => void link.sent.push(message),
            signal: () => undefined,
            close: () => {
              link.open = false;
            },
          };
        },
      },
    );
    this.node.serverText(HELLO, performance.now());
  }

  /** What it said since the last call, but for reports. */
  heard(): RelayPeerMessage[] {
    return this.said.splice(0).filter(({ type }) => type !== 'report');
  }

  /** The server tells of chunks; those it sends too come first. */
  server(from: number, to: number, sent: readonly number[] = []): void {
    for (const sequence of sent) this.node.serverBinary(chunk(sequence), performance.now());
    this.node.serverBinary(index(from, to), performance.now());
  }

  connect(n: number, attempt: number): Bench['links'][number] {
    this.node.serverText({ type: 'connect', parent_uuid: uuid(n), attempt }, performance.now());
    const link = this.links.at(-1)!;
    link.owner.opened();
    return link;
  }
}

function give(link: Bench['links'][number], ...sequences: number[]): void {
  for (const sequence of sequences) {
    for (const message of encodeRelayBlock(sequence, chunk(sequence))) link.owner.message(message);
  }
}

it('goes from the server to a parent and on to another without a gap', () => {
  const bench = new Bench();
  expect(bench.heard()).toMatchObject([{ type: 'announce', parent_uuid: RELAY_ROOT, children_uuid: [] }]);
  bench.node.serverText({ type: 'feed' }, performance.now());
  bench.server(0, 3, [0, 1, 2]);
  const first = bench.connect(2, 1);
  expect(first.role).toBe('child');
  expect(first.ice.iceTransportPolicy).toBe('relay');
  expect(first.sent).toEqual([encodeRelayStart(2)]);
  bench.server(3, 5, [3]);
  give(first, 3, 4);
  expect(bench.heard()).toEqual([{ type: 'attached', attempt: 1 }]);
  // The new parent is ahead of the index.
  const second = bench.connect(3, 2);
  give(second, 5);
  expect(bench.heard()).toEqual([]);
  bench.server(5, 7);
  expect(bench.heard()).toEqual([{ type: 'attached', attempt: 2 }]);
  give(first, 6);
  expect(bench.played).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(first.open).toBe(true);
  bench.node.tick(performance.now() + 2000);
  expect(first.open).toBe(false);
  expect(bench.node.figures).toMatchObject({ parent: uuid(3), forged: 0 });
});

it('goes back to its old parent when the server takes the move back', () => {
  const bench = new Bench();
  bench.server(0, 2, [0]);
  const first = bench.connect(2, 1);
  give(first, 1);
  const second = bench.connect(3, 2);
  bench.server(2, 3);
  give(second, 2);
  bench.heard();
  bench.node.serverText({ type: 'cancel', attempt: 2 }, performance.now());
  expect(second.open).toBe(false);
  expect(bench.node.figures.parent).toBe(uuid(2));
  expect(bench.heard()).toEqual([]);
});

it('tells what it took on this connection, so that nothing is counted twice', () => {
  const bench = new Bench();
  let now = performance.now();
  const taken = (): unknown => {
    bench.said.length = 0;
    now += 10_000;
    bench.node.tick(now);
    return bench.said.find(({ type }) => type === 'report');
  };
  bench.server(0, 3, [0]);
  give(bench.connect(2, 1), 1, 2);
  const { length } = chunk(0);
  expect(taken()).toMatchObject({ taken: { peers: 2 * length, server: length } });
  bench.node.disconnected();
  bench.node.serverText(HELLO, performance.now());
  expect(taken()).toMatchObject({ taken: { peers: 0, server: 0 } });
  bench.server(3, 4, [3]);
  expect(taken()).toMatchObject({ taken: { peers: 0, server: length } });
  expect(bench.node.figures.taken).toEqual({ peers: 2 * length, server: 2 * length });
});

it('tells the next server who feeds it and whom it feeds, keeps them, and goes on with the new log', () => {
  const bench = new Bench();
  bench.server(0, 3, [0]);
  const parent = bench.connect(2, 1);
  give(parent, 1, 2);
  bench.node.serverText({ type: 'expect', child_uuid: uuid(4), attempt: 2 }, performance.now());
  const offer = { type: 'offer' as const, sdp: '' };
  bench.node.serverText(
    { type: 'signal', peer_uuid: uuid(4), attempt: 2, description: offer },
    performance.now(),
  );
  const child = bench.links[1]!;
  child.owner.opened();
  child.owner.message(encodeRelayStart(2));
  bench.heard();
  bench.node.disconnected();
  bench.node.serverText(HELLO, performance.now());
  expect(bench.heard()).toMatchObject([
    { type: 'announce', uuid: uuid(1), parent_uuid: uuid(2), children_uuid: [uuid(4)], secret: 's' },
  ]);
  // The log of another server counts from the beginning.
  child.sent.length = 0;
  bench.server(0, 2);
  give(parent, 0, 1);
  expect(bench.played).toEqual([0, 1, 2, 0, 1]);
  expect(child.sent).toEqual([0, 1].flatMap((sequence) => [...encodeRelayBlock(sequence, chunk(sequence))]));
  expect([parent.open, child.open]).toEqual([true, true]);
  expect(bench.heard()).toEqual([]);
});

it('asks the server at once when its parent closes, falls silent or forges', () => {
  for (const [how, reason] of [
    [(link: Bench['links'][number]) => link.owner.closed(), 'closed'],
    [(link: Bench['links'][number]) => link.owner.message(Uint8Array.of(9, 9)), 'forged'],
    [
      (link: Bench['links'][number]) => {
        const [message] = [...encodeRelayBlock(6, chunk(6))];
        message![60]! ^= 1;
        link.owner.message(message!);
      },
      'forged',
    ],
    [undefined, 'late'],
  ] as const) {
    const bench = new Bench();
    bench.server(0, 6, [0]);
    const link = bench.connect(2, 1);
    give(link, 1, 2, 3);
    bench.server(6, 7);
    bench.heard();
    if (how === undefined) {
      link.owner.message(encodeRelayAlive());
      const now = performance.now();
      for (let ms = 0; ms <= 300; ms += 25) bench.node.tick(now + ms);
    } else how(link);
    const [lost, want] = bench.heard();
    expect(lost).toEqual({ type: 'lost', parent_uuid: uuid(2), reason });
    expect(want).toEqual({ type: 'want', sequences: [4, 5, 6] });
    expect(link.open).toBe(false);
    for (const sequence of [6, 4, 5]) bench.node.serverBinary(chunk(sequence), performance.now());
    expect(bench.played).toEqual([0, 1, 2, 3, 4, 5, 6]);
  }
});

it('lets in only whom the server announced, and sends what follows what the child has', () => {
  const bench = new Bench();
  bench.server(0, 8, [0, 1, 2, 3, 4, 5, 6, 7]);
  const signal = { type: 'signal' as const, description: { type: 'offer' as const, sdp: '' } };
  bench.node.serverText({ ...signal, peer_uuid: uuid(4), attempt: 3 }, performance.now());
  expect(bench.links).toHaveLength(0);
  bench.node.serverText({ type: 'expect', child_uuid: uuid(4), attempt: 3 }, performance.now());
  bench.node.serverText({ ...signal, peer_uuid: uuid(4), attempt: 2 }, performance.now());
  expect(bench.links).toHaveLength(0);
  bench.node.serverText({ ...signal, peer_uuid: uuid(4), attempt: 3 }, performance.now());
  const child = bench.links[0]!;
  child.owner.opened();
  child.owner.message(encodeRelayStart(5));
  bench.server(8, 9, [8]);
  const sent = [6, 7, 8].flatMap((sequence) => [...encodeRelayBlock(sequence, chunk(sequence))]);
  expect(child.sent).toEqual(sent);
  expect(bench.node.figures.children).toBe(1);
  child.owner.message(Uint8Array.of(9));
  expect(child.open).toBe(false);
  expect(bench.node.figures.children).toBe(0);
});
