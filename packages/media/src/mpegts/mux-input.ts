import type { Track } from '../model/sample.ts';

/** One access unit as a segment brings it; a `ChunkSample` of the ISO base media file format is one. */
export interface TsSample {
  /** Ticks of the track's timebase. */
  readonly dts: number;
  /** Ticks of the track's timebase. */
  readonly pts: number;
  /** Ticks until the next sample. */
  readonly duration: number;
  readonly keyframe: boolean;
  /** Canonical framing of `docs/codec-registry.md`. */
  readonly data: Uint8Array;
}

/** A timed ID3 tag. */
export interface TsMetadata {
  /** 90 kHz ticks on the same timeline as the samples. */
  readonly pts: number;
  /** Whole ID3v2 tag, at most {@link MAX_METADATA_BYTES}. */
  readonly tag: Uint8Array;
}

/** Largest ID3 tag that is carried, in bytes; larger ones are left out. */
export const MAX_METADATA_BYTES = 32_768;

/** What a program consists of. At least one of video and audio. */
export interface TsTracks {
  readonly video?: Track | undefined;
  readonly audio?: Track | undefined;
  /** There is a track of ID3 tags. */
  readonly metadata?: boolean;
  /** There are sections of SCTE 35. */
  readonly splices?: boolean;
}

/** The media of one segment, each list in decoding order. */
export interface TsMedia {
  readonly video?: readonly TsSample[] | undefined;
  readonly audio?: readonly TsSample[] | undefined;
  readonly metadata?: readonly TsMetadata[] | undefined;
  /** 90 kHz ticks where the next segment begins, on the same timeline: only pictures take the clock further. */
  readonly end?: number | undefined;
  /** Whole sections of SCTE 35 of at most `MAX_SPLICE_BYTES`, sent at the start of the segment. */
  readonly splices?: readonly Uint8Array[] | undefined;
}
