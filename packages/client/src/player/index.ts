export * from './create-source.ts';
export * from './event-clock.ts';
export * from './player.ts';
export * from './status.ts';
export * from './transports.ts';
