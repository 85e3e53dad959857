import type { JSX } from 'preact';
import './sparkline.css';

/** Points of a polyline through `values`, oldest left, from the zero line; one decimal. */
export function sparklinePoints(values: readonly number[], width: number, height: number): string {
  const top = Math.max(...values, 1);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values.map((value, at) => `${round(at * step)},${round(height - (value / top) * height)}`).join(' ');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The course of a figure over the last minute, too small for axes. `label` says it in words. */
export function Sparkline({
  values,
  label,
  width = 96,
  height = 24,
}: {
  readonly values: readonly number[];
  readonly label: string;
  readonly width?: number;
  readonly height?: number;
}): JSX.Element | null {
  if (values.length < 2) return null;
  const points = sparklinePoints(values, width, height - 2);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polygon points={`0,${height} ${points} ${width},${height}`} />
      <polyline points={points} />
    </svg>
  );
}
