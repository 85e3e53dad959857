export * from './frame.ts';
export * from './viewer-socket.ts';
