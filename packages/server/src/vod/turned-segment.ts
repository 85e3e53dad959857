import { type Sample, type Track, ticks, type VideoParameters } from '@onair/media';
import { concatBytes } from '@onair/media/bytes';
import { chunk, type ParsedChunk, readBoxes } from '@onair/media/isobmff';

/** A picture in its new codec. */
export interface TurnedPicture {
  readonly parameters: VideoParameters;
  readonly keyframe: boolean;
  /** Presentation time of the picture that it was, in ticks of the track. */
  readonly time: number;
  readonly data: Uint8Array;
}

/** The samples that chunks have of a track; their data are views into what was parsed. */
export function samplesOf(track: Track, chunks: readonly ParsedChunk[]): Sample[] {
  return chunks.flatMap(({ tracks }) =>
    tracks
      .filter(({ trackId }) => trackId === track.id)
      .flatMap(({ samples }) =>
        samples.map(({ dts, pts, duration, keyframe, data }) => ({
          track,
          dts: ticks(dts),
          pts: ticks(pts),
          duration: ticks(duration),
          keyframe,
          data,
        })),
      ),
  );
}

/**
 * A segment with other pictures in place of a track's, each with the times of the one it stands for. Where there is none,
 * as for one that is not shown, the picture before lasts longer. All else stays as it is.
 * @param chunks what was parsed of `bytes`: of one track each.
 * @throws Error if none of the pictures came.
 */
export function withPictures(
  bytes: Uint8Array,
  chunks: readonly ParsedChunk[],
  track: Track,
  pictures: readonly TurnedPicture[],
): { readonly bytes: Uint8Array; readonly parameters: VideoParameters } {
  const byTime = new Map(pictures.map((picture) => [picture.time, picture]));
  const shown: { sample: Sample; until: number }[] = [];
  const parameters = pictures[0]?.parameters;
  for (const source of samplesOf(track, chunks)) {
    const until = source.dts + (source.duration ?? 0);
    const picture = byTime.get(source.pts);
    const last = shown.at(-1);
    if (picture !== undefined && parameters !== undefined) {
      const { keyframe, data } = picture;
      shown.push({ sample: { ...source, track: { ...track, parameters }, keyframe, data }, until });
    } else if (last !== undefined) last.until = until;
  }
  if (parameters === undefined || shown.length === 0) throw new Error('no picture came of a segment');
  const parts: Uint8Array[] = [];
  for (const { start, end, sequence, tracks } of chunks) {
    const own = tracks.find(({ trackId }) => trackId === track.id);
    if (own === undefined) {
      parts.push(bytes.subarray(start, end));
      continue;
    }
    // Boxes in front of it tell of times, which stay the same.
    const moof = readBoxes(bytes.subarray(start, end)).find(({ type }) => type === 'moof');
    parts.push(bytes.subarray(start, start + (moof?.start ?? 0)));
    const within = shown.splice(0, countUntil(shown, own.samples.at(-1)?.dts ?? 0));
    const samples = within.map(({ sample }) => sample);
    if (samples.length === 0) continue;
    const durations = within.map(({ sample, until }) => until - sample.dts);
    const baseDecodeTime = samples[0]!.dts;
    parts.push(chunk({ track: samples[0]!.track, sequence, baseDecodeTime, samples, durations }));
  }
  return { bytes: concatBytes(parts), parameters };
}

/** How many of the first samples are not behind a time. */
function countUntil(shown: readonly { readonly sample: Sample }[], dts: number): number {
  const next = shown.findIndex(({ sample }) => sample.dts > dts);
  return next < 0 ? shown.length : next;
}
