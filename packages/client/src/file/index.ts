export * from './file-player.ts';
