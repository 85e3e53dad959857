import { defineOnairPlayer } from '../element/index.ts';

// Entry of `/onair-player.js`: a page that loads this script has `<onair-player>`.
defineOnairPlayer();

export * from '../index.ts';
