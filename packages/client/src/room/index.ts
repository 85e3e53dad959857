export { type PeerFactory, PeerLink } from './peer-link.ts';
export { connectRoom, type RoomEvents, type RoomLink } from './room-link.ts';
export { Talker, type TalkerState } from './talker.ts';
export { Watcher, type WatcherState } from './watcher.ts';
