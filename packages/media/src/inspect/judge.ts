import type { Findings, TrackReport } from './model.ts';
import type { SentenceKey, SentenceValues } from './sentences.ts';

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
    findings.say('warning', start > 0 ? 'start-apart/after' : 'start-apart/before', apart(start));
  }
  if (Math.abs(end - start) > NOTICED_SECONDS && Math.abs(end) > NOTICED_SECONDS) {
    findings.say('note', end > 0 ? 'end-apart/after' : 'end-apart/before', apart(end));
  }
}

function judgeTrack(track: TrackReport, findings: Findings): void {
  const { id, kind, samples, keyframes, backwards, gaps, gop, codec } = track;
  const warn = (sentence: SentenceKey, values: SentenceValues = {}): void =>
    findings.say('warning', sentence, { track: id, ...values }, undefined, id);
  if (samples === 0) {
    if (kind !== 'other') warn('track-empty', { kind, codec });
    return;
  }
  if (backwards > 0) {
    warn(backwards === 1 ? 'time-backwards/once' : 'time-backwards', { count: backwards });
  }
  if (gaps > 0) warn(gaps === 1 ? 'time-gap/once' : 'time-gap', { count: gaps });
  if (kind !== 'video') return;
  if (keyframes === 0) {
    warn('no-keyframe');
  } else if (gop !== undefined && gop.longestSeconds > LONG_GOP_SECONDS) {
    warn('gop-long', { seconds: gop.longestSeconds.toFixed(1) });
  }
}

function apart(seconds: number): SentenceValues {
  return { seconds: Math.abs(seconds).toFixed(3) };
}
