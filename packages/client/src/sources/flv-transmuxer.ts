import type { AudioParameters, Sample, TimedEvent, Track, VideoParameters } from '@onair/media';
import { type AmfValue, amfProperties } from '@onair/media/amf';
import { eventOfScript, FlvReader, type ScriptMessage, type Tag, TagDemuxer } from '@onair/media/flv';
import { chunk, initSegment } from '@onair/media/isobmff';
import type { EngineChunk, EngineTrack } from '../engine/index.ts';

/** What an {@link FlvTransmuxer} makes. Called within `push`. */
export interface TransmuxSink {
  /** The tracks from now on; their init segments follow. */
  tracks(tracks: readonly (EngineTrack & { readonly codecs: string })[]): void;
  init(track: number, bytes: Uint8Array): void;
  chunk(chunk: EngineChunk): void;
  /** A timed event, with its place in µs of the media's time. */
  event(event: TimedEvent): void;
}

/** A stream that announces both sound and picture has this long, in seconds of its time, to send both. */
const PATIENCE_SECONDS = 1;
/** Duration of a picture while nothing better is known, s. */
const FIRST_FRAME = 1 / 30;
/** A longer distance between pictures is a gap, not a duration, s. */
const LONGEST_FRAME = 1;

interface Outlet {
  readonly track: Track & { readonly parameters: AudioParameters | VideoParameters };
  sequence: number;
  /** Ticks of the last sample's duration. */
  duration: number;
  lastDts: number | undefined;
}

/** FLV bytes in, init segments and CMAF chunks out, one access unit per chunk. */
export class FlvTransmuxer {
  readonly #sink: TransmuxSink;
  readonly #reader = new FlvReader();
  readonly #demuxer: TagDemuxer;
  readonly #outlets = new Map<number, Outlet>();
  #announced = false;
  /** Kinds of media the file header promises. */
  #promised: ReadonlySet<'audio' | 'video'> = new Set();
  #held: Sample[] = [];
  #malformed = 0;

  constructor(sink: TransmuxSink) {
    this.#sink = sink;
    this.#demuxer = new TagDemuxer({
      onTrack: (track) => this.#onTrack(track),
      onSample: (sample) => this.#onSample(sample),
      onMetadata: (metadata) => this.#onMetadata(metadata),
      onDataEvent: (name, values, timestampMs) => this.#onData({ name, values }, timestampMs * 1000),
    });
  }

  /** Tags left out because they were malformed. */
  get malformed(): number {
    return this.#malformed;
  }

  /**
   * Received bytes, however cut; the view belongs to the transmuxer from now on.
   * @throws ParseError if this is no FLV.
   */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    for (let item = this.#reader.next(); item !== undefined; item = this.#reader.next()) {
      if (item.kind === 'header') {
        const kinds = [item.audio ? 'audio' : undefined, item.video ? 'video' : undefined] as const;
        this.#promised = new Set(kinds.filter((kind) => kind !== undefined));
        continue;
      }
      this.take(item.tag);
    }
  }

  /** A tag that came without a file around it; the view of its body belongs to the transmuxer from now on. */
  take(tag: Tag): void {
    try {
      this.#demuxer.push(tag);
    } catch {
      this.#malformed++;
    }
  }

  /** Without a file header the metadata tell what will come. */
  #onMetadata(metadata: AmfValue): void {
    if (this.#promised.size > 0) return;
    const told = amfProperties(metadata) ?? {};
    const kinds = (['audio', 'video'] as const).filter((kind) => told[`${kind}codecid`] !== undefined);
    this.#promised = new Set(kinds);
  }

  #onTrack(track: Track): void {
    if (track.parameters.kind === 'data') return;
    const before = this.#outlets.get(track.id);
    this.#outlets.set(track.id, {
      track: track as Outlet['track'],
      sequence: before?.sequence ?? 0,
      duration: 0,
      lastDts: undefined,
    });
    if (this.#announced) this.#announce();
    else this.#begin(false);
  }

  #onSample(sample: Sample): void {
    if (this.#announced) {
      this.#write(sample);
      return;
    }
    // Until all promised tracks are known the source buffers cannot be made: samples wait a moment.
    this.#held.push(sample);
    const first = this.#held[0]!;
    const waited = seconds(sample.dts, sample.track) - seconds(first.dts, first.track);
    this.#begin(waited > PATIENCE_SECONDS);
  }

  /** A cue point of ours says exactly where it belongs, others by their message's time. */
  #onData(message: ScriptMessage, time: number): void {
    const event = eventOfScript(message);
    if (event !== undefined) this.#sink.event({ id: `${event.name} ${time}`, time, ...event });
  }

  #begin(anyway: boolean): void {
    const kinds = new Set([...this.#outlets.values()].map((one) => one.track.parameters.kind));
    if (kinds.size === 0) return;
    const complete = this.#promised.size > 0 && [...this.#promised].every((kind) => kinds.has(kind));
    if (!complete && !anyway) return;
    this.#announced = true;
    this.#announce();
    const held = this.#held;
    this.#held = [];
    for (const sample of held) this.#write(sample);
  }

  #announce(): void {
    const outlets = [...this.#outlets.values()];
    this.#sink.tracks(
      outlets.map(({ track: { id, parameters } }) => ({
        id,
        kind: parameters.kind,
        mime: `${parameters.kind}/mp4; codecs="${parameters.codecString}"`,
        codecs: parameters.codecString,
      })),
    );
    for (const { track } of outlets) this.#sink.init(track.id, initSegment(track));
  }

  #write(sample: Sample): void {
    const outlet = this.#outlets.get(sample.track.id);
    if (outlet === undefined) return;
    const { timebase, id } = sample.track;
    const step = outlet.lastDts === undefined ? 0 : sample.dts - outlet.lastDts;
    if (step > 0 && step < LONGEST_FRAME * timebase) outlet.duration = step;
    else if (outlet.duration === 0) outlet.duration = Math.round(FIRST_FRAME * timebase);
    outlet.lastDts = sample.dts;
    const duration = sample.duration ?? outlet.duration;
    const bytes = chunk({
      track: sample.track,
      sequence: ++outlet.sequence,
      baseDecodeTime: Math.max(0, sample.dts),
      samples: [sample],
      durations: [duration],
    });
    this.#sink.chunk({
      track: id,
      bytes,
      start: sample.pts / timebase,
      duration: duration / timebase,
      entry: sample.keyframe,
    });
  }
}

function seconds(ticks: number, track: Track): number {
  return ticks / track.timebase;
}
