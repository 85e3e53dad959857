import { BURNT_CLOCK, readBurntClockStrip } from '@onair/contracts/burnt-clock';

/** Size of the canvas onto which the strip is drawn, pixels. */
const STRIP = { width: 128, height: 8 } as const;

/** Reads the clock that is burnt into the pictures of a video element. */
export class PictureClock {
  readonly #context: CanvasRenderingContext2D | null;

  constructor() {
    const canvas = document.createElement('canvas');
    canvas.width = STRIP.width;
    canvas.height = STRIP.height;
    this.#context = canvas.getContext('2d', { willReadFrequently: true });
  }

  /** When the shown picture was made, milliseconds since 1970; undefined if it carries no readable clock. */
  read(video: HTMLVideoElement): number | undefined {
    const { videoWidth, videoHeight } = video;
    if (this.#context === null || videoWidth === 0 || videoHeight === 0) return undefined;
    this.#context.drawImage(
      video,
      BURNT_CLOCK.x * videoWidth,
      BURNT_CLOCK.y * videoHeight,
      BURNT_CLOCK.width * videoWidth,
      BURNT_CLOCK.height * videoHeight,
      0,
      0,
      STRIP.width,
      STRIP.height,
    );
    const { data } = this.#context.getImageData(0, 0, STRIP.width, STRIP.height);
    return readBurntClockStrip(data, STRIP.width, STRIP.height)?.ms;
  }
}
