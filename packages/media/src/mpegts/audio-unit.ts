import { ADTS_HEADER_BYTES, parseAacConfig, writeAdtsHeader } from '../bitstream/index.ts';
import type { AudioParameters } from '../model/codec.ts';
import type { TsSample } from './mux-input.ts';

/** Longest run of audio in one PES packet, in seconds. */
export const MAX_AUDIO_SECONDS = 0.1;
/** Most bytes of it, so that PES_packet_length can tell them. */
export const MAX_AUDIO_BYTES = 60_000;
/** Longest AAC frame that ADTS can tell. ISO/IEC 14496-3 §1.A.2.2. */
const MAX_ADTS_FRAME = 0x1fff;

/** How the frames of an audio track are written. */
export interface AudioFraming {
  /** Bytes in front of each frame. */
  readonly headerBytes: number;
  /** Largest frame that can be written. */
  readonly maxFrame: number;
  /** Writes what stands in front of a frame of `bytes` bytes. */
  readonly header: (target: Uint8Array, at: number, bytes: number) => void;
}

const PLAIN: AudioFraming = { headerBytes: 0, maxFrame: MAX_AUDIO_BYTES, header: () => {} };

/** ADTS for AAC (ISO/IEC 14496-3 §1.A.2.2), nothing for codecs whose frames have headers of their own. */
export function audioFraming(parameters: AudioParameters): AudioFraming {
  if (parameters.codec !== 'aac') return PLAIN;
  const blank = writeAdtsHeader(parseAacConfig(parameters.description), 0);
  return {
    headerBytes: ADTS_HEADER_BYTES,
    maxFrame: MAX_ADTS_FRAME - ADTS_HEADER_BYTES,
    header: (target, at, bytes) => {
      const size = bytes + ADTS_HEADER_BYTES;
      target.set(blank, at);
      target[at + 3] = (blank[3]! & 0xfc) | (size >> 11);
      target[at + 4] = size >> 3;
      target[at + 5] = ((size & 7) << 5) | 0x1f;
    },
  };
}

/** Frames that go into one PES packet. */
export interface AudioRun {
  readonly from: number;
  /** Behind the last. */
  readonly to: number;
  /** Headers included. */
  readonly bytes: number;
}

/**
 * Parts samples into runs that follow one another without a hole, see {@link MAX_AUDIO_SECONDS}. Frames that
 * cannot be written are left out.
 */
export function audioRuns(
  samples: readonly TsSample[],
  timebase: number,
  { headerBytes, maxFrame }: AudioFraming,
): AudioRun[] {
  const runs: AudioRun[] = [];
  const longest = MAX_AUDIO_SECONDS * timebase;
  let from = 0;
  let bytes = 0;
  const close = (to: number): void => {
    if (to > from) runs.push({ from, to, bytes });
    from = to;
    bytes = 0;
  };
  for (const [i, { pts, duration, data }] of samples.entries()) {
    if (data.length === 0 || data.length > maxFrame) {
      close(i);
      from = i + 1;
      continue;
    }
    const size = headerBytes + data.length;
    const before = samples[i - 1];
    const follows = i > from && before !== undefined && Math.abs(before.pts + before.duration - pts) <= 1;
    if (!follows || bytes + size > MAX_AUDIO_BYTES || pts + duration - samples[from]!.pts > longest) close(i);
    bytes += size;
  }
  close(samples.length);
  return runs;
}

/** Writes the frames of a run. @returns position behind them. */
export function putAudioRun(
  target: Uint8Array,
  at: number,
  framing: AudioFraming,
  samples: readonly TsSample[],
  run: AudioRun,
): number {
  for (let i = run.from; i < run.to; i++) {
    const { data } = samples[i]!;
    framing.header(target, at, data.length);
    target.set(data, at + framing.headerBytes);
    at += framing.headerBytes + data.length;
  }
  return at;
}
