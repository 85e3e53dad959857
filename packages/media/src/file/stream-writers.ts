import { AmfEcmaArray, amfObject } from '../amf/index.ts';
import { ByteWriter } from '../bytes/index.ts';
import {
  configTag,
  encodeFlvTag,
  encodeSampleAsFlvTag,
  flvFileHeader,
  METADATA,
  metadataOf,
  scriptBody,
} from '../flv/index.ts';
import type { Sample } from '../model/index.ts';
import { TsMuxer, type TsSample } from '../mpegts/index.ts';
import { WebmMuxer } from '../webm/index.ts';
import { durationsOf, type FileEnding, type FileWriter, type TrackStart } from './file-writer.ts';

/** Bytes after which a part of a transport stream is written even without a keyframe. */
const MAX_PART_BYTES = 4 * 1024 * 1024;
/** Seconds of a part of a transport stream that has sound alone. */
const SOUND_PART_SECONDS = 2;
const DURATION = 'duration';

/** Writes FLV. Its timestamps begin with the first sample that is decoded. */
export class FlvWriter implements FileWriter {
  readonly copies = true;
  #durationAt = 0;
  #end = 0;

  begin(starts: readonly TrackStart[]): readonly Uint8Array[] {
    const tracks = starts.map(({ track }) => track);
    const has = (kind: string): boolean => tracks.some(({ parameters }) => parameters.kind === kind);
    const header = flvFileHeader({ audio: has('audio'), video: has('video') });
    const told = Object.assign(amfObject(), { [DURATION]: 0 }, metadataOf(tracks).properties);
    const metadata = encodeFlvTag({
      type: 'script',
      timestampMs: 0,
      body: scriptBody(METADATA, [new AmfEcmaArray(told)]),
    });
    // The name, then the marker of a number, then its eight bytes.
    const name = Array.from(DURATION, (char) => char.charCodeAt(0));
    const at = metadata.findIndex((_, i) => name.every((code, j) => metadata[i + j] === code));
    this.#durationAt = header.length + at + name.length + 1;
    const configs = tracks.flatMap((track) => {
      const tag = configTag(track);
      return tag === undefined ? [] : [encodeFlvTag({ ...tag, timestampMs: 0 })];
    });
    return [header, metadata, ...configs];
  }

  push(sample: Sample): readonly Uint8Array[] {
    const { pts, duration, track } = sample;
    this.#end = Math.max(this.#end, (pts + (duration ?? 0)) / track.timebase);
    return [encodeSampleAsFlvTag(sample)];
  }

  finish(): FileEnding {
    const bytes = new ByteWriter(8).f64(this.#end).finish();
    return { tail: [], patches: [{ offset: this.#durationAt, bytes }] };
  }
}

/** Writes WebM, or Matroska where the codecs are not WebM's. */
export class WebmWriter implements FileWriter {
  #muxer: WebmMuxer | undefined;
  readonly #seekable: boolean;

  /** @param seekable earlier bytes can be written over, so there can be an index. */
  constructor(seekable: boolean) {
    this.#seekable = seekable;
  }

  begin(starts: readonly TrackStart[]): readonly Uint8Array[] {
    const tracks = starts.map(({ track }) => track);
    this.#muxer = new WebmMuxer(tracks, { mode: this.#seekable ? 'file' : 'stream' });
    return [this.#muxer.header()];
  }

  push(sample: Sample): readonly Uint8Array[] {
    return this.#muxer === undefined ? [] : [this.#muxer.push(sample)];
  }

  finish(): FileEnding {
    if (this.#muxer === undefined) return { tail: [], patches: [] };
    const { tail, patches } = this.#muxer.finish();
    return { tail: [tail], patches };
  }
}

/** Writes MPEG-TS, part by part from keyframe to keyframe. */
export class TsWriter implements FileWriter {
  readonly #muxer = new TsMuxer({ lends: true });
  readonly #copied: (data: Uint8Array) => void;
  #lead: 'video' | 'audio' = 'audio';
  #video: Sample[] = [];
  #audio: Sample[] = [];
  #bytes = 0;

  /** @param copied told of the bytes of samples that are not looked at any longer. */
  constructor(copied: (data: Uint8Array) => void) {
    this.#copied = copied;
  }

  giveBack(part: Uint8Array): void {
    this.#muxer.giveBack(part);
  }

  begin(starts: readonly TrackStart[]): readonly Uint8Array[] {
    const of = (kind: string) => starts.find(({ track }) => track.parameters.kind === kind)?.track;
    const video = of('video');
    this.#lead = video === undefined ? 'audio' : 'video';
    this.#muxer.begin({ video, audio: of('audio') }, false);
    return [];
  }

  push(sample: Sample): readonly Uint8Array[] {
    const video = sample.track.parameters.kind === 'video';
    const ready = this.#isDue(sample) ? this.#flush(sample) : [];
    (video ? this.#video : this.#audio).push(sample);
    this.#bytes += sample.data.length;
    return ready;
  }

  finish(): FileEnding {
    return { tail: this.#flush(undefined), patches: [] };
  }

  #isDue({ track, keyframe, dts }: Sample): boolean {
    if (this.#bytes > MAX_PART_BYTES) return true;
    if (track.parameters.kind !== this.#lead) return false;
    if (this.#lead === 'video') return keyframe && this.#video.length > 0;
    const first = this.#audio[0];
    return first !== undefined && (dts - first.dts) / track.timebase >= SOUND_PART_SECONDS;
  }

  #flush(following: Sample | undefined): Uint8Array[] {
    if (this.#video.length + this.#audio.length === 0) return [];
    const kind = following?.track.parameters.kind;
    const media = {
      video: timed(this.#video, kind === 'video' ? following : undefined),
      audio: timed(this.#audio, kind === 'audio' ? following : undefined),
    };
    const segment = this.#muxer.segment(media);
    for (const { data } of this.#video) this.#copied(data);
    for (const { data } of this.#audio) this.#copied(data);
    this.#video = [];
    this.#audio = [];
    this.#bytes = 0;
    return [segment];
  }
}

function timed(samples: readonly Sample[], following: Sample | undefined): TsSample[] {
  const durations = durationsOf(samples, following);
  return samples.map((sample, index) => ({ ...sample, duration: durations[index]! }));
}
