import type {
  RelayAnnounce,
  RelayFacts,
  RelayLoss,
  RelayServerMessage,
  RelayUuid,
} from '@onair/contracts/relay';

/** What happens to a relay tree. The caller has made sure that `uuid` is who sent the message. */
export type RelayEvent =
  | ({ readonly kind: 'announce' } & Omit<RelayAnnounce, 'type' | 'secret'>)
  | { readonly kind: 'report'; readonly uuid: RelayUuid; readonly facts: RelayFacts }
  | { readonly kind: 'attached'; readonly uuid: RelayUuid; readonly attempt: number }
  | { readonly kind: 'failed'; readonly uuid: RelayUuid; readonly attempt: number }
  | {
      readonly kind: 'lost';
      readonly uuid: RelayUuid;
      readonly parent: RelayUuid;
      readonly reason: RelayLoss;
    }
  /** The peer said goodbye or its control socket closed. */
  | { readonly kind: 'left'; readonly uuid: RelayUuid }
  /** The stream's publisher vanished or came back: without it everybody is late and nobody is to blame. */
  | { readonly kind: 'source'; readonly present: boolean }
  | { readonly kind: 'bitrate'; readonly bitsPerSecond: number }
  /** Time has passed; to be given every 100 ms or so. */
  | { readonly kind: 'tick' };

/**
 * What the coordinator wants done: a message for a peer. To the server itself ({@link RELAY_ROOT}) goes `release` only:
 * stop sending to that child. A `feed` also asks the server to begin.
 */
export interface RelayCommand {
  readonly to: RelayUuid;
  readonly message: RelayServerMessage;
}

/** What a decision may depend on besides the state and the event. */
export interface RelayContext {
  /** Monotonic milliseconds. */
  readonly now: number;
  /** The next number of a seeded series, from 0 up to but not including 1. */
  readonly random: () => number;
}
