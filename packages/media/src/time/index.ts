export * from './ticks.ts';
export * from './unwrap.ts';
