import type { Field } from '../api/index.ts';
import type { Fmp4State } from '../fmp4-socket/index.ts';
import { decodeIceServers, type IceServer } from '../rooms/index.ts';
import { peerUuid, type RelayUuid } from './node.ts';

/** Which addresses peers learn of each other: `open` their own, `turn` those of TURN servers only. */
export type RelayAddresses = 'open' | 'turn';

/** First message of the server: the stream's state and what holds in its tree. */
export interface RelayHello extends Fmp4State {
  readonly type: 'hello';
  /** `APP/NAME`. */
  readonly stream: string;
  /** Server clock, ms since the Unix epoch. */
  readonly now: number;
  readonly iceServers: readonly IceServer[];
  readonly addresses: RelayAddresses;
  /** A parent not heard for so long is late, ms. */
  readonly silentMs: number;
  /** Most children of one peer. */
  readonly maxChildren: number;
  /** Most bits per second that a peer sends to others; 0 for no bound. */
  readonly uploadBits: number;
}

/** What two peers tell each other to open a channel: a description or a candidate, as the browser gives them. */
export interface RelaySignalling {
  /** Attempt of the coordinator that this belongs to. */
  readonly attempt: number;
  readonly description?: { readonly type: 'offer' | 'answer'; readonly sdp: string };
  /** Empty for the end of candidates. */
  readonly candidate?: { readonly candidate: string; readonly mid: string };
}

/** Signalling by way of the server, which makes sure of who the other is. */
export interface RelaySignal extends RelaySignalling {
  readonly type: 'signal';
  /** To the server: for whom it is; from the server: whose it is. */
  readonly peer_uuid: RelayUuid;
}

/** Longest description and candidate, characters. A description with nothing but a data channel has about 500. */
const MAX_SDP = 6 * 1024;
const MAX_CANDIDATE = 512;

/** Reads a signalling message. @throws DecodeError */
export function readSignal(field: Field): RelaySignal {
  const signal = {
    type: 'signal' as const,
    peer_uuid: peerUuid(field.at('peer_uuid')),
    attempt: field.at('attempt').count(),
    ...field.optional('description', (description) => ({
      type: description.at('type').oneOf(['offer', 'answer'] as const),
      sdp: description.at('sdp').string(MAX_SDP),
    })),
    ...field.optional('candidate', (candidate) => ({
      candidate: candidate.at('candidate').string(MAX_CANDIDATE),
      mid: candidate.at('mid').string(16),
    })),
  };
  if (signal.description === undefined && signal.candidate === undefined)
    field.fail('a description or a candidate');
  return signal;
}

/** Reads the first message of the server. @throws DecodeError */
export function readHello(field: Field): RelayHello {
  return {
    type: 'hello',
    stream: field.at('stream').string(129),
    state: field.at('state').oneOf(['idle', 'live', 'waiting', 'ended'] as const),
    ...field.optional('until', (until) => until.number(0)),
    now: field.at('now').number(0),
    iceServers: decodeIceServers(field.at('iceServers')),
    addresses: field.at('addresses').oneOf(['open', 'turn'] as const),
    silentMs: field.at('silentMs').count(),
    maxChildren: field.at('maxChildren').count(),
    uploadBits: field.at('uploadBits').count(),
  };
}
