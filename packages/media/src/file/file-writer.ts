import type { Sample, Track } from '../model/index.ts';
import { rescale, type Ticks, type Timebase, ticks } from '../time/index.ts';

/** Containers that are written: `mp4` with one table at the end, `fmp4` in fragments. */
export type OutputFormat = 'mp4' | 'fmp4' | 'webm' | 'mkv' | 'flv' | 'ts';

/** What completes a file. */
export interface FileEnding {
  readonly tail: readonly Uint8Array[];
  /** Bytes to be written over earlier ones; the file is good without them, but lacks durations or an index. */
  readonly patches: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
}

/** A track with its first sample, which tells where its timeline begins. */
export interface TrackStart {
  readonly track: Track;
  readonly first: Sample;
}

/** Writes one container. The arrays it returns may be views of samples: nobody writes into them. */
export interface FileWriter {
  /** It copies the bytes of a sample before {@link push} returns, and looks at them no more. */
  readonly copies?: boolean;
  /** Told of what it returned once that is written: it may use the memory again. */
  giveBack?(part: Uint8Array): void;
  /** @throws ParseError for codecs that the container does not carry. */
  begin(starts: readonly TrackStart[]): readonly Uint8Array[];
  /** The bytes that a sample makes ready. Samples come in the order of their decoding times. */
  push(sample: Sample): readonly Uint8Array[];
  finish(): FileEnding;
}

/** Ticks that are added to the times of a track's samples. */
export interface Shift {
  readonly dts: number;
  readonly pts: number;
}

/** A sample at another time. */
export function moved(sample: Sample, { dts, pts }: Shift): Sample {
  if (dts === 0 && pts === 0) return sample;
  return { ...sample, dts: ticks(sample.dts + dts), pts: ticks(sample.pts + pts) };
}

/** Ticks of `track` that are `seconds`' place on its timeline, from ticks of another one. */
export function ticksIn(track: Track, time: number, timebase: number): number {
  return rescale(time as Ticks, timebase as Timebase, track.timebase);
}

/** Ticks from each of `samples` to the next; the last has its own duration, else that of the one before. */
export function durationsOf(samples: readonly Sample[], following: Sample | undefined): number[] {
  const durations: number[] = [];
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!;
    const next = samples[i + 1] ?? following;
    const own = sample.duration ?? durations.at(-1) ?? 0;
    durations.push(next === undefined ? own : Math.max(0, next.dts - sample.dts));
  }
  return durations;
}
