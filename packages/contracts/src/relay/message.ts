import { DecodeError, Field } from '../api/index.ts';
import {
  RELAY_MAX_CHILDREN,
  RELAY_ROOT,
  type RelayFacts,
  type RelayUuid,
  readRelayFacts,
  readRelayUuid,
} from './node.ts';

/** Subprotocol of the relay's control socket, see `docs/protocols/relay.md`. */
export const RELAY_SUBPROTOCOL = 'onair.relay.v1';
/** Longest message of the control socket in UTF-16 units. */
export const RELAY_MAX_MESSAGE = 8 * 1024;

/** Why a child gave its parent up: nothing came in time, or the channel closed. */
export type RelayLoss = 'late' | 'closed';

/** First message of a peer, also after every reconnect: who it is and what it has at this moment. */
export interface RelayAnnounce extends RelayFacts {
  readonly type: 'announce';
  readonly uuid: RelayUuid;
  readonly parent_uuid: RelayUuid;
  readonly children_uuid: readonly RelayUuid[];
}

/** Messages of a peer to the coordinator. */
export type RelayPeerMessage =
  | RelayAnnounce
  | ({ readonly type: 'report' } & RelayFacts)
  | { readonly type: 'attached'; readonly attempt: number }
  | { readonly type: 'failed'; readonly attempt: number }
  | { readonly type: 'lost'; readonly parent_uuid: RelayUuid; readonly reason: RelayLoss }
  | { readonly type: 'leave' };

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
  | { readonly type: 'full' };

/** Reads a message of a peer. @throws DecodeError if it is none of the known ones or too long. */
export function decodeRelayPeerMessage(text: string): RelayPeerMessage {
  const field = parsed(text);
  const type = field.at('type').oneOf(['announce', 'report', 'attached', 'failed', 'lost', 'leave'] as const);
  switch (type) {
    case 'announce':
      return {
        type,
        uuid: peerUuid(field.at('uuid')),
        parent_uuid: readRelayUuid(field.at('parent_uuid')),
        children_uuid: field.at('children_uuid').list(peerUuid, RELAY_MAX_CHILDREN),
        ...readRelayFacts(field),
      };
    case 'report':
      return { type, ...readRelayFacts(field) };
    case 'attached':
    case 'failed':
      return { type, attempt: field.at('attempt').count() };
    case 'lost':
      return {
        type,
        parent_uuid: peerUuid(field.at('parent_uuid')),
        reason: field.at('reason').oneOf(['late', 'closed'] as const),
      };
    case 'leave':
      return { type };
  }
}

/** Reads a message of the coordinator. @throws DecodeError if it is none of the known ones or too long. */
export function decodeRelayServerMessage(text: string): RelayServerMessage {
  const field = parsed(text);
  const type = field.at('type').oneOf(['feed', 'connect', 'expect', 'release', 'cancel', 'full'] as const);
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
  }
}

/** A name that cannot be the server's: nobody may claim to be the root. */
function peerUuid(field: Field): RelayUuid {
  const uuid = readRelayUuid(field);
  return uuid === RELAY_ROOT ? field.fail('the name of a peer') : uuid;
}

function parsed(text: string): Field {
  if (text.length > RELAY_MAX_MESSAGE) {
    throw new DecodeError({
      path: '',
      expected: `at most ${RELAY_MAX_MESSAGE} characters`,
      received: `${text.length}`,
    });
  }
  try {
    return new Field(JSON.parse(text));
  } catch {
    throw new DecodeError({ path: '', expected: 'JSON', received: 'something else' });
  }
}
