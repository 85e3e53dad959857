export { checkMediaPlaylist, checkMultivariantPlaylist, type Fault, requiredVersion } from './check.ts';
export * from './compare.ts';
export * from './model.ts';
export * from './parse.ts';
export * from './write.ts';
