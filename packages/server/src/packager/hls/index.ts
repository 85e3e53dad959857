export * from './hls-packager.ts';
export * from './options.ts';
export * from './playlist-body.ts';
export * from './reload.ts';
export type { Rendition } from './rendition.ts';
export type { Boundary, HlsInit, HlsSegment, MediaSpan, OpenSegment } from './segment.ts';
export { Waiters, type WaitResult } from './waiters.ts';
