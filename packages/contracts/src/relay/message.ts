import type { Field } from '../api/index.ts';
import {
  peerUuid,
  RELAY_MAX_CHILDREN,
  type RelayFacts,
  type RelayUuid,
  readRelayFacts,
  readRelayUuid,
} from './node.ts';
import { parsed } from './parse.ts';
import { type RelayHello, type RelaySignal, readHello, readSignal } from './session.ts';

/** Subprotocol of the relay's control socket, see `docs/protocols/relay.md`. */
export const RELAY_SUBPROTOCOL = 'onair.relay.v1';
/** Blocks that one `want` may ask for. */
export const RELAY_MAX_WANTED = 64;

/** Why a child gave its parent up: nothing came in time, its channel closed, or it sent what the server never had. */
export type RelayLoss = 'late' | 'closed' | 'forged';

/** Bytes of blocks that a peer took, by where they came from, since it announced itself on this connection. */
export interface RelayIntake {
  readonly peers: number;
  readonly server: number;
}

/** First message of a peer, also after every reconnect: who it is and what it has at this moment. */
export interface RelayAnnounce extends RelayFacts {
  readonly type: 'announce';
  readonly uuid: RelayUuid;
  readonly parent_uuid: RelayUuid;
  readonly children_uuid: readonly RelayUuid[];
  /** Chosen by the peer; who gives another one for the same name is refused while the first is there. */
  readonly secret: string;
}

/** Messages of a peer to the coordinator. */
export type RelayPeerMessage =
  | RelayAnnounce
  | ({ readonly type: 'report'; readonly taken?: RelayIntake } & RelayFacts)
  | { readonly type: 'attached'; readonly attempt: number }
  | { readonly type: 'failed'; readonly attempt: number }
  | { readonly type: 'lost'; readonly parent_uuid: RelayUuid; readonly reason: RelayLoss }
  | { readonly type: 'leave' }
  /** Send these blocks of the index, which did not come in time. */
  | { readonly type: 'want'; readonly sequences: readonly number[] }
  | RelaySignal
  | { readonly type: 'ping'; readonly id: number }
  /** `bytes` of no meaning follow in binary messages, to measure the uplink. */
  | { readonly type: 'probe'; readonly bytes: number };

/** Messages of the coordinator to a peer. */
export type RelayServerMessage =
  /** Take blocks from the server, from the first one that is missing. */
  | { readonly type: 'feed' }
  /** Open a channel to `parent_uuid`, go over to it once it delivers, then say `attached`. */
  | { readonly type: 'connect'; readonly parent_uuid: RelayUuid; readonly attempt: number }
  /** Let `child_uuid` in. */
  | { readonly type: 'expect'; readonly child_uuid: RelayUuid; readonly attempt: number }
  /** Stop serving `child_uuid`. */
  | { readonly type: 'release'; readonly child_uuid: RelayUuid }
  /** Forget the attempt and stay where you are. */
  | { readonly type: 'cancel'; readonly attempt: number }
  /** The tree and the server are full: watch by another transport. */
  | { readonly type: 'full' }
  | RelayHello
  | RelaySignal
  | { readonly type: 'pong'; readonly id: number; readonly now: number }
  /** The server has these blocks no more. */
  | { readonly type: 'gone'; readonly sequences: readonly number[] }
  /** The server left out so many blocks of the index, because the peer was too slow. */
  | { readonly type: 'skip'; readonly blocks: number }
  /** So many bytes of a probe came within so many milliseconds, the first message not counted. */
  | { readonly type: 'probed'; readonly bytes: number; readonly ms: number };

const PEER_TYPES = [
  'announce',
  'report',
  'attached',
  'failed',
  'lost',
  'leave',
  'want',
  'signal',
  'ping',
  'probe',
] as const;
const SERVER_TYPES = [
  'feed',
  'connect',
  'expect',
  'release',
  'cancel',
  'full',
  'hello',
  'signal',
  'pong',
  'gone',
  'skip',
  'probed',
] as const;

/** Reads a message of a peer. @throws DecodeError if it is none of the known ones or too long. */
export function decodeRelayPeerMessage(text: string): RelayPeerMessage {
  const field = parsed(text);
  const type = field.at('type').oneOf(PEER_TYPES);
  switch (type) {
    case 'announce':
      return {
        type,
        uuid: peerUuid(field.at('uuid')),
        parent_uuid: readRelayUuid(field.at('parent_uuid')),
        children_uuid: field.at('children_uuid').list(peerUuid, RELAY_MAX_CHILDREN),
        ...readRelayFacts(field),
        secret: field.at('secret').string(64),
      };
    case 'report':
      return { type, ...readRelayFacts(field), ...field.optional('taken', readIntake) };
    case 'attached':
    case 'failed':
      return { type, attempt: field.at('attempt').count() };
    case 'lost':
      return {
        type,
        parent_uuid: peerUuid(field.at('parent_uuid')),
        reason: field.at('reason').oneOf(['late', 'closed', 'forged'] as const),
      };
    case 'leave':
      return { type };
    case 'want':
      return { type, sequences: readSequences(field) };
    case 'signal':
      return readSignal(field);
    case 'ping':
      return { type, id: field.at('id').count() };
    case 'probe':
      return { type, bytes: field.at('bytes').count() };
  }
}

/** Reads a message of the coordinator. @throws DecodeError if it is none of the known ones or too long. */
export function decodeRelayServerMessage(text: string): RelayServerMessage {
  const field = parsed(text);
  const type = field.at('type').oneOf(SERVER_TYPES);
  switch (type) {
    case 'connect':
      return { type, parent_uuid: peerUuid(field.at('parent_uuid')), attempt: field.at('attempt').count() };
    case 'expect':
      return { type, child_uuid: peerUuid(field.at('child_uuid')), attempt: field.at('attempt').count() };
    case 'release':
      return { type, child_uuid: peerUuid(field.at('child_uuid')) };
    case 'cancel':
      return { type, attempt: field.at('attempt').count() };
    case 'feed':
    case 'full':
      return { type };
    case 'hello':
      return readHello(field);
    case 'signal':
      return readSignal(field);
    case 'pong':
      return { type, id: field.at('id').count(), now: field.at('now').number(0) };
    case 'gone':
      return { type, sequences: readSequences(field) };
    case 'skip':
      return { type, blocks: field.at('blocks').count() };
    case 'probed':
      return { type, bytes: field.at('bytes').count(), ms: field.at('ms').number(0) };
  }
}

function readSequences(field: Field): number[] {
  return field.at('sequences').list((item) => item.count(), RELAY_MAX_WANTED);
}

function readIntake(field: Field): RelayIntake {
  return { peers: field.at('peers').count(), server: field.at('server').count() };
}
