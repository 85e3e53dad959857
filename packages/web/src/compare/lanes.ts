import type { Transport } from '@onair/client';
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { clockOffset } from '../api/live.ts';
import { type PlayerView, playerView } from '../player/player-view.ts';
import { PictureClock } from './picture-clock.ts';
import { type Reading, readingOf, SteadyReading } from './readings.ts';

/** One transport of the comparison. */
export interface Lane {
  readonly transport: Transport;
  readonly view: PlayerView;
  /** The steadied delay; undefined while there is none. */
  readonly reading: Signal<Reading | undefined>;
  /** Delays in milliseconds, one per entry of {@link Comparison.times}. */
  readonly course: Signal<readonly (number | null)[]>;
}

/** The transports side by side. */
export interface Comparison {
  readonly lanes: readonly Lane[];
  /** When the courses were extended, milliseconds since 1970, oldest first. */
  readonly times: ReadonlySignal<readonly number[]>;
  stop(): void;
}

/** Milliseconds between two looks at every player. */
const LOOK_INTERVAL = 250;
/** Looks that make one point of the courses. */
const LOOKS_PER_POINT = 4;
/** Longest course, points. */
const MAX_POINTS = 180;

/** Begin to measure these transports. */
export function compare(transports: readonly Transport[]): Comparison {
  const times = signal<readonly number[]>([]);
  const clock = new PictureClock();
  const lanes = transports.map((transport) => ({
    transport,
    view: playerView('lowest', transport),
    reading: signal<Reading | undefined>(undefined),
    course: signal<readonly (number | null)[]>([]),
    steady: new SteadyReading(),
  }));
  let looks = 0;

  const look = (): void => {
    for (const { view, reading, steady } of lanes) {
      const video = view.element.peek()?.video;
      const playing = video !== undefined && view.status.peek()?.kind === 'playing';
      reading.value = steady.add(
        playing
          ? readingOf(clock.read(video), Date.now() + clockOffset.peek(), view.figures.peek()?.latency)
          : undefined,
      );
    }
    if (++looks % LOOKS_PER_POINT !== 0) return;
    times.value = [...times.value, Date.now()].slice(-MAX_POINTS);
    for (const { course, reading } of lanes) {
      course.value = [...course.value, reading.value?.ms ?? null].slice(-MAX_POINTS);
    }
  };
  const timer = setInterval(look, LOOK_INTERVAL);
  return { lanes, times, stop: () => clearInterval(timer) };
}
