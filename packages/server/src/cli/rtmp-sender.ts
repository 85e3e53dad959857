import { AmfEcmaArray, type AmfObject } from '@onair/media/amf';
import { AUDIO_FOURCC, configTag, sampleTagBody, sampleTimestampMs, VIDEO_FOURCC } from '@onair/media/flv';
import type { CodecParameters, Sample, Track } from '@onair/media/model';
import type { RtmpClient } from './rtmp-client.ts';

/** Values of `videocodecid` and `audiocodecid` that FLV numbers; others are told by FourCC. */
const FLV_CODEC_IDS: Readonly<Record<string, number>> = { h264: 7, aac: 10, mp3: 2 };

/** Sends tracks and samples over a connection that is ready to publish. Its first sample is at time 0. */
export class RtmpSender {
  readonly #connection: RtmpClient;
  readonly #tracks = new Map<number, Track>();
  #startMs: number | undefined;
  #lastMs = 0;

  constructor(connection: RtmpClient) {
    this.#connection = connection;
  }

  /** Tells of a track, or of new parameters of one: metadata of all tracks, then its sequence header. */
  announce(track: Track): void {
    this.#tracks.set(track.id, track);
    const metadata: AmfObject = { encoder: 'onair' };
    for (const { parameters } of this.#tracks.values()) describe(parameters, metadata);
    this.#connection.setDataFrame(this.#lastMs, 'onMetaData', new AmfEcmaArray(metadata));
    const tag = configTag(track);
    if (tag !== undefined && tag.type !== 'script') {
      this.#connection.sendMedia(tag.type, this.#lastMs, tag.body);
    }
  }

  /** Sends one sample of an announced track. */
  send(sample: Sample): void {
    const { kind } = sample.track.parameters;
    if (kind === 'data') return;
    const ms = sampleTimestampMs(sample);
    this.#startMs ??= ms;
    this.#lastMs = Math.max(ms - this.#startMs, 0);
    this.#connection.sendMedia(kind, this.#lastMs, sampleTagBody(sample));
  }
}

function describe(parameters: CodecParameters, metadata: AmfObject): void {
  if (parameters.kind === 'video') {
    const { codec, width, height, frameRate } = parameters;
    metadata.width = width;
    metadata.height = height;
    if (frameRate !== undefined) metadata.framerate = frameRate;
    metadata.videocodecid = FLV_CODEC_IDS[codec] ?? VIDEO_FOURCC[codec];
  } else if (parameters.kind === 'audio') {
    const { codec, sampleRate, channels } = parameters;
    metadata.audiosamplerate = sampleRate;
    metadata.audiosamplesize = 16;
    metadata.audiochannels = channels;
    metadata.stereo = channels > 1;
    metadata.audiocodecid = FLV_CODEC_IDS[codec] ?? AUDIO_FOURCC[codec];
  }
}
