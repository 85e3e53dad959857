import { type MediaPlaylist, type Segment, writeMediaPlaylist } from '@onair/media/hls';
import { type RecordingView, TARGET_DURATION } from '../record/index.ts';
import { recordedRanges } from './recorded-ranges.ts';

/** In the names of what is not as it was recorded: its pictures are turned into H.264. */
export const TURNED = '.h264';

/** EXT-X-VERSION: EXT-X-MAP in a playlist that is not for I-frames only, RFC 8216 §7. */
const VERSION = 6;

/**
 * The media playlist of a recording: EVENT while it goes on, VOD afterwards, every segment from the beginning on.
 * Addresses are relative to the folder `recordings` beside the playlist. Undefined before the first segment.
 * @param turned for each run, whether players get its pictures as H.264.
 */
export function recordingPlaylist(
  recording: RecordingView,
  turned: readonly boolean[] = [],
): string | undefined {
  const segments: Segment[] = [];
  let independent = true;
  for (const [number, { segments: within, wallMs }] of recording.runs.entries()) {
    const form = turned[number] === true ? TURNED : '';
    const map = { uri: `recordings/${recording.id}/init-${number}${form}.mp4` };
    const first = within[0];
    for (const segment of within) {
      // An encoder of its own makes each segment that is turned: it begins with a key frame.
      independent &&= segment.independent || form === TURNED;
      segments.push({
        uri: `recordings/${recording.id}/${segments.length}${form}.m4s`,
        duration: segment.duration / 1_000_000,
        discontinuity: number > 0 && segment === first,
        ...(segment === first ? { programDateTime: wallMs } : {}),
        map,
        parts: [],
      });
    }
  }
  if (segments.length === 0) return undefined;
  const playlist: MediaPlaylist = {
    version: VERSION,
    targetDuration: TARGET_DURATION,
    mediaSequence: 0,
    discontinuitySequence: 0,
    independentSegments: independent && recording.finished,
    type: recording.finished ? 'VOD' : 'EVENT',
    segments,
    preloadHints: [],
    renditionReports: [],
    dateRanges: recordedRanges(recording.runs),
    endList: recording.finished,
  };
  return writeMediaPlaylist(playlist);
}
