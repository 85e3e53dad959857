import { type AudioParameters, type Sample, type Track, type VideoParameters } from '@onair/media';
/** H.264 parameters as a test needs them. */
export declare function videoParameters(width?: number, height?: number): VideoParameters;
/** AAC-LC parameters as a test needs them. */
export declare function audioParameters(sampleRate?: number): AudioParameters;
/** A video track with id 1. */
export declare function videoTrack(parameters?: VideoParameters): Track;
/** An audio track with id 2. */
export declare function audioTrack(parameters?: AudioParameters): Track;
/** An H.264 access unit of one NAL unit with a 4-byte length; the payload is `fill`. */
export declare function accessUnit(keyframe: boolean, size: number, fill: number): Uint8Array;
/** A sample of `size` bytes at `ms` milliseconds of source time. */
export declare function sampleAt(track: Track, ms: number, keyframe?: boolean, size?: number): Sample;
/** `seconds` of 25 fps video with a keyframe each `gop` frames and 48 kHz audio, in decoding order. */
export declare function programme(
  video: Track,
  audio: Track | undefined,
  seconds: number,
  gop?: number,
  from?: number,
): Sample[];
