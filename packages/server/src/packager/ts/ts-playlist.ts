import type { MediaPlaylist, MultivariantPlaylist } from '@onair/media/hls';
import type { TsSegment } from './ts-segment.ts';
import type { TsChoice } from './ts-tracks.ts';

/** EXT-X-VERSION: durations are decimal fractions, and nothing else is newer. RFC 8216 §7. */
const VERSION = 3;
/** The same with EXT-X-GAP. RFC 8216bis §8. */
const VERSION_WITH_GAPS = 8;

/**
 * The media playlist.
 * @param target EXT-X-TARGETDURATION, seconds. @param dated with EXT-X-PROGRAM-DATE-TIME.
 */
export function tsMediaPlaylist(
  segments: readonly TsSegment[],
  target: number,
  ended: boolean,
  dated: boolean,
): MediaPlaylist {
  const first = segments[0]?.boundary;
  return {
    version: versionOf(segments),
    targetDuration: target,
    mediaSequence: first?.msn ?? 0,
    discontinuitySequence: first === undefined ? 0 : first.discontinuities - (first.discontinuity ? 1 : 0),
    // The multivariant playlist says it, which may take it back; this one must not change.
    independentSegments: false,
    segments: segments.map(({ boundary, programDateTime, duration, gap }) => ({
      uri: `s${boundary.msn}.ts`,
      duration: duration / 1_000_000,
      discontinuity: boundary.discontinuity,
      programDateTime: dated ? programDateTime : undefined,
      parts: [],
      ...(gap ? { gap: true } : {}),
    })),
    preloadHints: [],
    renditionReports: [],
    dateRanges: [],
    endList: ended,
  };
}

/**
 * The multivariant playlist: one variant with everything in it.
 * @param uri of the media playlist.
 */
export function tsMultivariantPlaylist(
  segments: readonly TsSegment[],
  choice: TsChoice,
  uri: string,
): MultivariantPlaylist {
  let peak = 0;
  let bits = 0;
  let microseconds = 0;
  for (const { bytes, duration } of segments) {
    bits += bytes.length * 8;
    microseconds += duration;
    peak = Math.max(peak, (bytes.length * 8_000_000) / duration);
  }
  const video = choice.video?.parameters;
  const picture = video?.kind === 'video' ? video : undefined;
  const codecs = [choice.video, choice.audio].flatMap((track) =>
    track === undefined || track.parameters.kind === 'data' ? [] : [track.parameters.codecString],
  );
  return {
    version: versionOf(segments),
    independentSegments: segments.every(({ independent }) => independent),
    renditions: [],
    variants: [
      {
        uri,
        bandwidth: Math.max(1, Math.ceil(peak)),
        averageBandwidth: Math.max(1, Math.ceil((bits * 1_000_000) / Math.max(1, microseconds))),
        codecs: codecs.join(','),
        resolution:
          picture !== undefined && picture.width > 0 && picture.height > 0
            ? { width: picture.width, height: picture.height }
            : undefined,
        frameRate: picture === undefined ? undefined : (picture.frameRate ?? measuredRate(segments)),
      },
    ],
  };
}

function versionOf(segments: readonly TsSegment[]): number {
  return segments.some(({ gap }) => gap) ? VERSION_WITH_GAPS : VERSION;
}

function measuredRate(segments: readonly TsSegment[]): number | undefined {
  const last = segments.findLast(({ frames }) => frames > 0);
  return last === undefined ? undefined : Math.round((last.frames * 1_000_000_000) / last.duration) / 1000;
}
