import { type Engine, latencyGoal, type Row } from './matrix-rows.ts';
import type { PlayedReport } from './page/players.ts';
import type { PlayReport } from './report.ts';

/** What one row of the matrix came to. */
export interface Result {
  readonly engine: Engine;
  readonly row: Row;
  /** Seconds by the clock, and seconds of media played in them. */
  readonly seconds: number;
  readonly played: number;
  readonly fps: number;
  /** Part of the decoded pictures that was dropped, 0 to 1; undefined where nobody tells. */
  readonly dropped?: number;
  /** Whether sound came out. */
  readonly sound: boolean;
  readonly rebuffers: number;
  /** Longest time without movement, ms. */
  readonly stallMs: number;
  /** Seconds from the making of a picture to its being shown; empty where nobody tells. */
  readonly latencies: readonly number[];
  readonly errors: readonly string[];
}

/** Looks at the sound per second that must have found some; the test sound beeps for a tenth of each second. */
const LEAST_HEARD = 0.5;
/** Bytes of sound per second that must have been decoded. */
const LEAST_AUDIO_BYTES = 1000;

function hasSound({ elapsed, audioBytes, heard, hasAudio }: PlayedReport): boolean {
  if (audioBytes !== undefined) return audioBytes > elapsed * LEAST_AUDIO_BYTES;
  if (heard !== undefined) return heard > elapsed * LEAST_HEARD;
  return hasAudio === true;
}

/** The result of a player in a page. */
export function pageResult(engine: Engine, row: Row, report: PlayedReport): Result {
  const { elapsed, decoded, dropped } = report;
  return {
    engine,
    row,
    seconds: elapsed,
    played: report.advanced,
    fps: decoded / elapsed,
    dropped: dropped / Math.max(1, decoded),
    sound: hasSound(report),
    rebuffers: report.rebuffers,
    stallMs: report.stallMs,
    latencies: [...report.latencies].sort((a, b) => a - b),
    errors: report.errors,
  };
}

/** The result of a program that was let play for `seconds`. */
export function programResult(row: Row, report: PlayReport, seconds: number, fps: number): Result {
  return {
    engine: 'programs',
    row,
    seconds,
    played: report.frames / fps,
    fps: report.frames / seconds,
    sound: report.audioMs > seconds * 500,
    rebuffers: report.stalls,
    stallMs: Math.round(report.maxGapMs),
    latencies: [],
    errors: report.errors,
  };
}

/** The value below which `part` (0 to 1) of the ascending `values` lie; undefined of none. */
export function quantile(values: readonly number[], part: number): number | undefined {
  return values[Math.min(values.length - 1, Math.floor(values.length * part))];
}

/** The results as a Markdown table. */
export function matrixTable(results: readonly Result[]): string {
  const seconds = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(2));
  const lines = results.map((result) => {
    const { engine, row, latencies, dropped } = result;
    return [
      engine,
      row.player,
      row.output,
      result.seconds.toFixed(0),
      (result.played / result.seconds).toFixed(3),
      result.fps.toFixed(1),
      dropped === undefined ? '–' : `${(dropped * 100).toFixed(2)} %`,
      result.sound ? 'yes' : 'no',
      String(result.rebuffers),
      String(result.stallMs),
      seconds(quantile(latencies, 0.5)),
      seconds(quantile(latencies, 0.95)),
      seconds(latencyGoal(engine, row)),
      result.errors.length === 0 ? 'none' : result.errors.join('; ').slice(0, 120),
    ];
  });
  const head = [
    ...[
      'engine',
      'player',
      'output',
      's',
      'speed',
      'fps',
      'dropped',
      'sound',
      'rebuffers',
      'longest stall ms',
    ],
    ...['latency p50 s', 'p95 s', 'goal s', 'errors'],
  ];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
