export { checkMediaPlaylist, checkMultivariantPlaylist, listedSeconds, requiredVersion } from './check.ts';
export * from './compare.ts';
export * from './model.ts';
export * from './parse.ts';
export * from './rules/index.ts';
export * from './write.ts';
