import { open } from 'node:fs/promises';
import { type Sample, type StreamName, type TimedEvent, type Track, ticks } from '@onair/media';
import { eventsOfChunks, FragmentDemuxer } from '@onair/media/isobmff';
import type { RecordingView } from '../record/index.ts';
import type { RecordingSource } from './vod-routes.ts';

/** A recording on its own time, which begins at 0 and knows no breaks. */
export interface RecordedMedia {
  /** µs, so far. */
  readonly duration: number;
  /**
   * Tracks and samples in decoding order, and each timed event once, in front of its place or, where it goes on there,
   * at the beginning. @param from µs; begins at the segment with a key frame at or before it.
   */
  read(from: number): AsyncGenerator<Track | Sample | TimedEvent>;
}

/** Opens the newest recording of a stream; undefined if there is none. */
export async function openRecordedMedia(
  recordings: RecordingSource,
  stream: StreamName,
): Promise<RecordedMedia | undefined> {
  const view = await recordings.newest(stream);
  if (view === undefined || view.runs.every(({ segments }) => segments.length === 0)) return undefined;
  return { duration: view.duration, read: (from) => read(view, from) };
}

async function* read({ runs }: RecordingView, from: number): AsyncGenerator<Track | Sample | TimedEvent> {
  let base = 0;
  for (const run of runs) {
    const { path, initBytes, segments } = run;
    const [first] = segments;
    const last = segments.at(-1);
    if (first === undefined || last === undefined) continue;
    const length = last.time + last.duration - first.time;
    const begin = Math.max(0, entryBefore(segments, first.time + from - base));
    const skipped = base + length <= from && run !== runs.at(-1);
    if (!skipped) {
      const file = await open(path, 'r');
      try {
        const found: (Track | Sample)[] = [];
        const shift = base - first.time;
        const told = new Set<string>();
        const demuxer = new FragmentDemuxer({
          onTrack: (track) => found.push(track),
          onSample: (sample) => found.push(moved(sample, shift)),
        });
        demuxer.push(await bytesOf(file, 0, initBytes));
        for (const { start, end } of segments.slice(begin)) {
          const bytes = await bytesOf(file, start, end);
          for (const event of eventsOfChunks(bytes)) {
            if (told.has(event.id)) continue;
            told.add(event.id);
            const time = event.time + shift;
            if (time + event.duration >= from) yield { ...event, time: Math.max(0, time) };
          }
          demuxer.push(bytes);
          yield* found.splice(0);
        }
      } finally {
        await file.close();
      }
    }
    base += length;
  }
}

/** Index of the last segment that begins with a key frame and not behind `time`. */
function entryBefore(
  segments: readonly { readonly time: number; readonly independent: boolean }[],
  time: number,
): number {
  return segments.findLastIndex((segment) => segment.independent && segment.time <= time);
}

function moved(sample: Sample, shift: number): Sample {
  const by = Math.round((shift / 1_000_000) * sample.track.timebase);
  return { ...sample, dts: ticks(Math.max(0, sample.dts + by)), pts: ticks(Math.max(0, sample.pts + by)) };
}

async function bytesOf(
  file: Awaited<ReturnType<typeof open>>,
  from: number,
  to: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(to - from);
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, from + at);
    if (bytesRead === 0) throw new Error('a recording is shorter than it was');
    at += bytesRead;
  }
  return bytes;
}
