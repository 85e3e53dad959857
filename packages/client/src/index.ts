// Importing the package registers `<onair-player>`.
import './define/index.ts';

export * from './burnt-clock/index.ts';
export * from './element/index.ts';
export * from './engine/index.ts';
export * from './player/index.ts';
export * from './sources/index.ts';
