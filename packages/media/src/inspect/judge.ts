import type { Findings, TrackReport } from './model.ts';

/** Seconds of a group of pictures beyond which joining and seeking become slow. */
const LONG_GOP_SECONDS = 10;
/** Seconds between sound and picture that people notice. ITU-R BT.1359. */
const NOTICED_SECONDS = 0.125;

/** Says in words what is unusual about the tracks. */
export function judgeTracks(tracks: readonly TrackReport[], findings: Findings): void {
  for (const track of tracks) judgeTrack(track, findings);
  const video = tracks.find(({ kind, samples }) => kind === 'video' && samples > 0);
  const audio = tracks.find(({ kind, samples }) => kind === 'audio' && samples > 0);
  if (video === undefined || audio === undefined) return;
  const start = (audio.firstPts ?? 0) - (video.firstPts ?? 0);
  const end = start + audio.duration - video.duration;
  if (Math.abs(start) > NOTICED_SECONDS) {
    const message = `The sound begins ${apart(start)} the picture.`;
    findings.add('warning', 'start-apart', message);
  }
  if (Math.abs(end - start) > NOTICED_SECONDS && Math.abs(end) > NOTICED_SECONDS) {
    const message = `The sound ends ${apart(end)} the picture: the tracks are not equally long.`;
    findings.add('note', 'end-apart', message);
  }
}

function judgeTrack(track: TrackReport, findings: Findings): void {
  const { id, kind, samples, keyframes, backwards, gaps, gop, codec } = track;
  const tell = (severity: 'warning' | 'note', code: string, message: string): void =>
    findings.add(severity, code, message, undefined, id);
  if (samples === 0) {
    if (kind !== 'other') tell('warning', 'track-empty', `Track ${id} (${kind}, ${codec}) has no samples.`);
    return;
  }
  if (backwards > 0) {
    tell('warning', 'time-backwards', `Track ${id}: ${times(backwards)} the decoding time does not go on.`);
  }
  if (gaps > 0) tell('warning', 'time-gap', `Track ${id}: ${times(gaps)} a hole of more than half a second.`);
  if (kind !== 'video') return;
  if (keyframes === 0) {
    tell('warning', 'no-keyframe', `Track ${id} has no keyframe: no player can begin with it.`);
  } else if (gop !== undefined && gop.longestSeconds > LONG_GOP_SECONDS) {
    const seconds = gop.longestSeconds.toFixed(1);
    tell(
      'warning',
      'gop-long',
      `Track ${id}: up to ${seconds} s from keyframe to keyframe, so joining and seeking are slow.`,
    );
  }
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function apart(seconds: number): string {
  return `${Math.abs(seconds).toFixed(3)} s ${seconds > 0 ? 'after' : 'before'}`;
}
