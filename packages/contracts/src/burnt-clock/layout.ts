/**
 * Where the machine-readable clock stands in the picture, in fractions of its width and height, so that
 * a reader finds it whatever size the video was scaled to. At 640x360 the strip is the rectangle from
 * (64, 304) to (576, 336): two rows of 32 square cells of 16x16 pixels.
 *
 * Cells are read row by row, left to right; white is 1. In this order they carry, most significant bit
 * first: 8 bits {@link BURNT_CLOCK_SYNC}, 48 bits of milliseconds since 1970-01-01T00:00:00Z, and 8 bits
 * of CRC-8 (polynomial 0x07, initial value 0xff) over the six bytes of the milliseconds.
 */
export const BURNT_CLOCK = {
  /** Left edge, as a fraction of the picture's width. */
  x: 64 / 640,
  /** Upper edge, as a fraction of the picture's height. */
  y: 304 / 360,
  /** Width of the strip, as a fraction of the picture's width. */
  width: 512 / 640,
  /** Height of the strip, as a fraction of the picture's height. */
  height: 32 / 360,
  /** Cells in a row. */
  columns: 32,
  /** Rows of cells. */
  rows: 2,
} as const;

/** The first eight cells of the strip; a reader takes its levels of black and white from them. */
export const BURNT_CLOCK_SYNC = 0xb2;

/** Cells of the strip: 8 of sync, 48 of time, 8 of check. */
export const BURNT_CLOCK_CELLS = BURNT_CLOCK.columns * BURNT_CLOCK.rows;

/** Cells that carry {@link BURNT_CLOCK_SYNC}. */
export const SYNC_CELLS = 8;

/** Bytes that carry the milliseconds. */
export const TIME_BYTES = 6;

/**
 * The rectangle of one cell in pixels of a picture of `width` by `height`. Edges are fractional where the
 * size is no multiple of the reference.
 * @param index 0 to {@link BURNT_CLOCK_CELLS} − 1 in reading order.
 */
export function burntClockCell(
  index: number,
  width: number,
  height: number,
): { readonly x: number; readonly y: number; readonly width: number; readonly height: number } {
  const cellWidth = (BURNT_CLOCK.width * width) / BURNT_CLOCK.columns;
  const cellHeight = (BURNT_CLOCK.height * height) / BURNT_CLOCK.rows;
  return {
    x: BURNT_CLOCK.x * width + (index % BURNT_CLOCK.columns) * cellWidth,
    y: BURNT_CLOCK.y * height + Math.floor(index / BURNT_CLOCK.columns) * cellHeight,
    width: cellWidth,
    height: cellHeight,
  };
}

/** CRC-8 with polynomial x⁸+x²+x+1 and initial value 0xff. */
export function crc8(bytes: Uint8Array): number {
  let crc = 0xff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
  }
  return crc;
}
