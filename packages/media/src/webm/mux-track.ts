import {
  flacStreamHeader,
  OPUS_SAMPLE_RATE,
  parseOpusConfig,
  parseVpConfig,
  writeOpusHead,
} from '../bitstream/index.ts';
import type { AudioParameters, VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import type { Track } from '../model/sample.ts';
import { AUDIO_CODEC_IDS, VIDEO_CODEC_IDS, vp9Features, WEBM_CODECS } from './codec-id.ts';
import { ID } from './element-id.ts';
import { element, floatElement, master, textElement, uintElement } from './element-writer.ts';
import { ticksToNanoseconds } from './timestamp.ts';
import { MAX_WEBM_TRACKS } from './track-entry.ts';

/** Nanoseconds that Opus decodes in front of the place sought. RFC 7845 §4.6. */
const OPUS_SEEK_PRE_ROLL = 80_000_000;
const UNSPECIFIED = 2;

/** A track that is written, with what its blocks need. */
export interface MuxTrack {
  /** Number by which blocks refer to it, 1 to 16. */
  readonly number: number;
  readonly track: Track;
  readonly parameters: VideoParameters | AudioParameters;
  /** Nanoseconds that are added to times. */
  readonly codecDelay: number;
}

/** Numbers the tracks. @throws ParseError `WEBM_CODEC_UNSUPPORTED`, `WEBM_TRACKS` */
export function muxTracks(tracks: readonly Track[]): MuxTrack[] {
  if (tracks.length === 0 || tracks.length > MAX_WEBM_TRACKS) {
    throw new ParseError('WEBM_TRACKS', 'RFC 9559 §5.1.4', `${tracks.length} tracks`);
  }
  return tracks.map((track, index) => {
    const { parameters } = track;
    if (parameters.kind === 'data') {
      throw new ParseError('WEBM_CODEC_UNSUPPORTED', 'RFC 9559 §5.1.4.1.3', 'a track of events');
    }
    const opus = parameters.codec === 'opus' && parameters.description.length > 0;
    const preSkip = opus ? parseOpusConfig(parameters.description).preSkip : 0;
    const codecDelay = ticksToNanoseconds(preSkip, OPUS_SAMPLE_RATE);
    return { number: index + 1, track, parameters, codecDelay };
  });
}

/** `webm` if all codecs may stand in one, else `matroska`. */
export function docTypeFor(tracks: readonly MuxTrack[]): 'webm' | 'matroska' {
  return tracks.every(({ parameters }) => WEBM_CODECS.has(parameters.codec)) ? 'webm' : 'matroska';
}

/** Tracks with an entry for each. RFC 9559 §5.1.4. */
export function tracksElement(tracks: readonly MuxTrack[]): Uint8Array {
  return master(ID.Tracks, tracks.map(trackEntry));
}

function trackEntry({ number, track, parameters, codecDelay }: MuxTrack): Uint8Array {
  const video = parameters.kind === 'video';
  const codecId = video ? VIDEO_CODEC_IDS[parameters.codec] : AUDIO_CODEC_IDS[parameters.codec];
  const fields = [
    uintElement(ID.TrackNumber, number),
    uintElement(ID.TrackUID, track.id),
    uintElement(ID.TrackType, video ? 1 : 2),
    uintElement(ID.FlagLacing, 0),
    textElement(ID.Language, 'und'),
    ...(track.language === undefined ? [] : [textElement(ID.LanguageBCP47, track.language)]),
    textElement(ID.CodecID, codecId),
  ];
  const codecPrivate = codecPrivateOf(parameters);
  if (codecPrivate.length > 0) fields.push(element(ID.CodecPrivate, codecPrivate));
  const duration = frameDuration(parameters);
  if (duration !== undefined) fields.push(uintElement(ID.DefaultDuration, duration));
  if (parameters.codec === 'opus') {
    fields.push(uintElement(ID.CodecDelay, codecDelay), uintElement(ID.SeekPreRoll, OPUS_SEEK_PRE_ROLL));
  }
  fields.push(parameters.kind === 'video' ? videoElement(parameters) : audioElement(parameters));
  return master(ID.TrackEntry, fields);
}

function videoElement(parameters: VideoParameters): Uint8Array {
  return master(ID.Video, [
    uintElement(ID.PixelWidth, parameters.width),
    uintElement(ID.PixelHeight, parameters.height),
    ...colourOf(parameters),
  ]);
}

function audioElement(parameters: AudioParameters): Uint8Array {
  return master(ID.Audio, [
    floatElement(ID.SamplingFrequency, parameters.sampleRate),
    uintElement(ID.Channels, parameters.channels),
  ]);
}

/** The colour of VP9, which stands in its record; the other codecs tell it in their bitstream. */
function colourOf({ codec, description }: VideoParameters): Uint8Array[] {
  if (codec !== 'vp9' || description.length === 0) return [];
  const config = parseVpConfig(description);
  const { colourPrimaries, transferCharacteristics, matrixCoefficients, fullRange } = config;
  const codes = [colourPrimaries, transferCharacteristics, matrixCoefficients];
  if (codes.every((code) => code === UNSPECIFIED)) return [];
  return [
    master(ID.Colour, [
      uintElement(ID.MatrixCoefficients, matrixCoefficients),
      uintElement(ID.Range, fullRange ? 2 : 1),
      uintElement(ID.TransferCharacteristics, transferCharacteristics),
      uintElement(ID.Primaries, colourPrimaries),
    ]),
  ];
}

function codecPrivateOf(parameters: VideoParameters | AudioParameters): Uint8Array {
  const { codec, description } = parameters;
  switch (codec) {
    case 'vp8':
    case 'mp3':
    case 'ac3':
    case 'eac3':
      return new Uint8Array(0);
    case 'vp9':
      return description.length === 0 ? description : vp9Features(parseVpConfig(description));
    case 'opus':
      return description.length === 0 ? description : writeOpusHead(parseOpusConfig(description));
    case 'flac':
      return flacStreamHeader(description);
    case 'h264':
    case 'hevc':
    case 'vvc':
    case 'av1':
    case 'aac':
      return description;
  }
}

/** Nanoseconds of a frame, where all are equal. */
function frameDuration(parameters: VideoParameters | AudioParameters): number | undefined {
  if (parameters.kind === 'audio') {
    const { frameSize, sampleRate } = parameters;
    return frameSize === undefined ? undefined : Math.round((frameSize * 1e9) / sampleRate);
  }
  const { frameRate } = parameters;
  return frameRate === undefined || !(frameRate > 0) ? undefined : Math.round(1e9 / frameRate);
}
