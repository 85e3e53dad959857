export type { OpenSegment } from '../hls/index.ts';
export * from './dash-packager.ts';
export * from './options.ts';
