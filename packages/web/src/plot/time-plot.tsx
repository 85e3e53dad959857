import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { theme } from '../theme/theme.ts';
import { language } from '../words/words.ts';
import './time-plot.css';

/** One course of a plot. */
export interface PlotLine {
  readonly name: string;
  /** One per time; null where there is none. */
  readonly values: readonly (number | null)[];
  /** Custom property with the colour; that of text if absent. */
  readonly color?: string;
  /** Lengths of strokes and gaps, pixels; a second sign beside the colour. */
  readonly dash?: readonly number[];
}

/** Room for the texts of the value axis, pixels. */
const AXIS_WIDTH = 76;
/** Half the width of a time on the axis, pixels. */
const LABEL_ROOM = 28;
/** Milliseconds that the time axis spans at least. */
const LEAST_SPAN = 60_000;
/** Least distance between two values on the axis, pixels. */
const AXIS_STEP = 32;

function optionsOf(
  box: HTMLElement,
  lines: readonly PlotLine[],
  write: (value: number) => string,
  least: number,
  height: number,
  readOut: (plot: uPlot) => void,
): uPlot.Options {
  const style = getComputedStyle(box);
  const color = (name: string): string => resolved(box, name);
  const muted = color('--plot-muted');
  const grid = { stroke: color('--plot-line'), width: 1 };
  const font = `12px ${style.fontFamily}`;
  const time = new Intl.DateTimeFormat(language.value, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  const text = lines.length === 1 ? color('--plot-text') : muted;
  return {
    width: box.clientWidth,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: {
        range: (_plot, first, last) => {
          const end = last ?? Date.now() / 1000;
          return [Math.min(first ?? end, end - LEAST_SPAN / 1000), end];
        },
      },
      y: { range: (_plot, _low, high) => [0, Math.max(high ?? 0, least) * 1.15] },
    },
    axes: [
      {
        stroke: muted,
        grid: { show: false },
        ticks: { show: false },
        font,
        size: 28,
        gap: 6,
        space: 110,
        // A text at either end would be cut or stand in the texts of the other axis.
        values: (plot, splits) =>
          splits.map((second) => {
            if (plot.data[0].length < 2) return '';
            const at = plot.valToPos(second, 'x');
            const fits = at >= LABEL_ROOM && at <= plot.over.clientWidth - LABEL_ROOM;
            return fits ? time.format(second * 1000) : '';
          }),
      },
      {
        stroke: muted,
        grid,
        ticks: { show: false },
        font,
        size: AXIS_WIDTH,
        gap: 8,
        space: AXIS_STEP,
        values: (_plot, splits) => splits.map(write),
      },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.name,
        stroke: line.color === undefined ? text : color(line.color),
        width: 2,
        points: { show: false },
        ...(line.dash === undefined ? {} : { dash: [...line.dash] }),
      })),
    ],
    hooks: { setCursor: [readOut] },
  };
}

/** A custom property as a colour that a canvas understands. */
function resolved(box: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  box.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function dataOf(times: readonly number[], lines: readonly PlotLine[]): uPlot.AlignedData {
  return [times.map((time) => time / 1000), ...lines.map((line) => [...line.values])];
}

/** What a line looks like, and its value where people point. */
function Key({ line, named }: { readonly line: PlotLine; readonly named: boolean }): JSX.Element {
  return (
    <li>
      {named && (
        <>
          <svg width="24" height="8" aria-hidden="true">
            <path
              d="M0 4h24"
              stroke-width="2"
              stroke={`var(${line.color ?? '--plot-muted'})`}
              stroke-dasharray={line.dash?.join(' ')}
            />
          </svg>
          {line.name}
        </>
      )}
      <span class="num" />
    </li>
  );
}

/** Courses of figures over time. The drawing code is loaded when the first plot is shown. */
export function TimePlot({
  label,
  times,
  lines,
  write,
  least,
  height,
}: {
  /** What is plotted, for those who cannot see it. */
  readonly label: string;
  /** Milliseconds since 1970, rising. */
  readonly times: readonly number[];
  readonly lines: readonly PlotLine[];
  /** Writes a value with its unit. */
  readonly write: (value: number) => string;
  /** The value axis reaches at least this far. */
  readonly least: number;
  /** Pixels. */
  readonly height: number;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const said = useRef<HTMLUListElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const shown = useRef({ times, lines });
  shown.current = { times, lines };

  useEffect(() => {
    const target = box.current;
    if (target === null) return;
    let gone = false;
    const readOut = (drawn: uPlot): void => {
      if (said.current === null) return;
      const at = drawn.cursor.idx;
      const values = shown.current.lines.map((line) => {
        const value = at === null || at === undefined ? undefined : line.values[at];
        return value === undefined || value === null ? '' : write(value);
      });
      for (const [i, text] of values.entries()) {
        const place = said.current.children[i]?.lastElementChild;
        if (place) place.textContent = text;
      }
    };
    const draw = async (): Promise<void> => {
      const { default: Plot } = await import('./uplot.ts');
      if (gone) return;
      plot.current?.destroy();
      const options = optionsOf(target, shown.current.lines, write, least, height, readOut);
      plot.current = new Plot(options, dataOf(shown.current.times, shown.current.lines), target);
    };
    void draw();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: target.clientWidth, height }));
    resize.observe(target);
    return () => {
      gone = true;
      scheme.removeEventListener('change', draw);
      resize.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [theme.value, language.value, height, lines.length]);

  useEffect(() => {
    plot.current?.setData(dataOf(times, lines));
  }, [times, lines]);

  return (
    <div class="plot">
      <ul ref={said} class={lines.length === 1 ? 'plot-readout' : 'plot-keys'} aria-hidden="true">
        {lines.map((line) => (
          <Key key={line.name} line={line} named={lines.length > 1} />
        ))}
      </ul>
      <div ref={box} class="plot-box" style={{ height: `${height}px` }} role="img" aria-label={label} />
    </div>
  );
}
