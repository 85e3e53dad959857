export type { OpenSegment } from '../hls/index.ts';
export * from './dash-packager.ts';
export * from './options.ts';
export { placeOf, type SegmentPlace } from './segments.ts';
