export * from './socket-transport.ts';
export * from './viewing.ts';
