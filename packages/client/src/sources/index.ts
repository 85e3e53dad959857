export * from './address.ts';
export * from './fmp4-connection.ts';
export * from './fmp4-source.ts';
export * from './server-clock.ts';
export type { OpenSocket, SocketPort } from './socket-port.ts';
export * from './source.ts';
