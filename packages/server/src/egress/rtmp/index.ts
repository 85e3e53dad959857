export { PushSet, type PushWish } from './push-set.ts';
export type { RecordedMedia, RecordingArchive } from './recorded-player.ts';
export * from './rtmp-envelope.ts';
export * from './rtmp-player.ts';
export { type PushDeps, type PushStatus, StreamPush } from './stream-push.ts';
