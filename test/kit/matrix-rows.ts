import { existsSync } from 'node:fs';
import type { Choice, Output } from './page/outputs.ts';

/** Where a group of players runs: in a browser, or as programs of their own. */
export type Engine = 'chromium' | 'firefox' | 'webkit' | 'programs';

/** Players that are programs of their own. */
export type ProgramPlayer = 'mpv' | 'playbin3';

/** A line of the matrix. */
export type Row = Choice | { readonly player: ProgramPlayer; readonly output: Output };

/** Players that play side by side. */
export interface Group {
  readonly engine: Engine;
  readonly rows: readonly Row[];
  /** Seconds that they play at least. */
  readonly seconds?: number;
}

const has = (egress: string): boolean => existsSync(`packages/server/src/egress/${egress}`);
/** The outputs that the server has. */
const OFFERED: ReadonlySet<Output> = new Set<Output>([
  ...(['ws', 'flv', 'wsflv', 'hls', 'llhls'] as const),
  ...(has('ts') ? (['ts'] as const) : []),
  ...(has('dash') ? (['dash', 'lldash'] as const) : []),
]);

/** Most players that play at once, so that two cores can decode and show them all; WebKitGTK draws in software. */
const SIDE_BY_SIDE: Readonly<Record<Engine, number>> = { chromium: 6, firefox: 6, webkit: 2, programs: 6 };

/** What each player of each engine plays. */
const PLAYS: Readonly<Record<Engine, Readonly<Record<string, readonly Output[]>>>> = {
  chromium: {
    onair: ['ws', 'llhls', 'hls', 'flv'],
    'hls.js': ['llhls', 'hls', 'ts'],
    shaka: ['llhls', 'hls', 'ts', 'lldash', 'dash'],
    'dash.js': ['lldash', 'dash'],
    'video.js': ['hls', 'ts', 'dash'],
    native: ['hls', 'ts'],
    'mpegts.js': ['flv', 'wsflv'],
  },
  firefox: {
    onair: ['ws', 'llhls', 'flv'],
    'hls.js': ['llhls', 'hls', 'ts'],
    'dash.js': ['lldash', 'dash'],
  },
  webkit: {
    onair: ['ws', 'llhls', 'flv'],
    'hls.js': ['llhls', 'hls', 'ts'],
    // Its fMP4 demuxer, off by default, stops now and then.
    native: ['ts'],
    'dash.js': ['lldash', 'dash'],
  },
  programs: {
    // FFmpeg, and so mpv, plays a segment again that it asked for before the manifest listed it: with `ll=0` each one.
    mpv: ['hls', 'ts', 'lldash'],
    // For DASH GStreamer 1.22 wants 30 s in its queue and loses its place in a live manifest.
    playbin3: ['hls', 'ts'],
  },
};

/** Players that have goals for their latency and no rebuffer in ten minutes; where all others play briefly, they do a minute. */
const MEASURED: Readonly<Record<string, readonly Output[]>> = {
  onair: ['ws'],
  'hls.js': ['llhls', 'hls'],
  shaka: ['llhls', 'lldash'],
  'dash.js': ['lldash'],
};
const MEASURED_SECONDS = 60;

/**
 * Players whose encoder is killed and comes back where not all are tried: every player and every output of Chromium,
 * and our own player by each of its transports.
 */
const RESTARTED: readonly Readonly<Record<string, readonly Output[]>>[] = [
  { onair: ['ws', 'llhls', 'hls', 'flv'], 'hls.js': ['llhls'], shaka: ['lldash'] },
  {
    'hls.js': ['ts'],
    'mpegts.js': ['flv', 'wsflv'],
    native: ['hls'],
    'dash.js': ['lldash'],
    'video.js': ['dash'],
  },
];

const LATENCY_GOALS: Readonly<Record<Output, number>> = {
  ws: 1.5,
  flv: 1.5,
  wsflv: 1.5,
  llhls: 2,
  lldash: 2.5,
  hls: 6,
  ts: 6,
  dash: 6,
  vod: Number.POSITIVE_INFINITY,
};
/** Players that keep the HOLD-BACK of the playlist: three segments at least, from the end of one that is up to one old. */
const KEEP_HOLD_BACK: ReadonlySet<string> = new Set(['native', 'video.js']);
const HOLD_BACK_GOAL = 9.5;
/** What GStreamer inside WebKitGTK takes longer to show a picture, seconds. */
const GSTREAMER_DELAY = 1;
/** GStreamer, which plays HLS inside WebKitGTK, begins far back and fills its queues first. */
const GSTREAMER_GOAL = 20;

/** Longest way from the making of a picture to its being shown that is allowed to 95 % of them, seconds. */
export function latencyGoal(engine: Engine, { player, output }: Row): number {
  const byItself = KEEP_HOLD_BACK.has(player) || (player === 'onair' && output === 'hls');
  if (!byItself) return LATENCY_GOALS[output] + (engine === 'webkit' ? GSTREAMER_DELAY : 0);
  return engine === 'webkit' ? GSTREAMER_GOAL : HOLD_BACK_GOAL;
}

/**
 * False for players that stand still when an encoder comes back: GStreamer 1.22 when other parameters come, FFmpeg with
 * DASH when another timescale does.
 */
export function goesOn(engine: Engine, { player, output }: Row): boolean {
  return engine !== 'programs' || (player === 'mpv' && output !== 'lldash');
}

/** `chromium: hls.js llhls`. */
export const rowName = (engine: Engine, { player, output }: Row): string => `${engine}: ${player} ${output}`;

/** What `players` play of what the server has, as far as the words of {@link matrixGroups} let it. */
function rowsOf(engine: Engine, players: Readonly<Record<string, readonly Output[]>>, filter: string): Row[] {
  const alternatives = filter.split('|').map((words) => words.split(/[\s,]+/).filter((word) => word !== ''));
  return Object.entries(players)
    .flatMap(([player, outputs]) => outputs.map((output) => ({ player, output }) as Row))
    .filter((row) => OFFERED.has(row.output))
    .filter((row) => {
      const name = rowName(engine, row).split(/[: ]+/);
      return alternatives.some((words) => words.every((word) => name.includes(word)));
    });
}

/**
 * The groups of the matrix.
 * @param filter words that must all be in a row's name; `|` stands between alternatives, an empty one takes all rows
 */
export function matrixGroups(filter = ''): Group[] {
  return Object.entries(PLAYS).flatMap(([name, players]) => {
    const engine = name as Engine;
    return sideBySide(engine, rowsOf(engine, players, filter));
  });
}

/**
 * What Chromium plays, which is steady on two busy cores, without those of {@link measuredGroups}; `filter` as for
 * {@link matrixGroups}.
 */
export function briefGroups(filter = ''): Group[] {
  const engine = 'chromium';
  const measured = new Set(rowsOf(engine, MEASURED, filter).map((row) => rowName(engine, row)));
  const others = rowsOf(engine, PLAYS.chromium, filter).filter((row) => !measured.has(rowName(engine, row)));
  return sideBySide(engine, others);
}

/** Players that have goals, which need the machine for themselves; `filter` as for {@link matrixGroups}. */
export function measuredGroups(filter = ''): Group[] {
  const rows = rowsOf('chromium', MEASURED, filter);
  return rows.length === 0 ? [] : [{ engine: 'chromium', rows, seconds: MEASURED_SECONDS }];
}

function sideBySide(engine: Engine, rows: readonly Row[]): Group[] {
  const size = Math.ceil(rows.length / Math.ceil(rows.length / SIDE_BY_SIDE[engine]));
  return Array.from({ length: Math.ceil(rows.length / size) || 0 }, (_, i) => ({
    engine,
    rows: rows.slice(i * size, (i + 1) * size),
  }));
}

/** The groups whose encoder is killed and comes back where not all are tried; `filter` as for {@link matrixGroups}. */
export function restartedGroups(filter = ''): Group[] {
  return RESTARTED.map((players) => ({
    engine: 'chromium' as const,
    rows: rowsOf('chromium', players, filter),
  })).filter(({ rows }) => rows.length > 0);
}
