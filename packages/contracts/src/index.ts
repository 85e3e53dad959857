export * from './api/index.ts';
export * from './errors/index.ts';
