import { Field } from '../api/index.ts';
import { decodeRelayNode, type RelayNode, type RelayUuid, readRelayUuid } from './node.ts';

/** A peer as the API shows it: its place, and what it took from whom. */
export interface RelayTreeNode extends RelayNode {
  /** Bytes of blocks it got from other peers, as it says. */
  readonly peerBytes: number;
  /** Bytes of blocks that the server sent it. */
  readonly serverBytes: number;
}

/** The relay tree of one stream at a moment. */
export interface RelayTreeInfo {
  /** `APP/NAME`. */
  readonly stream: string;
  /** False if the settings do not allow relaying of this stream. */
  readonly enabled: boolean;
  /** What the server is called among the nodes. */
  readonly root_uuid: RelayUuid;
  /** Bytes that the server sent to peers: blocks, and the index with its hashes. */
  readonly sent: { readonly blocks: number; readonly index: number };
  /** Bytes of blocks that peers got from each other, those that left included. */
  readonly relayed: number;
  readonly nodes: readonly RelayTreeNode[];
}

/** Most nodes of one answer. */
export const RELAY_MAX_NODES = 20_000;

/** Reads the tree as the API gives it. @throws DecodeError */
export function decodeRelayTree(value: unknown): RelayTreeInfo {
  const field = new Field(value);
  const sent = field.at('sent');
  return {
    stream: field.at('stream').string(129),
    enabled: field.at('enabled').boolean(),
    root_uuid: readRelayUuid(field.at('root_uuid')),
    sent: { blocks: sent.at('blocks').count(), index: sent.at('index').count() },
    relayed: field.at('relayed').count(),
    nodes: field.at('nodes').list(
      (node) => ({
        ...decodeRelayNode(node.value),
        peerBytes: node.at('peerBytes').count(),
        serverBytes: node.at('serverBytes').count(),
      }),
      RELAY_MAX_NODES,
    ),
  };
}
