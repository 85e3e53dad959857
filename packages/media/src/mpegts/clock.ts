/** Ticks per second of PTS, DTS and the base of the PCR. ISO/IEC 13818-1 §2.4.3.7. */
export const SYSTEM_TIMEBASE = 90_000;
/** Values that PTS, DTS and the base of the PCR can take: 2^33. */
export const CLOCK_RANGE = 2 ** 33;
/** Ticks of the PCR's 27 MHz per tick of its base. ISO/IEC 13818-1 §2.4.2.1. */
export const PCR_PER_TICK = 300;

/** The value of a 33-bit counter at `ticks`, which may lie below zero or beyond the range. */
export function wrapClock(ticks: number): number {
  const rest = ticks % CLOCK_RANGE;
  return rest < 0 ? rest + CLOCK_RANGE : rest;
}

/** Ticks from `from` to `to`, both 33 bits, taking the shorter way round. */
export function clockDistance(from: number, to: number): number {
  let step = to - from;
  if (step > CLOCK_RANGE / 2) step -= CLOCK_RANGE;
  else if (step < -CLOCK_RANGE / 2) step += CLOCK_RANGE;
  return step;
}

/**
 * Writes PTS or DTS with its prefix and marker bits, 5 bytes. ISO/IEC 13818-1 §2.4.3.6.
 * @param prefix `0b0010` PTS alone, `0b0011` PTS before DTS, `0b0001` DTS. @param ticks wrapped here.
 */
export function putTimestamp(bytes: Uint8Array, at: number, prefix: number, ticks: number): void {
  const time = wrapClock(ticks);
  const high = Math.floor(time / 0x4000_0000);
  const middle = Math.floor(time / 0x8000) & 0x7fff;
  const low = time & 0x7fff;
  bytes[at] = (prefix << 4) | (high << 1) | 1;
  bytes[at + 1] = middle >> 7;
  bytes[at + 2] = ((middle & 0x7f) << 1) | 1;
  bytes[at + 3] = low >> 7;
  bytes[at + 4] = ((low & 0x7f) << 1) | 1;
}

/** Reads the 5 bytes of a PTS or DTS; undefined if a marker bit or the prefix is wrong. */
export function readTimestamp(bytes: Uint8Array, at: number, prefix: number): number | undefined {
  const b = (i: number): number => bytes[at + i]!;
  if (b(0) >> 4 !== prefix || (b(0) & b(2) & b(4) & 1) === 0) return undefined;
  const high = (b(0) >> 1) & 7;
  const middle = (b(1) << 7) | (b(2) >> 1);
  const low = (b(3) << 7) | (b(4) >> 1);
  return high * 0x4000_0000 + middle * 0x8000 + low;
}

/** Writes a program clock reference, 6 bytes. ISO/IEC 13818-1 §2.4.3.5. @param pcr 27 MHz ticks, wrapped here. */
export function putPcr(bytes: Uint8Array, at: number, pcr: number): void {
  const range = CLOCK_RANGE * PCR_PER_TICK;
  const value = ((pcr % range) + range) % range;
  const base = Math.floor(value / PCR_PER_TICK);
  const extension = value - base * PCR_PER_TICK;
  const high = Math.floor(base / 2);
  bytes[at] = high >>> 24;
  bytes[at + 1] = high >>> 16;
  bytes[at + 2] = high >>> 8;
  bytes[at + 3] = high;
  bytes[at + 4] = ((base & 1) << 7) | 0x7e | (extension >> 8);
  bytes[at + 5] = extension;
}

/** Reads a program clock reference: 27 MHz ticks, 42 bits. */
export function readPcr(bytes: Uint8Array, at: number): number {
  const b = (i: number): number => bytes[at + i]!;
  const base = (b(0) * 0x100_0000 + ((b(1) << 16) | (b(2) << 8) | b(3))) * 2 + (b(4) >> 7);
  return base * PCR_PER_TICK + (((b(4) & 1) << 8) | b(5));
}
