export { MAX_BACKLOG_BYTES } from './recording.ts';
export { type OrderAnswer, type RecordingDeps, Recordings } from './recordings.ts';
export type { SourceEnd } from './run.ts';
export { tracksOfInit } from './run-file.ts';
export { type RunSegment, TARGET_DURATION } from './segment-index.ts';
export { HEADER_FILE, type RecordingView, type RunView, WEBM_FILE } from './view.ts';
