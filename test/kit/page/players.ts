import { BurntClockMeter } from '@onair/client';
import { ADAPTERS } from './adapters.ts';
import { type Choice, PATHS } from './outputs.ts';

/** What a player in the page has done since {@link MatrixApi.rest}, or since it was made. */
export interface PlayedReport {
  /** Seconds by the clock. */
  readonly elapsed: number;
  /** Seconds that its position moved. */
  readonly advanced: number;
  readonly width: number;
  /** Pictures decoded, and how many of them were dropped. */
  readonly decoded: number;
  readonly dropped: number;
  /** Bytes of sound decoded, where the browser tells. */
  readonly audioBytes?: number;
  /** Looks at the sound that found some, where the browser does not tell its bytes but lets a page listen. */
  readonly heard?: number;
  /** Whether there is sound, where a page can neither count nor, without a sound card, hear it. */
  readonly hasAudio?: boolean;
  /** Times that the position stood for longer than {@link REBUFFER_MS}; its longest time without movement, ms. */
  readonly rebuffers: number;
  readonly stallMs: number;
  /** Times that the position was moved by somebody. */
  readonly seeks: number;
  /** Seconds from the making of each picture looked at to its being shown. */
  readonly latencies: readonly number[];
  /** Errors in the player's own words since it was made. */
  readonly errors: readonly string[];
  /** For messages: position, what is buffered, how ready the element is. */
  readonly state: string;
}

/** What the page offers as `window.matrix`. */
export interface MatrixApi {
  /** Adds a player of `stream` (`APP/NAME`) on `origin`. */
  add(choice: Choice, origin: string, stream: string): Promise<void>;
  /** Begins a new measurement of every player. */
  rest(): void;
  /** What each player has done since. */
  reports(): PlayedReport[];
  /** Uncaught exceptions of the page. */
  readonly faults: string[];
}

/** A position that stands for longer than this is being waited for, ms. */
const REBUFFER_MS = 300;
/** How often the position is looked at, ms. */
const LOOK_MS = 50;
/** How often the clock in the picture is looked at, ms. */
const CLOCK_MS = 250;

type Video = HTMLVideoElement & {
  readonly webkitAudioDecodedByteCount?: number;
  readonly mozHasAudio?: boolean;
};

/** Looks at one video element all the time. */
class Watch {
  readonly errors: string[] = [];
  readonly #video: Video;
  readonly #ear: AnalyserNode | undefined;
  readonly #latencies: number[] = [];
  #motion = { time: -1, at: 0, stallMs: 0, standing: false };
  #counts = { rebuffers: 0, seeks: 0, heard: 0 };
  #base = { at: 0, time: 0, audioBytes: 0 };
  /** Pictures as last looked at, and since the rest: the browser's own counts begin anew now and then. */
  #pictures = { total: 0, dropped: 0, decoded: 0, lost: 0 };

  constructor(video: Video, errors: string[]) {
    this.#video = video;
    this.errors = errors;
    if (video.webkitAudioDecodedByteCount === undefined && video.mozHasAudio === undefined) {
      this.#ear = listen(video);
    }
    video.addEventListener('error', () => errors.push(`media ${video.error?.code} ${video.error?.message}`));
    video.addEventListener('seeking', () => this.#counts.seeks++);
    new BurntClockMeter(video, {
      everyMs: CLOCK_MS,
      onMeasure: (measure) => {
        if (measure !== undefined) this.#latencies.push(measure.seconds);
      },
    });
    this.rest();
    setInterval(() => this.#look(), LOOK_MS);
  }

  rest(): void {
    const video = this.#video;
    this.#base = {
      at: performance.now(),
      time: video.currentTime,
      audioBytes: video.webkitAudioDecodedByteCount ?? 0,
    };
    this.#count();
    this.#pictures.decoded = 0;
    this.#pictures.lost = 0;
    this.#motion = { time: video.currentTime, at: performance.now(), stallMs: 0, standing: false };
    this.#counts = { rebuffers: 0, seeks: 0, heard: 0 };
    this.#latencies.length = 0;
  }

  report(): PlayedReport {
    const video = this.#video;
    this.#count();
    const { buffered } = video;
    const ranges = Array.from({ length: buffered.length }, (_, i) =>
      [buffered.start(i), buffered.end(i)].map((at) => at.toFixed(2)).join('-'),
    );
    const { rebuffers, seeks, heard } = this.#counts;
    return {
      elapsed: (performance.now() - this.#base.at) / 1000,
      advanced: video.currentTime - this.#base.time,
      width: video.videoWidth,
      decoded: this.#pictures.decoded,
      dropped: this.#pictures.lost,
      ...(this.#ear === undefined ? {} : { heard }),
      ...(video.mozHasAudio === undefined ? {} : { hasAudio: video.mozHasAudio }),
      ...(video.webkitAudioDecodedByteCount === undefined
        ? {}
        : { audioBytes: video.webkitAudioDecodedByteCount - this.#base.audioBytes }),
      rebuffers,
      stallMs: Math.round(this.#motion.stallMs),
      seeks,
      latencies: [...this.#latencies],
      errors: this.errors,
      state: `at ${video.currentTime.toFixed(2)} of ${ranges.join(' ')}, ready ${video.readyState}, ${video.paused ? 'paused, ' : ''}rate ${video.playbackRate}, sound ${this.#ear?.context.state ?? 'counted'}`,
    };
  }

  #count(): void {
    const { totalVideoFrames: total, droppedVideoFrames: dropped } = this.#video.getVideoPlaybackQuality();
    const before = this.#pictures;
    this.#pictures = {
      total,
      dropped,
      decoded: before.decoded + total - (total < before.total ? 0 : before.total),
      lost: before.lost + dropped - (dropped < before.dropped ? 0 : before.dropped),
    };
  }

  #look(): void {
    this.#count();
    const now = performance.now();
    const motion = this.#motion;
    if (this.#ear !== undefined && loud(this.#ear)) this.#counts.heard++;
    if (this.#video.currentTime !== motion.time) {
      motion.time = this.#video.currentTime;
      motion.at = now;
      motion.standing = false;
      return;
    }
    const still = now - motion.at;
    motion.stallMs = Math.max(motion.stallMs, still);
    if (still > REBUFFER_MS && !motion.standing) {
      motion.standing = true;
      this.#counts.rebuffers++;
    }
  }
}

/** A way to find out whether sound comes out of a media element. */
function listen(video: HTMLVideoElement): AnalyserNode {
  const context = new AudioContext();
  void context.resume();
  const ear = context.createAnalyser();
  context.createMediaElementSource(video).connect(ear).connect(context.destination);
  return ear;
}

function loud(ear: AnalyserNode): boolean {
  const samples = new Float32Array(ear.fftSize);
  ear.getFloatTimeDomainData(samples);
  return samples.some((one) => Math.abs(one) > 1e-4);
}

const watches: Watch[] = [];
const faults: string[] = [];
window.addEventListener('error', (event) => faults.push(event.message));
window.addEventListener('unhandledrejection', (event) => faults.push(String(event.reason)));

const api: MatrixApi = {
  faults,
  async add(choice, origin, stream) {
    const errors: string[] = [];
    const place = document.createElement('div');
    place.style.cssText = 'display:inline-block;vertical-align:top';
    const title = document.createElement('div');
    title.textContent = `${choice.player} ${choice.output}`;
    place.append(title);
    document.body.append(place);
    const video = await ADAPTERS[choice.player]({
      ...choice,
      place,
      stream: `${origin}/${stream}`,
      url: `${origin}/${stream}${PATHS[choice.output]}`,
      fault: (what) => errors.push(what),
    });
    watches.push(new Watch(video, errors));
  },
  rest() {
    for (const watch of watches) watch.rest();
  },
  reports: () => watches.map((watch) => watch.report()),
};
Object.assign(window, { matrix: api });
