export * from './message.ts';
export * from './node.ts';
