import type { Sample, Ticks, Track, VideoParameters } from '@onair/media';
import { concatBytes } from '@onair/media/bytes';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { WebmMuxer } from '@onair/media/webm';

/** Turns one video track from fMP4 into the WebM of source buffers: times stay, each chunk is a Cluster of its own. */
export class WebmWrapper {
  /** What a source buffer needs first. */
  readonly init: Uint8Array;
  readonly #track: Track;

  /** @param init `ftyp` and `moov` of the track. @throws ParseError */
  constructor(init: Uint8Array) {
    const [entry] = parseInit(init).tracks;
    if (entry === undefined || entry.kind !== 'video') throw new TypeError('not a video track');
    const { codec, description, width, height } = entry;
    const parameters = { kind: 'video', codec, description, codecString: '', width, height };
    this.#track = { id: 1, timebase: entry.timebase, parameters: parameters as VideoParameters };
    this.init = new WebmMuxer([this.#track]).header();
  }

  /** @param chunk `moof` and `mdat`. @throws ParseError */
  wrap(chunk: Uint8Array): Uint8Array {
    // A muxer of its own, so that the Cluster does not lean on what the source buffer may have dropped.
    const muxer = new WebmMuxer([this.#track]);
    const samples = parseChunks(chunk).flatMap(({ tracks }) => tracks.flatMap((one) => one.samples));
    return concatBytes(
      samples.map(({ dts, pts, duration, keyframe, data }) => {
        const sample: Sample = {
          track: this.#track,
          dts: dts as Ticks,
          pts: pts as Ticks,
          duration: duration as Ticks,
          keyframe,
          data,
        };
        return muxer.push(sample);
      }),
    );
  }
}
