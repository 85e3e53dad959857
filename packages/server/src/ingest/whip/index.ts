export * from './whip.ts';
