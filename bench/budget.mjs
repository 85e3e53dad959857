// The figures fan-out is held to: ratios against servers measured in the same run, and a few absolute ones.

/** Which measured pairs make the ratios of CPU per delivered Gbit; `floor` must hold, `goal` is what we are after. */
export const RATIOS = [
  { of: 'onair-rtmp-frame', to: 'nginx-rtmp', floor: 0.85, goal: 0.6 },
  { of: 'onair-flv-frame', to: 'nginx-rtmp', floor: 0.85, goal: 0.6 },
  { of: 'onair-ws-frame', to: 'nginx-rtmp', floor: 0.85, goal: 0.6 },
  { of: 'onair-rtmp-50', to: 'nginx-rtmp-buffer', floor: 0.6, goal: 0.45 },
  { of: 'onair-flv-50', to: 'nginx-rtmp-buffer', floor: 0.6, goal: 0.45 },
  { of: 'onair-ws-50', to: 'nginx-rtmp-buffer', floor: 0.6, goal: 0.45 },
  { of: 'onair-rtmp-frame', to: 'nms4-rtmp', floor: 0.5, goal: 0.25 },
  { of: 'onair-flv-frame', to: 'nms4-flv', floor: 0.5, goal: 0.25 },
  { of: 'onair-flv-frame', to: 'floor-tag', floor: 1.9, goal: 1.5 },
  { of: 'onair-flv-50', to: 'floor-50', floor: 1.9, goal: 1.5 },
  { of: 'onair-ws-50', to: 'floor-50', floor: 1.9, goal: 1.5 },
  { of: 'onair-rtmp-50', to: 'srs-rtmp-50', floor: 0.6, goal: 0.35 },
  { of: 'onair-flv-50', to: 'srs-flv-50', floor: 0.6, goal: 0.35 },
];

/** Figures of our own targets that do not depend on a peer. `value` reads a target's medians. */
export const LIMITS = [
  { name: 'RSS kB/viewer', match: /^onair-/, value: (m) => m.rssPerViewer, floor: 45, goal: 20 },
  { name: 'first keyframe p50 ms', match: /^onair-(flv|ws)/, value: (m) => m.firstKeyP50, floor: 5, goal: 2 },
  {
    name: 'first keyframe p99 ms',
    match: /^onair-(flv|ws)/,
    value: (m) => m.firstKeyP99,
    floor: 50,
    goal: 20,
  },
  { name: 'first keyframe p50 ms', match: /^onair-rtmp/, value: (m) => m.firstKeyP50, floor: 10, goal: 3 },
  { name: 'frames missing', match: /^onair-/, value: (m) => m.missing, floor: 0, goal: 0 },
];

/** Above this share of a core the measuring client's own delay shows in the figures. */
export const CLIENT_CPU_LIMIT = 60;

/** Goals of HLS delivery: a figure of a phase, or its ratio `to` another of the same round. */
export const HLS_GOALS = [
  ...['paced', 'segments', 'parts'].map((kind) => ({
    what: `CPU/Gbit of ${kind} ÷ nginx`,
    of: `${kind}-onair`,
    to: `${kind}-nginx`,
    figure: 'cpuPerGbit',
    goal: 1.3,
  })),
  { what: 'LL-HLS viewers, % of a core', of: 'viewers', figure: 'cpuPct', goal: 60 },
  {
    what: 'LL-HLS viewers with sound apart, % of a core',
    of: 'viewers-with-sound',
    figure: 'cpuPct',
    goal: 60,
  },
  { what: 'LL-HLS viewers, p95 age of frames ms', of: 'viewers', figure: 'delayP95', goal: 400 },
  { what: 'errors of viewers', of: 'viewers', figure: 'errors', goal: 0 },
  { what: 'herd: ms from first to last answer', of: 'herd', figure: 'spreadMax', goal: 100 },
  { what: 'herd: different answers', of: 'herd', figure: 'answers', goal: 1 },
  { what: 'release of a blocking reload p99 ms', of: 'release', figure: 'p99', goal: 20 },
];
