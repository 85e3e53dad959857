import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type NodePeer, nodePeer } from '../../test/kit/relay/node-peer.ts';
import { Truth } from '../../test/kit/relay/truth.ts';
import { Scope } from '../../test/kit/scope.ts';
import { type Ask, type HostAnswer, LATE_MS, type ProgramState } from './words.ts';

// A process with some peers of the tree, and one viewer that the server feeds directly, to compare them with.
const scope = new Scope();
const peers = new Map<string, { readonly peer: NodePeer; mark: number }>();
const delay = monitorEventLoopDelay({ resolution: 20 });
delay.enable();
let truth: Truth | undefined;

/** Times that play by a buffer of `LATE_MS` would have stood still. */
function stallsOf(delays: readonly number[]): number {
  let stalls = 0;
  for (const [at, ms] of delays.entries()) if (ms > LATE_MS && !((delays[at - 1] ?? 0) > LATE_MS)) stalls++;
  return stalls;
}

function stateOf(
  uuid: string,
  { peer, mark }: { readonly peer: NodePeer; readonly mark: number },
): ProgramState {
  const delays = peer.seen.slice(mark).map((block) => block.delay);
  const { parent, asked } = peer.connector.figures;
  return {
    uuid,
    blocks: peer.seen.length,
    faults: truth!.faults(peer.seen),
    delays,
    stalls: stallsOf(delays),
    parent,
    asked,
  };
}

async function answer(ask: Ask): Promise<Partial<HostAnswer>> {
  switch (ask.do) {
    case 'direct':
      truth = new Truth(scope, ask.address);
      return {};
    case 'join': {
      const peer = nodePeer(scope, ask.address);
      peers.set(peer.connector.uuid, { peer, mark: 0 });
      return { uuid: peer.connector.uuid };
    }
    case 'end': {
      const { peer } = peers.get(ask.uuid)!;
      peers.delete(ask.uuid);
      peer[ask.how]();
      return {};
    }
    case 'mark':
      for (const one of peers.values()) one.mark = one.peer.seen.length;
      truth!.mark();
      delay.reset();
      return {};
    case 'count':
      return { least: Math.min(...[...peers.values()].map(({ peer, mark }) => peer.seen.length - mark)) };
    case 'look':
      return {
        programs: [...peers].map(([uuid, one]) => stateOf(uuid, one)),
        direct: {
          blocks: truth!.order.length,
          bytes: truth!.bytes,
          delays: truth!.delays,
          stalls: stallsOf(truth!.delays),
        },
        busyMs: delay.max / 1e6,
      };
  }
}

process.on('message', (ask: Ask) => {
  answer(ask).then(
    (said) => process.send?.({ id: ask.id, ...said }),
    (error: unknown) => process.send?.({ id: ask.id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
