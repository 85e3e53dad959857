export * from './chunk-queue.ts';
export * from './reader.ts';
export * from './writer.ts';
