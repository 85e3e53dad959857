import type { Track } from '@onair/media';
import { AmfEcmaArray, type AmfObject, encodeAmf0 } from '@onair/media/amf';

const VIDEO_CODEC_ID: Readonly<Record<string, number>> = { h264: 7 };
const AUDIO_CODEC_ID: Readonly<Record<string, number>> = { aac: 10, mp3: 2 };

/** Body of the `onMetaData` message for a set of tracks: its name and an ECMA array, AMF0. */
export function metadataBody(tracks: readonly Track[]): Uint8Array {
  const properties: AmfObject = { duration: 0, encoder: 'onair' };
  for (const { parameters } of tracks) {
    if (parameters.kind === 'video') {
      properties.width = parameters.width;
      properties.height = parameters.height;
      if (parameters.frameRate !== undefined) properties.framerate = parameters.frameRate;
      properties.videocodecid = VIDEO_CODEC_ID[parameters.codec] ?? fourCc(parameters.codecString);
    } else if (parameters.kind === 'audio') {
      properties.audiosamplerate = parameters.sampleRate;
      properties.audiosamplesize = 16;
      properties.stereo = parameters.channels > 1;
      properties.audiochannels = parameters.channels;
      properties.audiocodecid = AUDIO_CODEC_ID[parameters.codec] ?? fourCc(parameters.codecString);
    }
  }
  return encodeAmf0(['onMetaData', new AmfEcmaArray(properties)]);
}

/** Enhanced RTMP names codecs by the number that the four characters make. */
function fourCc(codecString: string): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value = (value << 8) | (codecString.charCodeAt(i) || 0x20);
  return value >>> 0;
}
