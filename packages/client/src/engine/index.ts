export * from './append-queue.ts';
export * from './browser-platform.ts';
export * from './live-edge.ts';
export * from './mse-engine.ts';
export * from './ports.ts';
export * from './ranges.ts';
export * from './stall-watch.ts';
export * from './track-buffer.ts';
