import { configTag, metadataOf, sampleTagBody, sampleTimestampMs } from '@onair/media/flv';
import type { Sample, Track } from '@onair/media/model';
import type { RtmpClient } from '../net/rtmp-client.ts';

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
    this.#connection.setDataFrame(this.#lastMs, 'onMetaData', metadataOf([...this.#tracks.values()]));
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
