/** What {@link pickRecordingType} asks a browser; `MediaRecorder.isTypeSupported`. */
export type TypeTest = (type: string) => boolean;

/**
 * Kinds of recording, best first: those that every output and every player can have without transcoding, then those
 * that browsers at least play.
 */
const VIDEO_TYPES = [
  'video/mp4;codecs=avc1.42E01F,mp4a.40.2',
  'video/mp4;codecs=avc1.42E01F,opus',
  'video/webm;codecs=h264,opus',
  'video/x-matroska;codecs=avc1,opus',
  'video/webm;codecs=vp9,opus',
  'video/webm;codecs=vp8,opus',
  'video/webm',
  'video/mp4',
];
const AUDIO_TYPES = ['audio/mp4;codecs=mp4a.40.2', 'audio/webm;codecs=opus', 'audio/webm', 'audio/mp4'];

/** The best kind of recording that the browser makes; undefined if it makes none. @param video there are pictures. */
export function pickRecordingType(video: boolean, supported: TypeTest): string | undefined {
  return (video ? VIDEO_TYPES : AUDIO_TYPES).find(supported);
}
