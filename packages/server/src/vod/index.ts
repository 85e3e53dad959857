export { recordingPlaylist } from './playlist.ts';
export { openRecordedMedia, type RecordedMedia } from './recorded-media.ts';
export type { PictureTurner } from './turned-runs.ts';
export { type RecordingSource, registerVodRoutes } from './vod-routes.ts';
