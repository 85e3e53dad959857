import { RELAY_ROOT, type RelayTreeNode, type RelayUuid } from '@onair/contracts/relay';
import { expect, it } from 'vitest';
import { layoutTree } from './tree-layout.ts';

function node(uuid: string, parent: string): RelayTreeNode {
  return {
    uuid: uuid as RelayUuid,
    parent_uuid: parent as RelayUuid,
    children_uuid: [],
    relayable: true,
    capacity: 2,
    depth: 1,
    rtt: 1,
    uplink: 0,
    peerBytes: 0,
    serverBytes: 0,
  };
}

const drawn = (nodes: readonly RelayTreeNode[], most = 100): string[] =>
  layoutTree(nodes, RELAY_ROOT, most).nodes.map(({ node, x, y }) => `${node?.uuid ?? 'server'} ${x},${y}`);

it('puts parents above the middle of their children', () => {
  const nodes = [
    node('a', RELAY_ROOT),
    node('b', RELAY_ROOT),
    node('c', 'a'),
    node('d', 'a'),
    node('e', 'd'),
  ];
  expect(drawn(nodes)).toEqual(['server 1.25,0', 'a 0.5,1', 'c 0,2', 'd 1,2', 'e 1,3', 'b 2,1']);
  expect(layoutTree(nodes, RELAY_ROOT, 100)).toMatchObject({ columns: 3, rows: 4 });
});

it('draws the server alone, strangers below it, and not more than asked for', () => {
  expect(drawn([])).toEqual(['server 0,0']);
  expect(drawn([node('a', 'gone')])).toEqual(['server 0,0', 'a 0,1']);
  const many = Array.from({ length: 50 }, (_, n) => node(`n${n}`, RELAY_ROOT));
  expect(drawn(many, 10)).toHaveLength(11);
});
