import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as Ws from 'ws';
import {
  decodeRelayServerMessage,
  decodeRelayTree,
  RELAY_ROOT,
  type RelayNode,
  type RelayServerMessage,
  type RelayTreeInfo,
} from '../../packages/contracts/src/relay/index.ts';
import { slack } from '../kit/load.ts';
import { type NodePeer, nodePeer, type SeenBlock } from '../kit/relay/node-peer.ts';
import { Truth } from '../kit/relay/truth.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const { WebSocket } = createRequire(new URL('../../packages/server/package.json', import.meta.url))(
  'ws',
) as typeof Ws;

const scope = new Scope();
let server: TestServer;
let truth: Truth;
const peers = new Map<string, NodePeer>();

const settings = {
  demo: 'true',
  'relay.enabled': 'true',
  'relay.maxChildren': '2',
  // Many peers share one event loop here; what is slow on a busy machine is not silent.
  'relay.silentMs': '400',
};

beforeAll(async () => {
  server = await startTestServer(scope, settings);
  truth = new Truth(scope, `${server.ws}/live/demo.fmp4`);
  await until(() => truth.order.length > 0, { message: 'a picture' });
});
afterAll(() => scope.close());

async function tree(): Promise<RelayTreeInfo> {
  const headers = { authorization: `Bearer ${server.freshToken}` };
  const answer = await fetch(`${server.http}/api/v1/streams/live/demo/relay`, { headers });
  return decodeRelayTree(await answer.json());
}

function join(
  ...rest: Parameters<typeof nodePeer> extends [unknown, unknown, ...infer R] ? R : never
): NodePeer {
  const peer = nodePeer(scope, `${server.ws}/live/demo.relay`, ...rest);
  peers.set(peer.connector.uuid, peer);
  return peer;
}

/** Waits until all but a few hang below each other. */
async function settled(deep: number): Promise<readonly RelayNode[]> {
  return until(
    async () => {
      const { nodes } = await tree();
      const inner = nodes.filter(({ depth }) => depth > 1);
      return nodes.length === peers.size && inner.length >= deep ? nodes : undefined;
    },
    { timeoutMs: 20_000 * slack(), everyMs: 200, message: `${deep} of ${peers.size} below others` },
  );
}

function expectWhole(seen: readonly SeenBlock[]): void {
  expect(truth.faults(seen)).toEqual([]);
}

/** Waits until everybody has `more` blocks more than now. */
async function playOn(more: number): Promise<void> {
  const goals = [...peers.values()].map((peer) => ({ peer, goal: peer.seen.length + more }));
  await until(() => goals.every(({ peer, goal }) => peer.seen.length >= goal), {
    timeoutMs: 20_000 * slack(),
    message: () => `blocks: ${goals.map(({ peer, goal }) => `${peer.seen.length}/${goal}`).join(' ')}`,
  });
}

/** One that feeds others, itself fed by another peer if there is such a one. */
function middle(nodes: readonly RelayNode[]): RelayNode {
  const inner = nodes.filter(({ children_uuid }) => children_uuid.length > 0);
  return inner.find(({ parent_uuid }) => parent_uuid !== RELAY_ROOT) ?? inner[0]!;
}

describe('a relay tree of programs', () => {
  it('lets nothing through that a peer changed, and finds who did it', async () => {
    join(undefined, (message) => {
      if (message.length < 200) return message;
      const other = message.slice();
      other[150] = other[150]! ^ 1;
      return other;
    });
    // Who serves nobody is sent below the only one that does.
    for (let n = 0; n < 3; n++) join({ relayable: false, uploadBits: 0 });
    const forged = () => [...peers.values()].some(({ connector }) => connector.figures.forged > 0);
    await until(forged, { timeoutMs: 20_000 * slack(), message: 'a forged block' });
    await playOn(60);
    for (const { seen } of peers.values()) expectWhole(seen);
    for (const peer of peers.values()) peer.leave();
    peers.clear();
  });

  it('carries the stream down, and the server sends less than to each', async () => {
    for (let n = 0; n < 10; n++) join();
    await settled(7);
    const took = (): number =>
      [...peers.values()].reduce((sum, { connector }) => {
        const { taken } = connector.figures;
        return sum + taken.peers + taken.server;
      }, 0);
    const [before, had] = [await tree(), took()];
    await playOn(120);
    const [after, direct] = [await tree(), took() - had];
    const sent = after.sent.blocks - before.sent.blocks + after.sent.index - before.sent.index;
    const deepest = Math.max(...after.nodes.map(({ depth }) => depth));
    const share = ((100 * sent) / direct).toFixed(0);
    console.log(
      `relay: ${after.nodes.length} programs, depth ${deepest}, server egress ${share} % of direct delivery`,
    );
    expect(after.relayed).toBeGreaterThan(0);
    expect(sent / direct).toBeLessThan(0.5);
    expect(deepest).toBeGreaterThanOrEqual(3);
    for (const { seen } of peers.values()) expectWhole(seen);
  });

  it.each(['leave', 'crash', 'cut'] as const)(
    'misses no block anywhere when one in the middle goes: %s',
    async (how) => {
      const nodes = await settled(peers.size - 3);
      const gone = middle(nodes);
      const peer = peers.get(gone.uuid)!;
      peers.delete(gone.uuid);
      peer[how]();
      await playOn(100);
      for (const { seen } of peers.values()) expectWhole(seen);
      // One that was cut off is found silent after six seconds; nobody waits for that.
      if (how === 'cut') return;
      await until(async () => !(await tree()).nodes.some(({ uuid }) => uuid === gone.uuid), {
        timeoutMs: 12_000 * slack(),
        everyMs: 100,
        message: 'the tree without it',
      });
    },
  );

  it('keeps hostile sockets out without harm to others', async () => {
    const closed = (first: (socket: Ws.WebSocket) => void): Promise<number> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${server.ws}/live/demo.relay`);
        scope.defer(() => socket.terminate());
        socket.on('open', () => first(socket));
        socket.on('close', (code) => resolve(code));
      });
    const announce = {
      type: 'announce',
      parent_uuid: RELAY_ROOT,
      children_uuid: [],
      relayable: false,
      capacity: 0,
      rtt: 0,
      uplink: 0,
      secret: 'other',
    };
    const [known] = peers.keys();
    expect(await closed((one) => one.send('{"type":"want","sequences":[1]}'))).toBe(1002);
    expect(await closed((one) => one.send(new Uint8Array(10)))).toBe(1002);
    expect(await closed((one) => one.send('x'.repeat(100_000)))).toBe(1009);
    expect(await closed((one) => one.send(JSON.stringify({ ...announce, uuid: known })))).toBe(1008);
    const uuid = '11111111-2222-4333-8444-555555555555';
    expect(
      await closed((one) => {
        one.send(JSON.stringify({ ...announce, uuid }));
        for (let n = 0; n < 400; n++) one.send('{"type":"ping","id":1}');
      }),
    ).toBe(1008);
    // Signals go between peers only that the server sent to each other.
    const heard: RelayServerMessage[] = [];
    const quiet = new WebSocket(`${server.ws}/live/demo.relay`);
    scope.defer(() => quiet.terminate());
    quiet.on('message', (data: Buffer, binary: boolean) => {
      if (!binary) heard.push(decodeRelayServerMessage(String(data)));
    });
    await new Promise((resolve) => quiet.on('open', resolve));
    quiet.send(JSON.stringify({ ...announce, uuid }));
    const signal = { type: 'signal', attempt: 1, candidate: { candidate: 'x', mid: '0' } };
    quiet.send(JSON.stringify({ ...signal, peer_uuid: known }));
    quiet.send('{"type":"want","sequences":[0,99999999]}');
    await until(() => heard.some(({ type }) => type === 'gone'), { message: 'an answer about lost blocks' });
    await playOn(30);
    for (const { seen } of peers.values()) expectWhole(seen);
    quiet.close();
  });

  it('stands again after a restart of the server, with the links it had, once the peers have announced themselves', async () => {
    // Who hangs below another peer; what the server feeds may find a better place at any time.
    const edges = ({ nodes }: RelayTreeInfo): string[] =>
      nodes.flatMap(({ uuid, parent_uuid }) =>
        peers.has(uuid) && peers.has(parent_uuid) ? [`${uuid} below ${parent_uuid}`] : [],
      );
    const before = await tree();
    expect(edges(before).length).toBeGreaterThan(1);
    const { port } = new URL(server.http);
    await server.close();
    server = await startTestServer(scope, { ...settings, 'http.port': port });
    truth = new Truth(scope, `${server.ws}/live/demo.fmp4`);
    await until(() => truth.order.length > 0, { message: 'a picture of the next server' });
    const marks = [...peers.values()].map((peer) => ({ peer, mark: peer.seen.length }));
    for (const peer of peers.values()) peer.comeBack();
    const after = await until(
      async () => {
        const now = await tree();
        const there = new Set<string>(now.nodes.map(({ uuid }) => uuid));
        return [...peers.keys()].every((uuid) => there.has(uuid)) && now;
      },
      { timeoutMs: 10_000 * slack(), everyMs: 50, message: 'everybody in the tree again' },
    );
    // Who announced itself before its parent may be fed by the server at first.
    const kept = edges(before).filter((edge) => edges(after).includes(edge)).length;
    console.log(`relay: ${kept} of ${edges(before).length} links are there after the restart`);
    expect(kept).toBeGreaterThanOrEqual(edges(before).length / 2);
    await playOn(60);
    for (const { peer, mark } of marks) expectWhole(peer.seen.slice(mark));
    await until(async () => (await tree()).relayed > 0, {
      timeoutMs: 10_000 * slack(),
      message: 'a report of what came from others',
    });
  });
});
