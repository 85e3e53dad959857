import { Amf0Reader, AmfEcmaArray, type AmfValue, amfObject, encodeAmf0 } from '../amf/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Track } from '../model/sample.ts';
import { SOUND_FORMAT } from './audio-message.ts';
import { AUDIO_FOURCC, VIDEO_FOURCC } from './fourcc.ts';
import type { Tag } from './tag.ts';
import { languageProperties } from './track-languages.ts';
import { VIDEO_CODEC_ID } from './video-message.ts';

/** Name of the message that describes the stream. FLV v10.1 §E.5. */
export const METADATA = 'onMetaData';

/** A data message: name and values of a script tag. FLV v10.1 §E.4.4. */
export interface ScriptMessage {
  readonly name: string;
  readonly values: readonly AmfValue[];
}

/**
 * Reads the body of a script tag. `@setDataFrame` is taken off: its message stands inside it.
 * @throws ParseError `FLV_SCRIPT_NAME` without a name, or what decoding AMF gives.
 */
export function parseScriptBody(body: Uint8Array): ScriptMessage {
  const reader = new Amf0Reader(body);
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.value());
  if (values[0] === '@setDataFrame') values.shift();
  const name = values.shift();
  if (typeof name !== 'string') {
    throw new ParseError('FLV_SCRIPT_NAME', 'FLV v10.1 §E.4.4', `a script tag named by ${typeof name}`);
  }
  return { name, values };
}

/** Body of a script tag or RTMP data message. */
export function scriptBody(name: string, values: readonly AmfValue[]): Uint8Array {
  return encodeAmf0([name, ...values]);
}

/**
 * The values of onMetaData for these tracks: size, rate and codec of the first video track, codec and
 * format of the first audio track, and the languages of all. Codecs of Enhanced RTMP are named by their FourCC.
 */
export function metadataOf(tracks: readonly Track[]): AmfEcmaArray {
  const properties = amfObject();
  for (const { parameters } of tracks) {
    if (parameters.kind === 'video' && properties.videocodecid === undefined) {
      const { codec, width, height, frameRate } = parameters;
      if (width > 0 && height > 0) Object.assign(properties, { width, height });
      if (frameRate !== undefined) properties.framerate = frameRate;
      properties.videocodecid = codec === 'h264' ? VIDEO_CODEC_ID.avc : VIDEO_FOURCC[codec];
    } else if (parameters.kind === 'audio' && properties.audiocodecid === undefined) {
      const { codec, sampleRate, channels } = parameters;
      const legacy = codec === 'aac' || codec === 'mp3';
      properties.audiocodecid = legacy ? SOUND_FORMAT[codec] : AUDIO_FOURCC[codec];
      properties.audiosamplerate = sampleRate;
      properties.audiosamplesize = 16;
      properties.stereo = channels > 1;
      properties.audiochannels = channels;
    }
  }
  Object.assign(properties, languageProperties(tracks));
  properties.encoder = ENCODER;
  return new AmfEcmaArray(properties);
}

/** What the metadata names as its writer. */
const ENCODER = 'onair';

/** The onMetaData tag for these tracks, without timestamp. */
export function metadataTag(tracks: readonly Track[]): Pick<Tag, 'type' | 'body'> {
  return { type: 'script', body: scriptBody(METADATA, [metadataOf(tracks)]) };
}
