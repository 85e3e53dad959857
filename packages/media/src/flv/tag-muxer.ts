import {
  flacStreamHeader,
  parseOpusConfig,
  vpLevelFor,
  writeOpusHead,
  writeVpConfig,
} from '../bitstream/index.ts';
import type { AudioParameters, VideoParameters } from '../model/codec.ts';
import type { Sample, Track } from '../model/sample.ts';
import { MILLISECONDS, rescale, type Ticks } from '../time/index.ts';
import { audioConfigBody, audioFrameHeaderBytes, writeAudioFrameHeader } from './audio-message.ts';
import { frameFlvTag, TAG_HEADER_BYTES, TAG_TRAILER_BYTES, type Tag, type TagType } from './tag.ts';
import { videoConfigBody, videoFrameHeaderBytes, writeVideoFrameHeader } from './video-message.ts';

/** The tag that tells a decoder the track's parameters, without timestamp; undefined if it needs none. */
export function configTag(track: Track): Pick<Tag, 'type' | 'body'> | undefined {
  const { parameters } = track;
  switch (parameters.kind) {
    case 'video':
      return {
        type: 'video',
        body: videoConfigBody(parameters.codec, recordFor(parameters), wireTrackId(track)),
      };
    case 'audio': {
      const config = configFor(parameters);
      if (config === undefined) return undefined;
      return { type: 'audio', body: audioConfigBody(parameters.codec, config, wireTrackId(track)) };
    }
    case 'data':
      return undefined;
  }
}

/** The record Enhanced RTMP wants; VP8 has none of its own, so one is made up. */
function recordFor(parameters: VideoParameters): Uint8Array {
  if (parameters.codec !== 'vp8') return parameters.description;
  return writeVpConfig({
    profile: 0,
    level: vpLevelFor(parameters.width, parameters.height),
    bitDepth: 8,
    chromaSubsampling: 1,
    fullRange: false,
    colourPrimaries: UNSPECIFIED_COLOUR,
    transferCharacteristics: UNSPECIFIED_COLOUR,
    matrixCoefficients: UNSPECIFIED_COLOUR,
  });
}

/** ISO/IEC 23091-2: the colour is not told. */
const UNSPECIFIED_COLOUR = 2;

/** The payload of SequenceStart; undefined for codecs whose frames tell everything. */
function configFor(parameters: AudioParameters): Uint8Array | undefined {
  const { codec, description } = parameters;
  switch (codec) {
    case 'aac':
      return description;
    case 'opus':
      return writeOpusHead(parseOpusConfig(description));
    case 'flac':
      return flacStreamHeader(description);
    case 'mp3':
    case 'ac3':
    case 'eac3':
      return undefined;
  }
}

/** Decoding time in whole milliseconds, not wrapped: {@link encodeFlvTag} and RTMP send it modulo 2^32. */
export function sampleTimestampMs(sample: Sample): number {
  return rescale(sample.dts, sample.track.timebase, MILLISECONDS);
}

/** Length of the tag body of a sample, in bytes. */
export function sampleTagBodyLength(sample: Sample): number {
  return headerBytes(sample) + sample.data.length;
}

/** Writes the tag body of a sample into `out` at `at`; returns the position behind it. */
export function writeSampleTagBody(sample: Sample, out: Uint8Array, at: number): number {
  const start = writeHeader(sample, out, at);
  out.set(sample.data, start);
  return start + sample.data.length;
}

/** The bytes that stand in front of `sample.data` in its tag body, for writers that send both separately. */
export function sampleTagHeader(sample: Sample): Uint8Array {
  const out = new Uint8Array(headerBytes(sample));
  writeHeader(sample, out, 0);
  return out;
}

/** Tag body of a sample in one new array: the payload of an RTMP message. */
export function sampleTagBody(sample: Sample): Uint8Array {
  const out = new Uint8Array(sampleTagBodyLength(sample));
  writeSampleTagBody(sample, out, 0);
  return out;
}

/** A sample as tag. @returns `timestampMs` is not wrapped. */
export function sampleTag(sample: Sample): Tag {
  return {
    type: sampleTagType(sample),
    timestampMs: sampleTimestampMs(sample),
    body: sampleTagBody(sample),
  };
}

/** A sample as FLV tag with header and PreviousTagSize, in one new array. */
export function encodeSampleAsFlvTag(sample: Sample): Uint8Array {
  const out = new Uint8Array(TAG_HEADER_BYTES + sampleTagBodyLength(sample) + TAG_TRAILER_BYTES);
  writeSampleTagBody(sample, out, TAG_HEADER_BYTES);
  frameFlvTag(out, sampleTagType(sample), sampleTimestampMs(sample));
  return out;
}

/** The track id of Enhanced RTMP: video tracks 1, 3, 5… and audio tracks 2, 4, 6… count from 0 each. */
function wireTrackId(track: Track): number {
  return (track.id - 1) >> 1;
}

function headerBytes(sample: Sample): number {
  const { parameters } = sample.track;
  const trackId = wireTrackId(sample.track);
  switch (parameters.kind) {
    case 'video':
      return videoFrameHeaderBytes(parameters.codec, compositionMs(sample), trackId);
    case 'audio':
      return audioFrameHeaderBytes(parameters.codec, trackId);
    case 'data':
      return refuseData();
  }
}

/** Returns the position behind the header. */
function writeHeader(sample: Sample, out: Uint8Array, at: number): number {
  const { parameters } = sample.track;
  const trackId = wireTrackId(sample.track);
  switch (parameters.kind) {
    case 'video': {
      const frame = {
        codec: parameters.codec,
        keyframe: sample.keyframe,
        compositionMs: compositionMs(sample),
      };
      writeVideoFrameHeader(out, at, frame, trackId);
      break;
    }
    case 'audio':
      writeAudioFrameHeader(out, at, parameters, trackId);
      break;
    case 'data':
      refuseData();
  }
  return at + headerBytes(sample);
}

function sampleTagType(sample: Sample): TagType {
  const { kind } = sample.track.parameters;
  return kind === 'data' ? refuseData() : kind;
}

function refuseData(): never {
  throw new TypeError('samples of data tracks are no media tags: send them with scriptBody()');
}

/** Difference of the rounded times, so that both come out as they were rounded. */
function compositionMs(sample: Sample): number {
  const { dts, pts, track } = sample;
  if (dts === pts) return 0;
  const at = (time: Ticks): number => rescale(time, track.timebase, MILLISECONDS);
  return at(pts) - at(dts);
}

/**
 * A picture as tag whose presentation time is exact, for readers that know ModEx with nanosecond offsets; undefined for
 * samples whose header has no place for them. Enhanced RTMP v2, TimestampOffsetNano.
 */
export function preciseVideoTag(sample: Sample): Tag | undefined {
  const { dts, pts, track, keyframe, data } = sample;
  const { parameters } = track;
  const trackId = wireTrackId(track);
  if (parameters.kind !== 'video' || (parameters.codec === 'h264' && trackId === 0)) return undefined;
  const { codec } = parameters;
  const wholeMs = Math.floor((pts * 1000) / track.timebase);
  const nanoOffset = Math.min(999_999, Math.round(((pts * 1000) / track.timebase - wholeMs) * 1e6));
  // Down, not to the nearest, so that a picture without composition time is not before itself.
  const timestampMs = dts === pts ? wholeMs : Math.floor((dts * 1000) / track.timebase);
  const frame = { codec, keyframe, compositionMs: wholeMs - timestampMs, nanoOffset };
  const start = videoFrameHeaderBytes(codec, frame.compositionMs, trackId, nanoOffset);
  const body = new Uint8Array(start + data.length);
  writeVideoFrameHeader(body, 0, frame, trackId);
  body.set(data, start);
  return { type: 'video', timestampMs, body };
}
