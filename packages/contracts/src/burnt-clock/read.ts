import { BURNT_CLOCK, BURNT_CLOCK_CELLS, BURNT_CLOCK_SYNC, crc8, SYNC_CELLS, TIME_BYTES } from './layout.ts';

/** Least difference of luma (0 to 255) between the white and the black cells of a strip that is believed. */
const LEAST_CONTRAST = 48;
/** A cell nearer to the threshold than this part of the contrast is taken for unreadable. */
const GREY_PART = 0.12;

/** What a picture's clock strip told. */
export interface BurntClockReading {
  /** Milliseconds since 1970-01-01T00:00:00Z at which the picture was made. */
  readonly ms: number;
}

/**
 * Reads the clock off a whole decoded picture of any size.
 * @param pixels RGBA, four bytes a pixel, rows without padding, as `getImageData` gives them; only read.
 * @param width pixels in a row.
 * @param height rows.
 * @returns undefined where the picture carries no clock or it cannot be read for certain.
 */
export function readBurntClock(
  pixels: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
): BurntClockReading | undefined {
  return read(pixels, width, height, {
    x: BURNT_CLOCK.x * width,
    y: BURNT_CLOCK.y * height,
    width: BURNT_CLOCK.width * width,
    height: BURNT_CLOCK.height * height,
  });
}

/**
 * Reads the clock off the strip alone: for a page that draws only the rectangle {@link BURNT_CLOCK} of the
 * video into a small canvas. A canvas of 128 by 8 pixels is enough.
 * @param pixels RGBA, as for {@link readBurntClock}.
 */
export function readBurntClockStrip(
  pixels: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
): BurntClockReading | undefined {
  return read(pixels, width, height, { x: 0, y: 0, width, height });
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function read(
  pixels: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  strip: Rectangle,
): BurntClockReading | undefined {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) return undefined;
  if (pixels.length < width * height * 4) return undefined;
  const levels = new Float64Array(BURNT_CLOCK_CELLS);
  for (let at = 0; at < levels.length; at++) levels[at] = cellLevel(pixels, width, height, strip, at);

  let white = 0;
  let black = 0;
  let whites = 0;
  for (let at = 0; at < SYNC_CELLS; at++) {
    if (syncBit(at)) {
      white += levels[at]!;
      whites++;
    } else black += levels[at]!;
  }
  white /= whites;
  black /= SYNC_CELLS - whites;
  const contrast = white - black;
  if (!(contrast >= LEAST_CONTRAST)) return undefined;

  const threshold = (white + black) / 2;
  const message = new Uint8Array(BURNT_CLOCK_CELLS / 8);
  for (let at = 0; at < levels.length; at++) {
    const distance = levels[at]! - threshold;
    if (Math.abs(distance) < contrast * GREY_PART) return undefined;
    if (distance > 0) message[at >> 3]! |= 0x80 >> (at & 7);
  }
  if (message[0] !== BURNT_CLOCK_SYNC) return undefined;
  const time = message.subarray(1, TIME_BYTES + 1);
  if (message[TIME_BYTES + 1] !== crc8(time)) return undefined;
  let ms = 0;
  for (const byte of time) ms = ms * 256 + byte;
  return { ms };
}

function syncBit(at: number): boolean {
  return ((BURNT_CLOCK_SYNC >> (SYNC_CELLS - 1 - at)) & 1) === 1;
}

/** Mean luma of the inner half of a cell: its rim may be blurred by scaling and by the codec. */
function cellLevel(
  pixels: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  strip: Rectangle,
  index: number,
): number {
  const cellWidth = strip.width / BURNT_CLOCK.columns;
  const cellHeight = strip.height / BURNT_CLOCK.rows;
  const left = strip.x + ((index % BURNT_CLOCK.columns) + 0.25) * cellWidth;
  const top = strip.y + (Math.floor(index / BURNT_CLOCK.columns) + 0.25) * cellHeight;
  const [firstX, lastX] = pixelRange(left, left + cellWidth / 2, width);
  const [firstY, lastY] = pixelRange(top, top + cellHeight / 2, height);
  let sum = 0;
  for (let y = firstY; y <= lastY; y++) {
    for (let x = firstX; x <= lastX; x++) {
      const at = (y * width + x) * 4;
      sum += (2 * pixels[at]! + 5 * pixels[at + 1]! + pixels[at + 2]!) / 8;
    }
  }
  return sum / ((lastX - firstX + 1) * (lastY - firstY + 1));
}

/** First and last pixel whose middle lies between two edges; the one around their middle if there is none. */
function pixelRange(from: number, to: number, size: number): readonly [number, number] {
  let first = Math.ceil(from - 0.5);
  let last = Math.ceil(to - 0.5) - 1;
  if (last < first) first = last = Math.floor((from + to) / 2);
  return [Math.min(Math.max(first, 0), size - 1), Math.min(Math.max(last, 0), size - 1)];
}
