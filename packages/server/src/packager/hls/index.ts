export * from './date-ranges.ts';
export * from './hls-packager.ts';
export type { SkipWish } from './media-playlist.ts';
export * from './options.ts';
export * from './playlist-body.ts';
export * from './reload.ts';
export type { Rendition } from './rendition.ts';
export * from './stream-options.ts';
export type { StopWaiting, WaitResult } from './waiters.ts';
