import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeRelayTree, type RelayTreeInfo } from '../../packages/contracts/src/relay/index.ts';
import { slack } from '../kit/load.ts';
import { type NodePeer, nodePeer } from '../kit/relay/node-peer.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const scope = new Scope();
let server: TestServer;
const peers: NodePeer[] = [];

beforeAll(async () => {
  server = await startTestServer(scope, { demo: 'true', 'relay.enabled': 'true', 'relay.maxChildren': '2' });
});
afterAll(() => scope.close());

async function tree(): Promise<RelayTreeInfo> {
  const headers = { authorization: `Bearer ${server.freshToken}` };
  const answer = await fetch(`${server.http}/api/v1/streams/live/demo/relay`, { headers });
  return decodeRelayTree(await answer.json());
}

describe('relay', () => {
  it('starts', async () => {
    for (let n = 0; n < 10; n++) peers.push(nodePeer(scope, `${server.ws}/live/demo.relay`));
    for (let n = 0; n < 12; n++) {
      await new Promise((r) => setTimeout(r, 1000));
      const { nodes, sent, relayed } = await tree();
      console.log(
        n,
        sent,
        relayed,
        nodes
          .map(
            (x) =>
              `${x.uuid.slice(0, 4)}<${x.parent_uuid.slice(0, 4)} d${x.depth} c${x.children_uuid.length} u${(x.uplink / 1e6).toFixed(0)} r${x.rtt.toFixed(0)}`,
          )
          .join(' | '),
      );
      console.log(
        peers
          .map(
            (p) =>
              `${p.seen.length} ${p.connector.figures.asked} ${p.connector.figures.forged} ${p.seen.at(-1)?.delay.toFixed(0)}`,
          )
          .join(' | '),
      );
    }
  });
});
