import type {
  HlsAnswer,
  MeasuredMedia,
  MeasuredRendition,
  MeasuredSegment,
  MeasuredTrack,
} from '../../packages/media/src/hls/index.ts';
import type { InitInfo } from '../../packages/media/src/isobmff/index.ts';
import { segment } from './playlists.ts';

const PICTURE: MeasuredTrack = {
  kind: 'video',
  timebase: 90_000,
  start: 0,
  end: 90_000,
  presentation: 0,
  frame: 3000,
  samples: 30,
  keyframes: 1,
  startsWithKeyframe: true,
  holes: [],
  slack: 0,
  digest: 1,
};
const SOUND: MeasuredTrack = {
  ...PICTURE,
  kind: 'audio',
  timebase: 48_000,
  end: 48_000,
  frame: 1024,
  samples: 47,
  keyframes: 47,
};

/** A second of picture or sound that begins at second `from`; `more` replaces what it says. */
export function second(
  kind: 'video' | 'audio',
  from: number,
  more: Partial<MeasuredTrack> = {},
): MeasuredMedia {
  const model = kind === 'video' ? PICTURE : SOUND;
  const start = from * model.timebase;
  const track = { ...model, start, presentation: start, end: start + model.timebase, ...more };
  return { bytes: kind === 'video' ? 100_000 : 10_000, tracks: [track] };
}

/** Segment number `n` of `playlists.ts`, which lasts second `n`, with what it holds. */
export function measuredSegment(
  kind: 'video' | 'audio',
  n: number,
  more: Partial<MeasuredTrack> = {},
): MeasuredSegment {
  return { msn: n, segment: segment(n, false), media: second(kind, n, more) };
}

/** Six segments of the variant or rendition that `MULTIVARIANT` names. */
export function measuredRendition(
  kind: 'video' | 'audio',
  more: Partial<MeasuredRendition> = {},
): MeasuredRendition {
  const tracks = [
    kind === 'video'
      ? { kind, format: 'avc1', width: 1280, height: 720, timebase: 90_000 }
      : { kind, format: 'mp4a', width: 0, height: 0, timebase: 48_000 },
  ];
  return {
    uri: `${kind}.m3u8`,
    version: 9,
    targetDuration: 1,
    whole: true,
    listedFrom: 7,
    segments: [7, 8, 9, 10, 11, 12].map((n) => measuredSegment(kind, n)),
    init: { fileType: undefined, tracks } as unknown as InitInfo,
    ...more,
  };
}

/** A good answer to a blocking reload, or what `more` makes of it. */
export function answer(more: Partial<HlsAnswer> & { readonly text?: string } = {}): HlsAnswer {
  const headers = new Map([
    ['content-type', 'application/vnd.apple.mpegurl'],
    ['content-encoding', 'gzip'],
    ['cache-control', 'public, max-age=6'],
    ['vary', 'Accept-Encoding'],
    ...(more.headers ?? []),
  ]);
  const body = new TextEncoder().encode(more.text ?? '');
  return { url: 'http://a/v.m3u8', status: 200, body, askedMs: 0, answeredMs: 10, ...more, headers };
}
