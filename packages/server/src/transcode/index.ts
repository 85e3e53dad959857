export * from './audio-bridge.ts';
export { AudioTranscoder } from './audio-transcoder.ts';
export * from './rules.ts';
