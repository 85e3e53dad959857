export * from './rtmp-envelope.ts';
export * from './rtmp-player.ts';
