export { recordingPlaylist } from './playlist.ts';
export { type RecordingSource, registerVodRoutes } from './vod-routes.ts';
