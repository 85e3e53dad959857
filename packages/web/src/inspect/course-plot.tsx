import type { Course } from '@onair/media/inspect';
import type { JSX } from 'preact';
import { clock } from '../words/format.ts';

const WIDTH = 600;
const HEIGHT = 120;

/** A course over the time of the file: bars from zero, or a line if values can lie below. */
export function CoursePlot({
  label,
  course,
  kind,
  write,
}: {
  readonly label: string;
  readonly course: Course;
  readonly kind: 'bars' | 'line';
  readonly write: (value: number) => string;
}): JSX.Element {
  const { step, values } = course;
  const known = values.filter((value) => value !== null);
  const high = Math.max(...known, kind === 'line' ? 0.05 : Number.MIN_VALUE);
  const low = Math.min(...known, kind === 'line' ? -0.05 : 0);
  const x = (at: number): number => (at / values.length) * WIDTH;
  const y = (value: number): number => HEIGHT - ((value - low) / (high - low || 1)) * HEIGHT;
  const width = WIDTH / Math.max(1, values.length);
  const least = known.length === 0 ? '' : write(Math.min(...known));
  const most = known.length === 0 ? '–' : write(Math.max(...known));
  return (
    <figure class="panel course">
      <figcaption>
        <span class="course-label">{label}</span>
        <span class="num small">{least === most || least === '' ? most : `${least} … ${most}`}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${least} … ${most}`}
      >
        <line class="course-zero" x1="0" x2={WIDTH} y1={y(0)} y2={y(0)} />
        {kind === 'bars' ? (
          values.map((value, at) =>
            value === null ? null : (
              <rect
                key={at}
                class="course-bar"
                x={x(at)}
                y={y(value)}
                width={Math.max(0.5, width * 0.85)}
                height={Math.max(0, y(0) - y(value))}
              />
            ),
          )
        ) : (
          <polyline
            class="course-line"
            points={values
              .map((value, at) => (value === null ? '' : `${x(at + 0.5)},${y(value)}`))
              .filter((point) => point !== '')
              .join(' ')}
          />
        )}
      </svg>
      <p class="course-axis num muted">
        <span>{clock(0)}</span>
        <span>{clock(values.length * step * 1000)}</span>
      </p>
    </figure>
  );
}
