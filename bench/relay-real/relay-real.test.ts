import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeRelayTree, type RelayTreeInfo } from '../../packages/contracts/src/relay/index.ts';
import { launchChromium, openPage } from '../../test/kit/chromium.ts';
import { bundlePlayer, PlayerPage } from '../../test/kit/player-page.ts';
import { type NodePeer, nodePeer } from '../../test/kit/relay/node-peer.ts';
import { Truth } from '../../test/kit/relay/truth.ts';
import { Scope } from '../../test/kit/scope.ts';
import { startTestServer, type TestServer } from '../../test/kit/server.ts';
import { until } from '../../test/kit/until.ts';

const PROGRAMS = Number(process.env.ONAIR_RELAY_PROGRAMS ?? 30);
const PAGES = Number(process.env.ONAIR_RELAY_PAGES ?? 7);
const JOINS = Number(process.env.ONAIR_RELAY_JOINS ?? 200);
const SECONDS = Number(process.env.ONAIR_RELAY_MEASURE ?? 15);
const SOURCE = process.env.ONAIR_RELAY_SOURCE ?? '';

const scope = new Scope();
let server: TestServer;
let truth: Truth;
const peers = new Map<string, NodePeer>();
const pages: Page[] = [];

const say = (what: string, value: string, goal = ''): void =>
  console.log(`${what.padEnd(52)} ${value.padStart(14)}   ${goal}`);

function publish(): { stop(): void } {
  const args = [
    '-v',
    'error',
    '-nostdin',
    '-re',
    '-stream_loop',
    '-1',
    '-i',
    SOURCE,
    '-c',
    'copy',
    '-f',
    'flv',
  ];
  const child = spawn('ffmpeg', [...args, `${server.rtmp}/live/bench`], { stdio: 'ignore' });
  scope.defer(() => void child.kill('SIGKILL'));
  return { stop: () => void child.kill('SIGKILL') };
}

async function tree(): Promise<RelayTreeInfo> {
  const headers = { authorization: `Bearer ${server.freshToken}` };
  const answer = await fetch(`${server.http}/api/v1/streams/live/bench/relay`, { headers });
  return decodeRelayTree(await answer.json());
}

function join(): NodePeer {
  const peer = nodePeer(scope, `${server.ws}/live/bench.relay`);
  peers.set(peer.connector.uuid, peer);
  return peer;
}

const broken = (): string[] => [...peers.values()].flatMap(({ seen }) => truth.faults(seen));

/** Waits until everybody has so many blocks more. */
async function playOn(more: number): Promise<void> {
  const goals = [...peers.values()].map((peer) => ({ peer, goal: peer.seen.length + more }));
  const behind = () => goals.filter(({ peer, goal }) => peer.seen.length < goal).length;
  await until(() => behind() === 0, { timeoutMs: 40_000, message: () => `${behind()} stand still` });
}

const stallsOf = async (): Promise<number> => {
  const all = await Promise.all(
    pages.map((page) => page.evaluate(() => document.querySelector('onair-player')?.figures?.stalls ?? 0)),
  );
  return all.reduce((sum, stalls) => sum + stalls, 0);
};

/** Waits until everybody is in the tree and the server feeds a few only. */
async function everybody(): Promise<void> {
  let state = '';
  await until(
    async () => {
      const { nodes } = await tree();
      const direct = nodes.filter(({ depth }) => depth === 1).length;
      state = `${nodes.length} of ${peers.size + pages.length} in the tree, ${direct} fed by the server`;
      return nodes.length === peers.size + pages.length && direct <= 4;
    },
    { timeoutMs: 45_000, everyMs: 500, message: () => state },
  );
}

let publisher: { stop(): void };

beforeAll(async () => {
  server = await startTestServer(scope, {
    'relay.enabled': 'true',
    'relay.maxChildren': '4',
    'relay.silentMs': '500',
  });
  publisher = publish();
  truth = new Truth(scope, `${server.ws}/live/bench.fmp4`);
  await until(() => truth.order.length > 0, { message: 'a picture', timeoutMs: 20_000 });
  for (let n = 0; n < PROGRAMS; n++) {
    join();
    await sleep(100);
  }
  await everybody();
  if (PAGES === 0) return;
  const bundle = await bundlePlayer();
  scope.defer(bundle.remove);
  const host = new PlayerPage(bundle.dir);
  scope.defer(() => host.close());
  const address = await host.listen();
  const browser = await launchChromium(scope);
  for (let n = 0; n < PAGES; n++) {
    const { page } = await openPage(browser, { viewport: { width: 320, height: 180 } });
    await page.goto(`${address}?src=${server.http}/live/bench&autoplay&muted&transport=relay`);
    pages.push(page);
  }
  await everybody();
});
afterAll(() => scope.close());

it('sends a part of what direct delivery takes, within two seconds to the deepest', async () => {
  const before = await tree();
  const marks = new Map([...peers].map(([uuid, peer]) => [uuid, peer.seen.length]));
  await sleep(SECONDS * 1000);
  const after = await tree();
  const sent = after.sent.blocks + after.sent.index - before.sent.blocks - before.sent.index;
  const took = ({ nodes }: RelayTreeInfo): number =>
    nodes.reduce((sum, { peerBytes, serverBytes }) => sum + peerBytes + serverBytes, 0);
  const direct = took(after) - took(before);
  const share = (100 * sent) / direct;
  const depth = Math.max(...after.nodes.map((node) => node.depth));
  const bits = (direct * 8) / SECONDS / (PROGRAMS + PAGES) / 1e6;
  say('peers: programs + pages', `${PROGRAMS} + ${PAGES}`);
  say('stream, Mbit/s to each', bits.toFixed(2));
  say(
    'server egress, Mbit/s',
    ((sent * 8) / SECONDS / 1e6).toFixed(2),
    `direct: ${((direct * 8) / SECONDS / 1e6).toFixed(2)}`,
  );
  say('server egress of direct delivery', `${share.toFixed(1)} %`, '25 %');
  say('depth', String(depth), '8');
  const deepest = after.nodes.filter((node) => node.depth === depth && peers.has(node.uuid));
  const delays = deepest
    .flatMap(({ uuid }) =>
      peers
        .get(uuid)!
        .seen.slice(marks.get(uuid))
        .map(({ delay }) => delay),
    )
    .sort((a, b) => a - b);
  const at = (part: number): string => `${(delays[Math.floor(delays.length * part)] ?? 0).toFixed(0)} ms`;
  say('delay of blocks at the deepest programs: half, 99 %', `${at(0.5)}, ${at(0.99)}`, '2000 ms');
  const shown = await Promise.all(
    pages.map((page) => page.evaluate(() => document.querySelector('onair-player')?.figures?.latency ?? 9)),
  );
  if (PAGES > 0)
    say('delay of pictures in pages: worst', `${(Math.max(...shown) * 1000).toFixed(0)} ms`, '2000 ms');
  say('blocks missing or changed', String(broken().length), '0');
  expect(broken()).toEqual([]);
  expect(share).toBeLessThanOrEqual(25);
  expect(depth).toBeLessThanOrEqual(8);
  expect(delays[Math.floor(delays.length * 0.99)]!).toBeLessThan(2000);
  expect(Math.max(0, ...shown)).toBeLessThan(2);
});

it.each(['leave', 'crash', 'cut'] as const)('loses no block when one in the middle goes: %s', async (how) => {
  const { nodes } = await tree();
  const inner = nodes.filter(({ uuid, children_uuid }) => peers.has(uuid) && children_uuid.length > 0);
  const gone = inner.sort((a, b) => b.children_uuid.length - a.children_uuid.length)[0]!;
  const stalls = await stallsOf();
  const peer = peers.get(gone.uuid)!;
  peers.delete(gone.uuid);
  peer[how]();
  await playOn(300);
  const more = (await stallsOf()) - stalls;
  say(
    `middle node with ${gone.children_uuid.length} children: ${how}`,
    `${broken().length} missing`,
    `0; stalls in pages: ${more}`,
  );
  expect(broken()).toEqual([]);
});

it('keeps everybody while the publisher is away', async () => {
  const before = (await tree()).nodes.length;
  publisher.stop();
  await sleep(2000);
  publisher = publish();
  await playOn(60);
  const after = (await tree()).nodes.length;
  say('publisher away for 2 s: peers before, after', `${before}, ${after}`, 'nobody drops');
  expect(broken()).toEqual([]);
  expect(after).toBe(before);
});

it('lets one after the other in', async () => {
  let failed = 0;
  const times: number[] = [];
  for (let n = 0; n < JOINS; n++) {
    const peer = nodePeer(scope, `${server.ws}/live/bench.relay`);
    const since = performance.now();
    try {
      await until(() => peer.seen.length > 0, { timeoutMs: 5000, everyMs: 5 });
      times.push(performance.now() - since);
    } catch {
      failed++;
    }
    peer.leave();
  }
  times.sort((a, b) => a - b);
  say(`${JOINS} joins: failed`, String(failed), '0');
  say(
    'first block after: half, worst',
    `${times[times.length >> 1]?.toFixed(0)}, ${times.at(-1)?.toFixed(0)} ms`,
  );
  expect(failed).toBe(0);
});
