export * from './recording-player.ts';
