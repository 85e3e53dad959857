import { randomUUID } from 'node:crypto';
import { ParseError, type Track } from '@onair/media';
import { type AmfValue, amfProperties } from '@onair/media/amf';
import { eventOfScript, type ScriptMessage, type Tag, TagDemuxer } from '@onair/media/flv';
import type { Publication } from '../hub/index.ts';

/** Malformed tags in a row after which a source is given up. */
export const MAX_BAD_TAGS_IN_A_ROW = 50;

/** Tags of a source into its publication: drops and counts what is malformed, gives up on a source that is nothing else. */
export class TagIntake {
  #publication: Publication;
  readonly #tracks = new Map<number, Track>();
  readonly #demuxer: TagDemuxer;
  #bad = 0;
  #badInARow = 0;
  #lastFault: string | undefined;

  constructor(publication: Publication) {
    this.#publication = publication;
    this.#demuxer = new TagDemuxer({
      onTrack: (track) => {
        this.#publication.setTrack(track);
        this.#tracks.set(track.id, track);
      },
      onSample: (sample) => this.#publication.push(sample),
      onMetadata: (value) => this.#metadata(value),
      onDataEvent: (name, values, timestampMs) => this.#event({ name, values }, timestampMs),
    });
  }

  /** Puts what comes from now on into another publication, which learns the tracks that are known. @throws HubError */
  moveTo(publication: Publication): void {
    this.#publication = publication;
    for (const track of this.#tracks.values()) publication.setTrack(track);
  }

  /** Tags that were malformed, and samples that could not be used. */
  get dropped(): number {
    return this.#bad + this.#demuxer.dropped + this.#publication.dropped;
  }

  /** Code of the fault found last, for the log. */
  get lastFault(): string | undefined {
    return this.#lastFault;
  }

  /**
   * Takes one tag; its body belongs to the stream from then on.
   * @throws ParseError of the last tag after {@link MAX_BAD_TAGS_IN_A_ROW} bad ones; HubError if there are too many tracks.
   */
  push(tag: Tag): void {
    this.#judge(() => this.#demuxer.push(tag));
  }

  /** Takes a data message that is decoded already; otherwise like `push`. */
  pushData(message: ScriptMessage, timestampMs: number): void {
    this.#judge(() => this.#demuxer.pushData(message, timestampMs));
  }

  #judge(take: () => void): void {
    try {
      take();
      this.#badInARow = 0;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#bad++;
      this.#lastFault = error.code;
      if (++this.#badInARow >= MAX_BAD_TAGS_IN_A_ROW) throw error;
    }
  }

  /** A cue point or any other message for the viewers: a timed event. */
  #event(message: ScriptMessage, timestampMs: number): void {
    const event = eventOfScript(message);
    if (event === undefined) return;
    // The time that its maker gave it is that of another stream.
    const { time: _time, ...draft } = event;
    this.#publication.announce({ id: randomUUID(), ...draft }, timestampMs * 1000);
  }

  /** Metadata promise which tracks will come. */
  #metadata(value: AmfValue): void {
    const properties = amfProperties(value);
    if (properties === undefined) return;
    const video = properties.videocodecid !== undefined && properties.videocodecid !== 0;
    const audio = properties.audiocodecid !== undefined && properties.audiocodecid !== 0;
    if (video || audio) this.#publication.promise({ video, audio });
  }
}
