import type { Ticks, Timebase } from '../time/index.ts';
import type { CodecParameters } from './codec.ts';

/** One elementary stream within an epoch of a stream. Immutable: new parameters make a new track object. */
export interface Track {
  /** Small positive integer, unique within the stream and stable across epochs for the same role. */
  readonly id: number;
  /** Ticks per second of the `dts`, `pts` and `duration` of this track's samples. */
  readonly timebase: Timebase;
  readonly parameters: CodecParameters;
  /** BCP 47 language, if the publisher tells. */
  readonly language?: string;
}

/**
 * One access unit. Immutable; `data` belongs to whoever holds the sample and is never written to again.
 * `dts` rises strictly within a track; `pts - dts` may be negative only if the publisher made it so.
 */
export interface Sample {
  readonly track: Track;
  /** Decoding time in ticks of `track.timebase`. */
  readonly dts: Ticks;
  /** Presentation time in ticks of `track.timebase`. */
  readonly pts: Ticks;
  /** Ticks until the next sample, where the source knows it. */
  readonly duration: Ticks | undefined;
  /** True where a decoder can start: IDR/BLA/CRA with parameter sets in the track; every audio sample. */
  readonly keyframe: boolean;
  /** Coded bytes in the canonical framing of `docs/codec-registry.md`. */
  readonly data: Uint8Array;
}
