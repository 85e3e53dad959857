import { defineOnairPlayer } from '../element/index.ts';

// A page that loads this script has `<onair-player>`.
defineOnairPlayer();
