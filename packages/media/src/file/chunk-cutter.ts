import { chunk } from '../isobmff/index.ts';
import type { Sample, Track } from '../model/index.ts';
import { durationsOf } from './file-writer.ts';

/** Seconds of media in a chunk, if no keyframe ends it earlier. */
const CHUNK_SECONDS = 0.5;
/** Bytes after which a chunk is closed. */
const CHUNK_BYTES = 1024 * 1024;

/** One `moof` and `mdat` of one track, and where they belong. */
export interface MediaChunk {
  readonly track: Track;
  readonly bytes: Uint8Array;
  /** Seconds: decoding time of the first sample, presentation time of the first sample, length. */
  readonly decoded: number;
  readonly shown: number;
  readonly duration: number;
  /** Decoding can start here. */
  readonly independent: boolean;
}

/** Cuts samples into CMAF chunks for Media Source Extensions. Samples come in decoding order, from 0 on. */
export class ChunkCutter {
  readonly #waiting = new Map<number, Sample[]>();
  #sequence = 0;

  /** Returns the chunk that a sample completes. */
  push(sample: Sample): MediaChunk | undefined {
    const waiting = this.#waiting.get(sample.track.id) ?? [];
    this.#waiting.set(sample.track.id, waiting);
    const ready = isFull(waiting, sample) ? this.#cut(waiting, sample) : undefined;
    waiting.push(sample);
    return ready;
  }

  /** Nothing follows: what is left. */
  end(): MediaChunk[] {
    const left = [...this.#waiting.values()].flatMap((waiting) => this.#cut(waiting, undefined) ?? []);
    this.#waiting.clear();
    return left;
  }

  /** @param following the sample behind the chunk, which tells how long the last one in it lasts. */
  #cut(waiting: Sample[], following: Sample | undefined): MediaChunk | undefined {
    const samples = waiting.splice(0);
    const first = samples[0];
    if (first === undefined) return undefined;
    const { track, dts, pts, keyframe } = first;
    const durations = durationsOf(samples, following);
    const bytes = chunk({ track, sequence: ++this.#sequence, baseDecodeTime: dts, samples, durations });
    const { timebase } = track;
    const ticks = durations.reduce((sum, one) => sum + one, 0);
    return {
      track,
      bytes,
      decoded: dts / timebase,
      shown: pts / timebase,
      duration: ticks / timebase,
      independent: keyframe || track.parameters.kind === 'audio',
    };
  }
}

function isFull(waiting: readonly Sample[], { track, keyframe, dts }: Sample): boolean {
  const first = waiting[0];
  if (first === undefined) return false;
  if (keyframe && track.parameters.kind === 'video') return true;
  if ((dts - first.dts) / track.timebase >= CHUNK_SECONDS) return true;
  return waiting.reduce((sum, { data }) => sum + data.length, 0) >= CHUNK_BYTES;
}
