import { join } from 'node:path';
import { eventOf, type StreamName, type TimedEvent } from '@onair/media';
import type { RunSegment } from './segment-index.ts';

/** A stretch of a recording without a break, as it can be fetched. */
export interface RunView {
  readonly path: string;
  /** Octets of `ftyp` and `moov`, with which the file begins. */
  readonly initBytes: number;
  /** Octets of the file. */
  readonly size: number;
  /** Server clock at its first chunk, ms since the Unix epoch. */
  readonly wallMs: number;
  /** Segments that are whole and on the disk. */
  readonly segments: readonly RunSegment[];
  /** What its chunks carry, on the time of the segments. */
  readonly events: readonly TimedEvent[];
}

/** A recording as it is told to others. */
export interface RecordingView {
  readonly id: string;
  readonly stream: StreamName;
  readonly folder: string;
  readonly finished: boolean;
  /** ms since the Unix epoch. */
  readonly startedMs: number;
  /** µs; so far, while it goes on. */
  readonly duration: number;
  /** There are no pictures. */
  readonly audioOnly: boolean;
  readonly runs: readonly RunView[];
  /** Octets of the header of the finished file, once there is one. */
  readonly headerBytes: number | undefined;
  /** Octets of the finished file in WebM, where players take the pictures in no other; 0 if there is none. */
  readonly webmBytes: number;
}

/** File with what a finished recording is. */
export const INDEX_FILE = 'index.json';
/** File with what stands in front of the runs in the finished file. */
export const HEADER_FILE = 'header.mp4';
/** The finished file in WebM, of recordings that need one. */
export const WEBM_FILE = 'recording.webm';

/** µs of all segments. */
export function durationOf(runs: readonly Pick<RunView, 'segments'>[]): number {
  let sum = 0;
  for (const { segments } of runs) for (const { duration } of segments) sum += duration;
  return sum;
}

/** The content of {@link INDEX_FILE}. */
export function writeIndex({ startedMs, audioOnly, runs, headerBytes, webmBytes }: RecordingView): string {
  const stored = runs.map(({ path, initBytes, size, wallMs, segments, events }) => ({
    file: path.slice(path.lastIndexOf('/') + 1),
    initBytes,
    size,
    wallMs,
    segments: segments.map(({ start, end, time, duration, independent }) => [
      start,
      end,
      time,
      duration,
      independent ? 1 : 0,
    ]),
    ...(events.length === 0 ? {} : { events }),
  }));
  return JSON.stringify({ version: 1, startedMs, audioOnly, headerBytes, webmBytes, runs: stored });
}

/** Reads {@link INDEX_FILE} of a folder. @throws TypeError or SyntaxError if it is not one. */
export function readIndex(
  text: string,
  at: { readonly id: string; readonly stream: StreamName; readonly folder: string },
): RecordingView {
  const stored = record(JSON.parse(text));
  if (!Array.isArray(stored.runs)) throw new TypeError('no runs');
  const runs = stored.runs.map((entry): RunView => {
    const run = record(entry);
    const file = String(run.file);
    if (!/^\d{1,9}\.mp4$/.test(file) || !Array.isArray(run.segments)) throw new TypeError('not a run');
    return {
      path: join(at.folder, file),
      initBytes: whole(run.initBytes),
      size: whole(run.size),
      wallMs: whole(run.wallMs),
      segments: run.segments.map((segment: unknown): RunSegment => {
        if (!Array.isArray(segment) || segment.length !== 5) throw new TypeError('not a segment');
        const [start, end, time, duration, independent] = segment.map(whole);
        return {
          start: start!,
          end: end!,
          time: time!,
          duration: duration!,
          independent: independent === 1,
        };
      }),
      events: (Array.isArray(run.events) ? run.events : [])
        .map(eventOf)
        .filter((event) => event !== undefined),
    };
  });
  return {
    ...at,
    finished: true,
    startedMs: whole(stored.startedMs),
    duration: durationOf(runs),
    audioOnly: stored.audioOnly === true,
    runs,
    headerBytes: whole(stored.headerBytes),
    webmBytes: whole(stored.webmBytes ?? 0),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError('not an object');
  return value as Readonly<Record<string, unknown>>;
}

function whole(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new TypeError('not a whole number');
  return value as number;
}
