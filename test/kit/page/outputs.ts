/** What a server gives out for players: our own transports and the segmented formats, plain and with low latency. */
export type Output = 'ws' | 'flv' | 'wsflv' | 'hls' | 'llhls' | 'ts' | 'dash' | 'lldash' | 'vod';

/** Players that run in a page. */
export type PagePlayer = 'onair' | 'hls.js' | 'shaka' | 'dash.js' | 'video.js' | 'native' | 'mpegts.js';

/** A player and what it plays. */
export interface Choice {
  readonly player: PagePlayer;
  readonly output: Output;
}

/** Addresses under `/APP/NAME`. */
export const PATHS: Readonly<Record<Output, string>> = {
  ws: '.fmp4',
  flv: '.flv',
  wsflv: '.flv',
  hls: '/index.m3u8',
  llhls: '/index.m3u8',
  ts: '/ts.m3u8',
  vod: '/playlist.m3u8',
  dash: '/manifest.mpd?ll=0',
  lldash: '/manifest.mpd',
};
