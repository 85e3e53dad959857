import type { MediaPlaylist, Part } from '../model.ts';
import type { HlsAnswer } from './answers.ts';
import { type Fault, Faults } from './rule.ts';

/** What is wrong with a low-latency playlist that goes on: no hint at its next part. RFC 8216bis §B.1. */
export function checkHinted(url: string, playlist: MediaPlaylist): Fault[] {
  const faults = new Faults();
  const hinted = playlist.preloadHints.some(({ type }) => type === 'PART');
  if (playlist.partTarget !== undefined && !playlist.endList && !hinted) {
    faults.add('preload-hint', `${url}: no EXT-X-PRELOAD-HINT of a part`);
  }
  return faults.list;
}

/**
 * What is wrong with the answer to a request for a part that was hinted at, once that part is listed.
 * @param listed what the playlist lists at that place; undefined if the stream ended before.
 * @param listedMs when it was listed for the first time. @param slackMs milliseconds that it may come after that.
 */
export function checkHintAnswer(
  { url, status, answeredMs }: HlsAnswer,
  listed: Part | undefined,
  listedMs: number,
  slackMs: number,
): Fault[] {
  const faults = new Faults();
  if (listed === undefined) return faults.list;
  if (status !== 200) faults.add('preload-hint', `${url}: ${status} for a part that was hinted at and came`);
  else if (answeredMs > listedMs + slackMs) {
    faults.add(
      'preload-hint',
      `${url}: answered ${(answeredMs - listedMs).toFixed(0)} ms after it was listed`,
    );
  }
  return faults.list;
}
