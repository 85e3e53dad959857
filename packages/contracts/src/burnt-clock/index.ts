export * from './clock-sei.ts';
export { BURNT_CLOCK, BURNT_CLOCK_CELLS, BURNT_CLOCK_SYNC, burntClockCell } from './layout.ts';
export * from './read.ts';
export * from './write.ts';
