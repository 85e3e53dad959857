export * from './model/index.ts';
export * from './time/index.ts';
