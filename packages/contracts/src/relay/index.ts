export * from './block-index.ts';
export * from './channel.ts';
export * from './message.ts';
export * from './node.ts';
export { RELAY_MAX_MESSAGE } from './parse.ts';
export * from './session.ts';
export * from './tree.ts';
