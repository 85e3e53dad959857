import type { BurntClockMeter, Transport } from '@onair/client';
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { clockOffset } from '../api/live.ts';
import { type PlayerView, playerView } from '../player/player-view.ts';
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

/** Milliseconds after which a measure of the picture's clock is old. */
const MEASURE_HOLDS = 1500;

/** Reads the clock in the pictures of a view, beginning when its video is there. */
function pictureMeter(view: PlayerView): { read(): number | undefined; close(): void } {
  let meter: BurntClockMeter | undefined;
  let measured: HTMLVideoElement | undefined;
  const measure = async (video: HTMLVideoElement): Promise<void> => {
    measured = video;
    meter?.close();
    const { BurntClockMeter: Meter } = await import('@onair/client');
    if (measured === video) meter = new Meter(video, { clockOffset: () => clockOffset.peek() });
  };
  return {
    read() {
      const video = view.element.peek()?.video;
      if (video !== undefined && video !== measured) void measure(video);
      const latest = meter?.latest;
      return latest !== undefined && Date.now() - latest.at < MEASURE_HOLDS ? latest.seconds : undefined;
    },
    close() {
      measured = undefined;
      meter?.close();
    },
  };
}

/** Begin to measure these transports. */
export function compare(transports: readonly Transport[]): Comparison {
  const times = signal<readonly number[]>([]);
  const lanes = transports.map((transport) => {
    const view = playerView('lowest', transport);
    return {
      transport,
      view,
      reading: signal<Reading | undefined>(undefined),
      course: signal<readonly (number | null)[]>([]),
      steady: new SteadyReading(),
      meter: pictureMeter(view),
    };
  });
  let looks = 0;

  const look = (): void => {
    for (const { view, reading, steady, meter } of lanes) {
      const picture = meter.read();
      const playing = view.status.peek()?.kind === 'playing';
      reading.value = steady.add(playing ? readingOf(picture, view.figures.peek()?.latency) : undefined);
    }
    if (++looks % LOOKS_PER_POINT !== 0) return;
    times.value = [...times.value, Date.now()].slice(-MAX_POINTS);
    for (const { course, reading } of lanes) {
      course.value = [...course.value, reading.value?.ms ?? null].slice(-MAX_POINTS);
    }
  };
  const timer = setInterval(look, LOOK_INTERVAL);
  return {
    lanes,
    times,
    stop() {
      clearInterval(timer);
      for (const { meter } of lanes) meter.close();
    },
  };
}
