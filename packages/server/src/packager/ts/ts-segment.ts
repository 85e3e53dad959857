import { ParseError, type Track } from '@onair/media';
import { parseChunks } from '@onair/media/isobmff';
import { id3TextTag, SYSTEM_TIMEBASE, type TsMetadata, TsMuxer, type TsSample } from '@onair/media/mpegts';
import type { Boundary, HlsSegment } from '../hls/segment.ts';
import type { TsChoice } from './ts-tracks.ts';

/** A segment with video and audio in one transport stream. */
export interface TsSegment {
  readonly boundary: Boundary;
  /** Milliseconds since the Unix epoch. */
  readonly programDateTime: number;
  /** µs. */
  readonly duration: number;
  /** Pictures it holds. */
  readonly frames: number;
  readonly bytes: Uint8Array;
  /** There is no media. */
  readonly gap: boolean;
  /** It begins with a keyframe, or is sound alone. */
  readonly independent: boolean;
}

/** Gives the ID3 tags that belong into a stretch of a stream. */
export interface TimedTags {
  /** In order. @param from @param to µs of stream time, the end not included. */
  between(from: number, to: number): readonly TsMetadata[];
  /** Sections of SCTE 35 of that stretch, on the timeline of the transport stream. */
  splices?(from: number, to: number): readonly Uint8Array[];
}

/** Chunks of one rendition. */
type Chunks = Pick<HlsSegment, 'bytes'>;

/** The segments of the renditions that make one segment of a transport stream. */
export interface TsSources {
  /** Numbers, times and duration are those of this one. */
  readonly leader: HlsSegment;
  readonly video: Chunks | undefined;
  readonly audio: Chunks | undefined;
}

/** Description of the ID3 text at the start of each segment: the wall-clock time of its first picture or sound. */
export const DATE_TAG = 'PROGRAM-DATE-TIME';

/** Turns the segments of fragmented MP4 into segments of a transport stream, one after the other. */
export class TsConverter {
  readonly #tags: TimedTags | undefined;
  readonly #muxer = new TsMuxer();
  #running:
    | {
        readonly epoch: number;
        readonly video: Track | undefined;
        readonly audio: Track | undefined;
        readonly splices: boolean;
      }
    | undefined;
  /** Announced from the first cue on: most streams have none, and a PID without packets confuses players. */
  #splices = false;

  /** @param tags further ID3 tags, beside the date at the start of each segment. */
  constructor(tags?: TimedTags) {
    this.#tags = tags;
  }

  /** The next segment; they come in the order of their numbers. */
  convert(sources: TsSources, choice: TsChoice): TsSegment {
    const { leader } = sources;
    const { boundary, programDateTime, duration } = leader;
    let frames = 0;
    let independent = true;
    let bytes: Uint8Array = new Uint8Array(0);
    try {
      const video = choice.video === undefined ? [] : samplesOf(sources.video);
      const audio = choice.audio === undefined ? [] : samplesOf(sources.audio);
      if (video.length > 0 || audio.length > 0) {
        const splices = this.#tags?.splices?.(boundary.time, boundary.time + duration) ?? [];
        this.#splices ||= splices.length > 0;
        this.#begin(boundary, choice, audio.length > 0);
        const end = ticksOf(leader.end);
        bytes = this.#muxer.segment({ video, audio, metadata: this.#metadata(leader), end, splices });
        frames = video.length;
        independent = video[0]?.keyframe ?? true;
      }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
    // The anchor grows more exact until dates are shown: no list may tell an older state of it.
    const { anchor } = boundary;
    const since = programDateTime - anchor.wallMs;
    return {
      boundary,
      get programDateTime() {
        return anchor.wallMs + since;
      },
      duration,
      frames,
      bytes,
      gap: bytes.length === 0,
      independent,
    };
  }

  /** Sets the muxer up where the tracks change. A track that was announced is left out until it brings something. */
  #begin({ epoch, discontinuity }: Boundary, { video, audio }: TsChoice, sound: boolean): void {
    const before = this.#running;
    const same = before?.epoch === epoch.number;
    const next = {
      epoch: epoch.number,
      video,
      audio: video === undefined || sound || (same && before.audio !== undefined) ? audio : undefined,
      splices: this.#splices,
    };
    if (same && next.audio === before.audio && next.splices === before.splices && !discontinuity) return;
    this.#muxer.begin(
      { video: next.video, audio: next.audio, metadata: true, splices: next.splices },
      before !== undefined && discontinuity,
    );
    this.#running = next;
  }

  #metadata({ boundary: { time }, programDateTime, duration }: HlsSegment): TsMetadata[] {
    const value = new Date(Math.round(programDateTime)).toISOString();
    const date = {
      pts: ticksOf(time),
      tag: id3TextTag({ description: DATE_TAG, value }),
    };
    return [date, ...(this.#tags?.between(time, time + duration) ?? [])];
  }
}

/** Ticks of 90 kHz. @param time µs. */
function ticksOf(time: number): number {
  return Math.round((time * SYSTEM_TIMEBASE) / 1_000_000);
}

function samplesOf(segment: Chunks | undefined): TsSample[] {
  return segment === undefined
    ? []
    : parseChunks(segment.bytes).flatMap(({ tracks }) => tracks[0]?.samples ?? []);
}
