import { BURNT_CLOCK, readBurntClockStrip } from '@onair/contracts/burnt-clock';

/** One picture's clock compared with ours. */
export interface BurntClockMeasure {
  /** Seconds from the making of the picture to its being shown. */
  readonly seconds: number;
  /** When it was shown, ms since the Unix epoch by this machine's clock. */
  readonly at: number;
}

/** How a {@link BurntClockMeter} works. */
export interface BurntClockOptions {
  /** Least time between two looks, ms; default 250. */
  readonly everyMs?: number;
  /**
   * Milliseconds to add to this machine's clock to get the clock that is burnt in; default none. `figures.clockOffset`
   * of a player by WebSocket tells it for the server's clock.
   */
  readonly clockOffset?: () => number;
  /** Called after each look; undefined where the picture shows no readable clock. */
  readonly onMeasure?: (measure: BurntClockMeasure | undefined) => void;
}

/** What of `requestVideoFrameCallback`'s metadata is used. */
interface FrameTimes {
  /** When the picture is expected on the screen, ms of `performance.now()`. */
  readonly expectedDisplayTime: number;
}

/** Size of the canvas the strip is drawn into, pixels. */
const WIDTH = 128;
const HEIGHT = 8;

/** Reads the clock burnt into a video's pictures and so measures the whole way from the camera to the screen. */
export class BurntClockMeter {
  readonly #video: HTMLVideoElement;
  readonly #options: BurntClockOptions;
  readonly #context: CanvasRenderingContext2D | null;
  #latest: BurntClockMeasure | undefined;
  #lookedAt = 0;
  #request: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(video: HTMLVideoElement, options: BurntClockOptions = {}) {
    this.#video = video;
    this.#options = options;
    const canvas = document.createElement('canvas');
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    this.#context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
    if ('requestVideoFrameCallback' in video) this.#next();
    else {
      // Older Firefox: between two pictures the measure is up to one picture too long.
      this.#timer = setInterval(() => this.#look(performance.now()), this.#options.everyMs ?? 250);
    }
  }

  /** The newest measure, undefined before the first. */
  get latest(): BurntClockMeasure | undefined {
    return this.#latest;
  }

  /** Stops looking. Safe to call twice. */
  close(): void {
    clearInterval(this.#timer);
    if (this.#request !== undefined) this.#video.cancelVideoFrameCallback(this.#request);
    this.#request = undefined;
  }

  #next(): void {
    this.#request = this.#video.requestVideoFrameCallback(
      (now: number, { expectedDisplayTime }: FrameTimes) => {
        this.#next();
        if (now - this.#lookedAt < (this.#options.everyMs ?? 250)) return;
        this.#lookedAt = now;
        this.#look(expectedDisplayTime);
      },
    );
  }

  /** @param shown ms of `performance.now()` at which the picture is on the screen */
  #look(shown: number): void {
    const { videoWidth: width, videoHeight: height } = this.#video;
    const context = this.#context;
    if (context === null || width === 0) return;
    const { x, y, width: w, height: h } = BURNT_CLOCK;
    context.drawImage(this.#video, x * width, y * height, w * width, h * height, 0, 0, WIDTH, HEIGHT);
    const reading = this.#read(context);
    const at = Date.now() + (shown - performance.now());
    const offset = this.#options.clockOffset?.() ?? 0;
    const measure = reading === undefined ? undefined : { seconds: (at + offset - reading.ms) / 1000, at };
    if (measure !== undefined) this.#latest = measure;
    this.#options.onMeasure?.(measure);
  }

  #read(context: CanvasRenderingContext2D): { readonly ms: number } | undefined {
    try {
      return readBurntClockStrip(context.getImageData(0, 0, WIDTH, HEIGHT).data, WIDTH, HEIGHT);
    } catch {
      // The pictures are another origin's and may not be looked at.
      this.close();
      return undefined;
    }
  }
}
