import type { TimedEvent } from '@onair/media';
import type { LatencyClass } from '../engine/live-edge.ts';

/** A way to the picture: fMP4 over WebSocket, the same from other viewers, LL-HLS by hls.js, HLS by the browser, FLV over HTTP, WebRTC by WHEP. */
export type Transport = 'ws' | 'relay' | 'llhls' | 'hls' | 'flv' | 'whep';
/** Every {@link Transport} in the order in which they are tried. */
export const TRANSPORTS: readonly Transport[] = ['ws', 'relay', 'llhls', 'hls', 'flv', 'whep'];

/** How things stand between a source and its stream. */
export type SourceState =
  /** No word from the server yet. */
  | { readonly kind: 'connecting' }
  /** Nobody publishes (yet). */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'live' }
  /** The publisher vanished; `until` (ms since the Unix epoch, this machine's clock) ends the wait, if known. */
  | { readonly kind: 'absent'; readonly until?: number }
  | { readonly kind: 'ended' }
  /** The connection is lost and made again. */
  | { readonly kind: 'reconnecting'; readonly reason: string };

/** Why a source gives up. */
export interface SourceFailure {
  /** `unsupported`: this browser cannot; `unreachable`: no connection; `denied`: not allowed; `media`: does not play. */
  readonly code: 'unsupported' | 'unreachable' | 'denied' | 'media';
  /** For people, in English. */
  readonly detail: string;
}

/** Tells where on the media element an event lies, in seconds; undefined while that is not known. */
export type EventPlace = () => number | undefined;

/** What a source tells its player. */
export interface SourceListener {
  state(state: SourceState): void;
  /** A timed event of the stream, as soon as it is known; perhaps more than once. */
  event(event: TimedEvent, place: EventPlace): void;
  /** The media element was given new media and is paused: play if the viewer wants to. */
  replaced(): void;
  /** The server says that the stream can be had by another transport that serves it better. */
  offered?(transport: Transport): void;
  /** The source gives up; it is closed by the player. */
  failed(failure: SourceFailure): void;
}

/** Figures of a source now; what it cannot know is undefined. */
export interface SourceFigures {
  /** Seconds between the server receiving a picture and this page showing it. */
  readonly latency: number | undefined;
  /** Seconds of media ahead of the position. */
  readonly ahead: number;
  /** Bits per second received over the last seconds. */
  readonly bitrate: number | undefined;
  /** RFC 6381 strings, e.g. `avc1.64001f, mp4a.40.2`. */
  readonly codecs: string;
  /** Connections made again. */
  readonly reconnects: number;
  /** Blocks the server left out because this viewer was too slow. */
  readonly skipped: number;
  readonly stalls: number;
  /** Milliseconds to add to this machine's clock to get the server's, where the transport tells. */
  readonly clockOffset: number | undefined;
  /** Part of the media that came from other viewers, 0 to 1, and bytes sent to them; only by `relay`. */
  readonly peerShare?: number | undefined;
  readonly peerBytesSent?: number;
}

/** Figures where there is no source. */
export const NO_FIGURES: SourceFigures = {
  latency: undefined,
  ahead: 0,
  bitrate: undefined,
  codecs: '',
  reconnects: 0,
  skipped: 0,
  stalls: 0,
  clockOffset: undefined,
};

/** One quality that a stream is offered in. */
export interface Quality {
  /** Which one it is among those of its stream, also after a reconnection. */
  readonly id: number;
  /** Pixels; 0 where the stream does not tell. */
  readonly width: number;
  readonly height: number;
  /** Bits per second. */
  readonly bitrate: number;
}

/** The qualities of a stream and which of them is played. */
export interface Qualities {
  /** Best first; fewer than two leave nothing to choose. */
  readonly levels: readonly Quality[];
  /** {@link Quality.id} that was asked for; undefined for the automatic choice. */
  readonly wanted: number | undefined;
  /** {@link Quality.id} that plays now, undefined if not known. */
  readonly playing: number | undefined;
}

/** One transport at work on one media element. */
export interface Source {
  readonly transport: Transport;
  /** Begins; what follows comes to the listener. */
  start(): void;
  /** The viewer paused or plays on: media need not flow while paused. */
  setPaused(paused: boolean): void;
  /** To the live edge. */
  goLive(): void;
  /** The viewer steps to `position` (s): away from the live edge, play is not kept there. */
  seekTo(position: number): void;
  /** True while play is kept at the live edge. */
  isLive(): boolean;
  setLatency(latency: LatencyClass): void;
  /** Qualities there are; absent where the transport has one only. */
  qualities?(): Qualities;
  /** Another quality by its id, undefined for the automatic choice. */
  setQuality?(id: number | undefined): void;
  figures(): SourceFigures;
  /** Lets go of everything. Safe to call twice. */
  close(): void;
}
