export * from './audio-bridge.ts';
export { AudioTranscoder } from './audio-transcoder.ts';
export { type PictureBatch, turnPictures } from './picture-batch.ts';
export { type PictureParts, type PictureRule, pictureBridgedKind } from './picture-bridge.ts';
export { type PictureSettings, PictureTranscoder } from './picture-transcoder.ts';
export * from './rules.ts';
