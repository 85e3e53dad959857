import type { AmfObject, AmfValue } from '../amf/index.ts';
import type { MediaMessage, SharedObjectMessage } from './messages/index.ts';
import type { CallResult, RtmpDataEvent } from './server-events.ts';

/** What a server does, as the client session tells it. */
export type RtmpClientEvent =
  /** `connect` was granted; streams are being set up. */
  | { readonly kind: 'connected'; readonly properties: AmfObject; readonly info: AmfObject }
  /** Publishing may begin, or playing has begun. */
  | { readonly kind: 'ready'; readonly streamId: number }
  | ClientRefusal
  /** Any other `onStatus`. */
  | {
      readonly kind: 'status';
      readonly streamId: number;
      readonly level: string;
      readonly code: string;
      readonly description: string;
      readonly info: AmfObject;
    }
  | MediaMessage
  | RtmpDataEvent
  | SharedObjectMessage
  /** The server's end of stream; a live publisher may come back. */
  | { readonly kind: 'eof'; readonly streamId: number }
  /** The server calls a method. `respond` if `transactionId` is not 0. */
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly transactionId: number;
      readonly args: readonly AmfValue[];
    }
  | CallResult;

/** The server refused `connect`, `createStream`, `publish` or `play`; the session is closed. */
export interface ClientRefusal {
  readonly kind: 'refused';
  readonly code: string;
  readonly description: string;
  /** Everything the server said. */
  readonly info: AmfObject;
  /** Where to go instead (`ex.code` 302), an rtmp URL. */
  readonly redirect: string | undefined;
}
