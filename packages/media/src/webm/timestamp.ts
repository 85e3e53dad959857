/** Nanoseconds in ticks of `base` per second, to the nearest. Exact in whole seconds, so it does not drift. */
export function nanosecondsToTicks(nanoseconds: number, base: number): number {
  const seconds = Math.floor(nanoseconds / 1e9);
  return seconds * base + Math.round(((nanoseconds - seconds * 1e9) * base) / 1e9);
}

/** Ticks of `base` per second in nanoseconds, to the nearest. */
export function ticksToNanoseconds(ticks: number, base: number): number {
  const seconds = Math.floor(ticks / base);
  return seconds * 1e9 + Math.round(((ticks - seconds * base) * 1e9) / base);
}
