import type { AudioCodec, AudioParameters, VideoCodec } from '@onair/media';
import { keyframeParameters, OPUS_SAMPLE_RATE, writeOpusHead } from '@onair/media/bitstream';
import {
  audioConfigBody,
  audioFrameHeaderBytes,
  videoConfigBody,
  videoFrameHeaderBytes,
  writeAudioFrameHeader,
  writeVideoFrameHeader,
} from '@onair/media/flv';
import { type AttachOptions, MediaEncoders } from './media-encoders.ts';

export type { AttachOptions } from './media-encoders.ts';

/** Where the messages of a publisher go. */
export interface PublishSideOwner {
  media(type: 'audio' | 'video', timestampMs: number, body: Uint8Array): void;
  /** Bytes that wait to leave. */
  waiting(): number;
  failed(error: Error): void;
}

/** The first part of a codec string (RFC 6381) tells the codec. */
const VIDEO_CODECS: Readonly<Record<string, VideoCodec>> = {
  avc1: 'h264',
  avc3: 'h264',
  hvc1: 'hevc',
  hev1: 'hevc',
  vp8: 'vp8',
  vp09: 'vp9',
  av01: 'av1',
};
const AUDIO_CODECS: Readonly<Record<string, AudioCodec>> = { mp4a: 'aac', opus: 'opus' };
/** Frames at 48 kHz that encoders of libopus put in front where they do not tell. RFC 7845 §4.2. */
const OPUS_PRE_SKIP = 312;

/** The publishing half of a stream: makes media messages of what WebCodecs gives. */
export class PublishSide {
  readonly #owner: PublishSideOwner;
  #video: VideoCodec | undefined;
  #audio: AudioParameters | undefined;
  #encoders: MediaEncoders | undefined;
  /** Time of the first chunk, µs. */
  #zero: number | undefined;
  #latestMs = 0;

  constructor(owner: PublishSideOwner) {
    this.#owner = owner;
  }

  /** Time of the newest media, in milliseconds from the first. */
  get nowMs(): number {
    return this.#latestMs;
  }

  /** Encodes what comes from a media stream; undefined ends that. */
  async attach(media: MediaStream | undefined, options: AttachOptions): Promise<void> {
    this.#encoders?.close();
    this.#encoders = undefined;
    if (media === undefined) return;
    this.#encoders = new MediaEncoders(media, options, {
      video: (chunk, metadata) => this.video(chunk, metadata),
      audio: (chunk, metadata) => this.audio(chunk, metadata),
      waiting: () => this.#owner.waiting(),
      failed: (error) => this.#owner.failed(error),
    });
    await this.#encoders.start();
  }

  /** A coded picture. */
  video(chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
    const { decoderConfig } = metadata ?? {};
    const keyframe = chunk.type === 'key';
    const data = bytesOf(chunk);
    const timestampMs = this.#place(chunk.timestamp);
    if (decoderConfig !== undefined) {
      const codec = VIDEO_CODECS[decoderConfig.codec.split('.')[0]!.toLowerCase()];
      if (codec === undefined) {
        this.#owner.failed(new Error(`${decoderConfig.codec} cannot be published`));
        return;
      }
      this.#video = codec;
      const told = decoderConfig.description;
      // VP8 and AV1 tell in their key frames what the record would say, and so does VP9.
      const record =
        told === undefined ? keyframeParameters(codec, data, undefined)?.description : viewOf(told);
      if (record === undefined) {
        this.#owner.failed(new Error(`${decoderConfig.codec} without a description cannot be published`));
        return;
      }
      this.#owner.media('video', timestampMs, videoConfigBody(codec, record));
    }
    const codec = this.#video;
    if (codec === undefined) return;
    const start = videoFrameHeaderBytes(codec, 0);
    const body = new Uint8Array(start + data.length);
    writeVideoFrameHeader(body, 0, { codec, keyframe, compositionMs: 0 });
    body.set(data, start);
    this.#owner.media('video', timestampMs, body);
  }

  /** Coded sound. */
  audio(chunk: EncodedAudioChunk, metadata: EncodedAudioChunkMetadata | undefined): void {
    const { decoderConfig } = metadata ?? {};
    const timestampMs = this.#place(chunk.timestamp);
    if (decoderConfig !== undefined) {
      const { codec: codecString, numberOfChannels: channels, sampleRate, description } = decoderConfig;
      const codec = AUDIO_CODECS[codecString.split('.')[0]!.toLowerCase()];
      if (codec === undefined) {
        this.#owner.failed(new Error(`${codecString} cannot be published`));
        return;
      }
      const config = description === undefined ? opusHead(channels, sampleRate) : viewOf(description);
      this.#audio = { kind: 'audio', codec, description: config, codecString, sampleRate, channels };
      this.#owner.media('audio', timestampMs, audioConfigBody(codec, config));
    }
    const parameters = this.#audio;
    if (parameters === undefined) return;
    const data = bytesOf(chunk);
    const start = audioFrameHeaderBytes(parameters.codec);
    const body = new Uint8Array(start + data.length);
    writeAudioFrameHeader(body, 0, parameters);
    body.set(data, start);
    this.#owner.media('audio', timestampMs, body);
  }

  close(): void {
    this.#encoders?.close();
    this.#encoders = undefined;
  }

  /** The first chunk begins at 0; what was before it is not to be heard of. */
  #place(timestamp: number): number {
    this.#zero ??= timestamp;
    const timestampMs = Math.max(0, Math.round((timestamp - this.#zero) / 1000));
    this.#latestMs = Math.max(this.#latestMs, timestampMs);
    return timestampMs;
  }
}

function bytesOf(chunk: EncodedVideoChunk | EncodedAudioChunk): Uint8Array {
  const bytes = new Uint8Array(chunk.byteLength);
  chunk.copyTo(bytes);
  return bytes;
}

function viewOf(source: AllowSharedBufferSource): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

function opusHead(channels: number, inputSampleRate: number = OPUS_SAMPLE_RATE): Uint8Array {
  const mapping = new Uint8Array(0);
  return writeOpusHead({
    channels,
    preSkip: OPUS_PRE_SKIP,
    inputSampleRate,
    outputGain: 0,
    mappingFamily: 0,
    mapping,
  });
}
