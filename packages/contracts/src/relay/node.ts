import { Field } from '../api/index.ts';

/** Name of a peer of a relay tree, an RFC 9562 UUID in lower case. The peer keeps it over reconnects. */
export type RelayUuid = string & { readonly __relayUuid: true };

/** What the server, the root of every tree, is called where a peer's name could stand. */
export const RELAY_ROOT = '00000000-0000-0000-0000-000000000000' as RelayUuid;

/** More children than this nobody says to have. */
export const RELAY_MAX_CHILDREN = 64;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What a peer tells about itself; the server believes it only as far as others' reports agree. */
export interface RelayFacts {
  /** False while the peer must not serve others: battery, mobile data, tab in the background, the viewer's wish. */
  readonly relayable: boolean;
  /** How many children the peer is ready to serve. */
  readonly capacity: number;
  /** Round trip to the server in milliseconds. */
  readonly rtt: number;
  /** Measured uplink in bits per second; 0 if unknown. */
  readonly uplink: number;
}

/** A peer's place in the tree, as the API shows it and as peers announce it. */
export interface RelayNode extends RelayFacts {
  readonly uuid: RelayUuid;
  /** Who feeds the peer; {@link RELAY_ROOT} for the server. */
  readonly parent_uuid: RelayUuid;
  readonly children_uuid: readonly RelayUuid[];
  /** Hops from the server, which has depth 0. */
  readonly depth: number;
}

/** Reads a peer's name. @throws DecodeError if it is not a UUID in lower case. */
export function readRelayUuid(field: Field): RelayUuid {
  const text = field.string(36);
  return UUID.test(text) ? (text as RelayUuid) : field.fail('a UUID in lower case');
}

/** Reads a name that cannot be the server's: nobody may claim to be the root. @throws DecodeError */
export function peerUuid(field: Field): RelayUuid {
  const uuid = readRelayUuid(field);
  return uuid === RELAY_ROOT ? field.fail('the name of a peer') : uuid;
}

/** Reads what a peer tells about itself. @throws DecodeError */
export function readRelayFacts(field: Field): RelayFacts {
  return {
    relayable: field.at('relayable').boolean(),
    capacity: Math.min(field.at('capacity').count(), RELAY_MAX_CHILDREN),
    rtt: field.at('rtt').number(0),
    uplink: field.at('uplink').number(0),
  };
}

/** Reads a node of the tree, as the API gives it. @throws DecodeError */
export function decodeRelayNode(value: unknown): RelayNode {
  const field = new Field(value);
  return {
    uuid: readRelayUuid(field.at('uuid')),
    parent_uuid: readRelayUuid(field.at('parent_uuid')),
    children_uuid: field.at('children_uuid').list(readRelayUuid, RELAY_MAX_CHILDREN),
    depth: field.at('depth').count(),
    ...readRelayFacts(field),
  };
}
