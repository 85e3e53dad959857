export * from './hls-routes.ts';
