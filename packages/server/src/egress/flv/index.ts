export * from './flv-feed.ts';
export * from './flv-http.ts';
export * from './flv-socket.ts';
