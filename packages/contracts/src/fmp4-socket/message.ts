/** Subprotocol of the fMP4 WebSocket, see `docs/protocols/ws-fmp4.md`. */
export const FMP4_SUBPROTOCOL = 'onair.fmp4.v1';
/** Bytes in front of the payload of every binary message of this version. */
export const FMP4_HEADER_LENGTH = 40;
/** Longest JSON payload (epoch, state, event) in bytes. */
export const FMP4_MAX_JSON = 128 * 1024;

/** Message types of the binary header. */
export const FMP4_TYPE = { init: 1, chunk: 2, event: 3, epoch: 4, state: 5 } as const;
/** Flag bits of the binary header. */
export const FMP4_FLAG = { independent: 1, discontinuity: 2 } as const;

/** What precedes the payload of a binary message. All times are microseconds. */
export interface Fmp4Header {
  readonly type: number;
  /** A decoder can start here: first sample is a keyframe (video) or any audio chunk of an audio-only stream. */
  readonly independent: boolean;
  /** First chunk of its track after a publisher came back or timestamps jumped. */
  readonly discontinuity: boolean;
  /** Track the payload belongs to; 0 for messages about the whole stream. */
  readonly track: number;
  /** Rises by one whenever codec parameters change. */
  readonly epoch: number;
  /** Position in the stream's log; gaps happen where other kinds of block lie between. Strictly rising. */
  readonly sequence: number;
  /** Decoding time of the first sample in stream time, µs. */
  readonly time: number;
  /** Duration of the chunk, µs; 0 where it has none. */
  readonly duration: number;
  /** Presentation minus decoding time of the first sample, µs; may be negative. */
  readonly compositionOffset: number;
  /** Server clock when the first sample arrived, µs since the Unix epoch; 0 if unknown. */
  readonly wallClock: number;
}

/** One track as the `epoch` message tells it. */
export interface Fmp4TrackInfo {
  readonly id: number;
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  /** RFC 6381 string. */
  readonly codecString: string;
  /** MIME type with codecs for `MediaSource.addSourceBuffer`. */
  readonly mime: string;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly sampleRate?: number;
  readonly channels?: number;
}

/** Payload of an `epoch` message. */
export interface Fmp4Epoch {
  readonly epoch: number;
  readonly tracks: readonly Fmp4TrackInfo[];
}

/** Payload of a `state` message, also part of `hello`. */
export interface Fmp4State {
  readonly state: StreamState;
  /** Server clock, ms since the Unix epoch, at which the wait for the publisher ends; only in `waiting`. */
  readonly until?: number;
}

/** `idle`: nobody published yet; `live`; `waiting`: the publisher vanished and may come back; `ended`. */
export type StreamState = 'idle' | 'live' | 'waiting' | 'ended';

/** Text message the server sends first. */
export interface Fmp4Hello extends Fmp4State {
  readonly type: 'hello';
  readonly protocol: typeof FMP4_SUBPROTOCOL;
  readonly stream: string;
  /** Server clock, ms since the Unix epoch. */
  readonly now: number;
  /** True if viewers may pass the stream on to each other: `NAME.relay` is there. */
  readonly relay?: boolean;
}

/** Text messages from the server. */
export type Fmp4ServerText =
  | Fmp4Hello
  | { readonly type: 'pong'; readonly id: number; readonly now: number }
  | { readonly type: 'skip'; readonly blocks: number }
  | { readonly type: 'error'; readonly code: string; readonly detail: string };

/** Text messages from the client. At most 1 KiB each. */
export type Fmp4ClientText =
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'pause' }
  | { readonly type: 'play' };

/** A binary message taken apart; `payload` is a view into the received bytes. */
export type Fmp4Message =
  | { readonly kind: 'init'; readonly header: Fmp4Header; readonly payload: Uint8Array }
  | { readonly kind: 'chunk'; readonly header: Fmp4Header; readonly payload: Uint8Array }
  | { readonly kind: 'event'; readonly header: Fmp4Header; readonly event: unknown }
  | { readonly kind: 'epoch'; readonly header: Fmp4Header; readonly epoch: Fmp4Epoch }
  | { readonly kind: 'state'; readonly header: Fmp4Header; readonly state: Fmp4State }
  | { readonly kind: 'unknown'; readonly header: Fmp4Header };
