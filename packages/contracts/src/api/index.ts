export * from './decode.ts';
export * from './operator.ts';
export * from './server.ts';
export * from './sessions.ts';
export * from './streams.ts';
