export * from './envelope.ts';
export * from './fmp4-socket.ts';
