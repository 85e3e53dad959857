import { BURNT_CLOCK_CELLS, BURNT_CLOCK_SYNC, crc8, SYNC_CELLS, TIME_BYTES } from './layout.ts';

/**
 * The cells of the strip for a time, in reading order: 1 for a white cell, 0 for a black one.
 * @param ms whole milliseconds since 1970-01-01T00:00:00Z, from 0 to 2^48 − 1.
 * @throws RangeError for any other number.
 */
export function burntClockCells(ms: number): Uint8Array {
  if (!Number.isInteger(ms) || ms < 0 || ms >= 2 ** 48) {
    throw new RangeError(`the burnt-in clock holds whole milliseconds below 2^48, received ${ms}`);
  }
  const message = new Uint8Array(BURNT_CLOCK_CELLS / 8);
  message[0] = BURNT_CLOCK_SYNC;
  let rest = ms;
  for (let at = TIME_BYTES; at >= 1; at--) {
    message[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  message[TIME_BYTES + 1] = crc8(message.subarray(1, TIME_BYTES + 1));
  const cells = new Uint8Array(BURNT_CLOCK_CELLS);
  for (let at = 0; at < cells.length; at++) {
    cells[at] = (message[at >> 3]! >> (SYNC_CELLS - 1 - (at & 7))) & 1;
  }
  return cells;
}
