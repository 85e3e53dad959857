import type {
  MediaPlaylist,
  MultivariantPlaylist,
  Part,
  Segment,
} from '../../packages/media/src/hls/model.ts';

const START = Date.UTC(2026, 0, 2, 3, 4, 5);
const MAP = { uri: 'init-1.mp4' };

/** Part number `n` of a stream that makes three parts of a third of a second per second. */
export function part(n: number): Part {
  return { uri: `part-${n}.m4s`, duration: n % 3 === 2 ? 0.334 : 0.333, independent: n % 3 === 0 };
}

/** Segment number `n`, one second long, with parts if `withParts`. */
export function segment(n: number, withParts: boolean, more: Partial<Segment> = {}): Segment {
  return {
    uri: `segment-${n}.m4s`,
    duration: 1,
    discontinuity: false,
    programDateTime: START + n * 1000,
    map: MAP,
    parts: withParts ? [part(3 * n), part(3 * n + 1), part(3 * n + 2)] : [],
    ...more,
  };
}

/** A low-latency playlist of `count` segments from `first`, with `pendingParts` of the next. */
export function live(first: number, count: number, pendingParts: number): MediaPlaylist {
  const next = first + count;
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  return {
    version: 9,
    targetDuration: 1,
    mediaSequence: first,
    discontinuitySequence: 0,
    independentSegments: true,
    serverControl: { canBlockReload: true, canSkipUntil: 6, holdBack: 3, partHoldBack: 1.002 },
    partTarget: 0.334,
    segments: numbers.map((n) => segment(n, n >= next - 3)),
    pending: {
      discontinuity: false,
      programDateTime: START + next * 1000,
      map: MAP,
      parts: Array.from({ length: pendingParts }, (_, i) => part(3 * next + i)),
    },
    preloadHints: [{ type: 'PART', uri: `part-${3 * next + pendingParts}.m4s` }],
    renditionReports: [{ uri: '../audio/media.m3u8', lastMsn: next, lastPart: 0 }],
    dateRanges: [],
    endList: false,
  };
}

/** One variant with an audio group. */
export const MULTIVARIANT: MultivariantPlaylist = {
  version: 9,
  independentSegments: true,
  renditions: [
    {
      type: 'AUDIO',
      groupId: 'audio',
      name: 'Ton 日本語',
      uri: 'audio.m3u8',
      language: 'de',
      default: true,
      autoselect: true,
      channels: '2',
    },
  ],
  variants: [
    {
      uri: 'video.m3u8',
      bandwidth: 1_500_000,
      averageBandwidth: 1_200_000,
      codecs: 'avc1.64001f,mp4a.40.2',
      resolution: { width: 1280, height: 720 },
      frameRate: 29.97,
      audio: 'audio',
      closedCaptions: 'NONE',
    },
  ],
};
