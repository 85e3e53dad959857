import type { StreamInfo, TrackInfo } from '@onair/contracts/api';
import { codecName, number } from '../words/format.ts';

/** The last part of `APP/NAME`. */
export function shortName(stream: string): string {
  return stream.slice(stream.indexOf('/') + 1);
}

/** The first part of `APP/NAME`. */
export function appName(stream: string): string {
  return stream.slice(0, Math.max(0, stream.indexOf('/')));
}

/** A track in few words: `H.264 1280×720 30 fps`, `AAC 48 kHz`. */
export function trackFacts(track: TrackInfo): string {
  const facts = [codecName(track.codec)];
  if (track.width !== undefined && track.height !== undefined) facts.push(`${track.width}×${track.height}`);
  if (track.frameRate !== undefined && track.frameRate > 0)
    facts.push(`${number(Math.round(track.frameRate))} fps`);
  if (track.sampleRate !== undefined) facts.push(`${Number((track.sampleRate / 1000).toFixed(1))} kHz`);
  return facts.join(' ');
}

/** Picture and sound of a stream in the fewest words: `H.264 720p30 · AAC`. */
export function streamFacts(stream: Pick<StreamInfo, 'tracks'>): string {
  return stream.tracks
    .filter((track) => track.kind !== 'data')
    .map((track) =>
      track.height === undefined
        ? codecName(track.codec)
        : `${codecName(track.codec)} ${track.height}p${Math.round(track.frameRate ?? 0) || ''}`,
    )
    .join(' · ');
}

/** Streams on air first, then those that wait for their publisher; among equals by viewers, then by name. */
export function byInterest(a: StreamInfo, b: StreamInfo): number {
  const rank = (stream: StreamInfo): number => (stream.state === 'live' ? 0 : 1);
  return rank(a) - rank(b) || b.viewers - a.viewers || a.name.localeCompare(b.name);
}
