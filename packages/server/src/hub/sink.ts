import type { Sample, Track } from '@onair/media';

/** `idle`: nobody published yet; `live`; `waiting`: the publisher vanished and may come back; `ended`. */
export type StreamState = 'idle' | 'live' | 'waiting' | 'ended';

/** The span of a stream during which codec parameters stay the same. */
export interface Epoch {
  /** Rises by one with every change, starting at 1. */
  readonly number: number;
  /** Video first, then audio; data tracks last. */
  readonly tracks: readonly Track[];
}

/** Ties stream time to the wall clock; constant until the next cut. */
export interface ClockAnchor {
  /** Stream time in microseconds. */
  readonly time: number;
  /** Milliseconds since the Unix epoch at that time. */
  readonly wallMs: number;
}

/**
 * A place in the stream where continuity breaks: it starts, a publisher came back, parameters changed,
 * or the publisher's timestamps jumped. Stream time itself goes on.
 */
export interface Cut {
  readonly epoch: Epoch;
  readonly anchor: ClockAnchor;
  /** True if decoders must be set up anew. */
  readonly newEpoch: boolean;
}

/**
 * What listens to a stream: packagers, recorders, links. Calls come in order on one thread:
 * `cut` before the first sample, then samples in arrival order. Must not throw and must not block;
 * a sink that throws is removed from the stream.
 */
export interface StreamSink {
  cut(cut: Cut): void;
  /** @param wallMs server clock when the sample arrived, ms since the Unix epoch. */
  sample(sample: Sample, wallMs: number): void;
  /** @param until for `waiting`: ms since the Unix epoch when the reconnect window closes. */
  state(state: StreamState, until?: number): void;
}
