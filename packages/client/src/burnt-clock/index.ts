export * from './burnt-clock-meter.ts';
