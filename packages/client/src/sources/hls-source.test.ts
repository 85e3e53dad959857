import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SourceState } from './source.ts';

interface Level {
  readonly width: number;
  readonly height: number;
  readonly bitrate: number;
}

/** Stands in for hls.js: remembers what it is told, and tells what a test lets it. */
class FakeHls {
  static readonly made: FakeHls[] = [];
  static readonly Events = {
    LEVEL_LOADED: 'levelLoaded',
    MANIFEST_PARSED: 'manifestParsed',
    MEDIA_ATTACHED: 'mediaAttached',
    FRAG_LOADED: 'fragLoaded',
    ERROR: 'error',
  };
  static readonly ErrorDetails = { BUFFER_STALLED_ERROR: 'stalled' };
  static readonly ErrorTypes = { MEDIA_ERROR: 'media', NETWORK_ERROR: 'network' };
  static isSupported = (): boolean => true;
  levels: Level[] = [];
  currentLevel = -1;
  nextLevel = -2;
  loadLevel = -2;
  latency = 1;
  targetLatency = 1;
  liveSyncPosition = 8;
  readonly config: { maxLiveSyncPlaybackRate: number };
  readonly #listeners = new Map<string, (event: string, data: unknown) => void>();

  constructor(config: object) {
    this.config = { maxLiveSyncPlaybackRate: 1, ...config };
    FakeHls.made.push(this);
  }

  on(event: string, listener: (event: string, data: unknown) => void): void {
    this.#listeners.set(event, listener);
  }

  tell(event: string, data: unknown): void {
    this.#listeners.get(event)?.(event, data);
  }

  loadSource(): void {}
  attachMedia(): void {}
  destroy(): void {}
  startLoad(): void {}
  stopLoad(): void {}
}
vi.mock('hls.js', () => ({ default: FakeHls }));
const { HlsSource } = await import('./hls-source.ts');

const LEVELS: Level[] = [
  { width: 640, height: 360, bitrate: 800_000 },
  { width: 1280, height: 720, bitrate: 2_500_000 },
];
const LIVE = { details: { live: true, edge: 10, partList: [], partTarget: 0.3, targetduration: 2 } };

function make(steadyRate = false): {
  source: InstanceType<typeof HlsSource>;
  media: { currentTime: number; playbackRate: number; readyState: number };
  states: SourceState[];
} {
  const media = {
    currentTime: 1,
    playbackRate: 1.05,
    paused: false,
    seeking: false,
    readyState: 4,
    buffered: { length: 1, start: () => 1, end: () => 9 },
  };
  const states: SourceState[] = [];
  const source = new HlsSource(
    { address: 'http://h/a/b/index.m3u8', media: media as never, latency: 'lowest', steadyRate },
    { state: (state) => states.push(state), event: () => {}, replaced: () => {}, failed: () => {} },
  );
  source.start();
  return { source, media, states };
}

function play(hls: FakeHls, levels = LEVELS): void {
  hls.levels = levels;
  hls.tell('manifestParsed', { levels });
  hls.tell('levelLoaded', LIVE);
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeHls.made.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

it('tells the qualities, best first, and which one plays', () => {
  const { source } = make();
  const hls = FakeHls.made[0]!;
  expect(source.qualities()).toEqual({ levels: [], wanted: undefined, playing: undefined });
  play(hls);
  hls.currentLevel = 0;
  expect(source.qualities()).toEqual({
    levels: [
      { id: 1, ...LEVELS[1] },
      { id: 0, ...LEVELS[0] },
    ],
    wanted: undefined,
    playing: 0,
  });
  source.close();
});

it('plays the quality asked for, also after the stream came back, and goes back to the automatic choice', () => {
  const { source } = make();
  play(FakeHls.made[0]!);
  source.setQuality(1);
  expect(FakeHls.made[0]!.nextLevel).toBe(1);
  source.setLatency('balanced');
  play(FakeHls.made[1]!);
  expect(FakeHls.made[1]!.loadLevel).toBe(1);
  source.setQuality(undefined);
  expect(FakeHls.made[1]!.nextLevel).toBe(-1);
  expect(source.qualities().wanted).toBeUndefined();
  source.close();
});

it('forgets a quality that the stream has no longer', () => {
  const { source } = make();
  play(FakeHls.made[0]!);
  source.setQuality(1);
  source.setLatency('balanced');
  play(FakeHls.made[1]!, LEVELS.slice(0, 1));
  expect(FakeHls.made[1]!.loadLevel).toBe(-2);
  expect(source.qualities().wanted).toBeUndefined();
  source.close();
});

it.each([
  [false, 1.1, 2.5, 1],
  [false, 1, 3.5, 8],
  [true, 1, 0.59, 1],
  [true, 1, 1.5, 8],
])(
  'with a steady rate %s: rate up to %d where it is %d s late, and position %d s',
  (steady, rate, late, position) => {
    const { source, media } = make(steady);
    const hls = FakeHls.made[0]!;
    play(hls);
    vi.advanceTimersByTime(1000);
    media.currentTime = 2;
    vi.advanceTimersByTime(1000);
    media.currentTime = 1;
    hls.latency = hls.targetLatency + late;
    vi.advanceTimersByTime(1000);
    expect(hls.config.maxLiveSyncPlaybackRate).toBe(rate);
    expect(media.currentTime).toBe(position);
    source.close();
  },
);

it('plays faster only while it is late, and not up and down around the target', () => {
  const { source, media } = make();
  const hls = FakeHls.made[0]!;
  play(hls);
  const rates = [0.5, 0.7, 0.5, 0.4, 0.3, 0.5].map((late) => {
    hls.latency = hls.targetLatency + late;
    vi.advanceTimersByTime(1000);
    return hls.config.maxLiveSyncPlaybackRate;
  });
  expect(rates).toEqual([1, 1.1, 1.1, 1.1, 1, 1]);
  expect(media.playbackRate).toBe(1);
  source.close();
});

describe('what the start took', () => {
  function start(): ReturnType<typeof make> & { hls: FakeHls; look(position: number): number } {
    const made = make();
    const hls = FakeHls.made[0]!;
    play(hls);
    const look = (position: number): number => {
      made.media.currentTime = position;
      vi.advanceTimersByTime(1000);
      return made.media.currentTime;
    };
    return { ...made, hls, look };
  }

  it('is made up for once, when play moves and what lies closer to the edge is there', () => {
    const { source, media, hls, look } = start();
    hls.latency = 2;
    media.readyState = 2;
    expect(look(1)).toBe(1);
    media.readyState = 3;
    expect(look(1)).toBe(1);
    expect(look(1.1)).toBe(1.1);
    hls.liveSyncPosition = 8.6;
    expect(look(2)).toBe(2);
    hls.liveSyncPosition = 8;
    expect(look(3)).toBe(8);
    expect(look(1)).toBe(1);
    source.close();
  });

  it('is left alone when it was little; what comes late afterwards is left to the rate', () => {
    const { source, hls, look } = start();
    hls.latency = 1.3;
    look(1);
    look(2);
    hls.latency = 2;
    expect(look(3)).toBe(3);
    expect(hls.config.maxLiveSyncPlaybackRate).toBe(1.1);
    source.close();
  });
});
