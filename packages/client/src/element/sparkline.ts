/** Paths of a small plot in a box of `width` by `height`. */
export interface Sparkline {
  /** The line, `''` without values. */
  readonly line: string;
  /** The area under it. */
  readonly area: string;
  /** Value at the top of the box. */
  readonly top: number;
}

/**
 * Plots `values`, the newest at the right edge, gaps where a value is undefined.
 * @param slots how many values fill the width
 */
export function sparkline(
  values: readonly (number | undefined)[],
  slots: number,
  width: number,
  height: number,
): Sparkline {
  const known = values.filter((value) => value !== undefined);
  const top = niceTop(Math.max(0, ...known));
  const step = width / Math.max(1, slots - 1);
  const round = (n: number): number => Math.round(n * 10) / 10;
  let line = '';
  let area = '';
  let from: number | undefined;
  let last = 0;
  const close = (): void => {
    if (from !== undefined) area += `L${last} ${height}L${from} ${height}Z`;
    from = undefined;
  };
  values.forEach((value, i) => {
    if (value === undefined) {
      close();
      return;
    }
    const x = round(width - (values.length - 1 - i) * step);
    const y = round(height - (Math.min(value, top) / top) * height);
    const move = from === undefined ? 'M' : 'L';
    line += `${move}${x} ${y}`;
    area += `${move}${x} ${y}`;
    from ??= x;
    last = x;
  });
  close();
  return { line, area, top };
}

/** The next of 0.5, 1, 2, 5, 10, … above `value`. */
export function niceTop(value: number): number {
  let top = 0.5;
  for (const factor of [2, 2, 2.5, 2, 2, 2.5, 2, 2, 2.5]) {
    if (value <= top) return top;
    top *= factor;
  }
  return Math.max(top, value);
}
