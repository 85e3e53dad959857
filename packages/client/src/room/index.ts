export { Asides, type AsidesOptions, type SaidText } from './asides.ts';
export { FILE_DELIVERIES, type FileDelivery } from './part-ways.ts';
export { type PeerFactory, PeerLink } from './peer-link.ts';
export type { FileView } from './room-files.ts';
export { connectRoom, type RoomEvents, type RoomLink } from './room-link.ts';
export { ServerCast } from './server-cast.ts';
export { Talker, type TalkerState } from './talker.ts';
export { Watcher, type WatcherState, type WatcherWay } from './watcher.ts';
