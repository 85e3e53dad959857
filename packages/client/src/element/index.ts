export * from './onair-player.ts';
