export * from './append-file.ts';
export * from './disk-sync.ts';
export * from './whole-file.ts';
