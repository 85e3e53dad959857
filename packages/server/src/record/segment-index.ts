/** A segment may end at the next key frame from this length on, in µs. */
export const MIN_SEGMENT_US = 1_900_000;
/** It ends at whatever picture comes then, so that the playlist can promise its target duration, in µs. */
export const MAX_SEGMENT_US = 4_000_000;
/** EXT-X-TARGETDURATION of every recording, in seconds: {@link MAX_SEGMENT_US} and a picture, rounded. */
export const TARGET_DURATION = 4;

/** The last segment may be so long with what goes on behind its last picture; more sound is a segment of its own, in µs. */
const MAX_LAST_US = 4_400_000;

/** A span of a run that is fetched as one. */
export interface RunSegment {
  /** Octets of the run's file: from, and up to. */
  readonly start: number;
  readonly end: number;
  /** µs of stream time. */
  readonly time: number;
  /** µs. */
  readonly duration: number;
  /** Begins with a key frame. */
  readonly independent: boolean;
}

/** What the index must know of a chunk. Times are µs of stream time. */
export interface ChunkNote {
  readonly video: boolean;
  readonly independent: boolean;
  readonly time: number;
  readonly duration: number;
  /** Octets. */
  readonly size: number;
}

/** Where segments begin and end in one run: the same whether it is made while recording or by reading the file. */
export class SegmentIndex {
  readonly #hasVideo: boolean;
  readonly #closed: RunSegment[] = [];
  #open: { start: number; time: number | undefined; independent: boolean } | undefined;
  #size: number;
  #end = 0;
  /** How long the last picture lasts, in µs: sound that goes on behind it for no longer does not count. */
  #least = 0;
  /** Where the other tracks have come to, in µs, and the octets up to the last chunk of the one that segments follow. */
  readonly #rest = { end: 0, from: 0 };

  /** @param start octets in front of the first chunk. */
  constructor(hasVideo: boolean, start: number) {
    this.#hasVideo = hasVideo;
    this.#size = start;
  }

  /** Segments that are whole, oldest first. */
  get segments(): readonly RunSegment[] {
    return this.#closed;
  }

  /** Octets up to the end of the last chunk. */
  get size(): number {
    return this.#size;
  }

  /** µs of stream time where the track that segments follow has come to; 0 at the start. */
  get endTime(): number {
    return this.#end;
  }

  /** Takes the next chunk. */
  add(note: ChunkNote): void {
    const leads = note.video === this.#hasVideo;
    if (leads && this.#open?.time !== undefined) {
      const length = note.time - this.#open.time;
      if ((note.independent && length >= MIN_SEGMENT_US) || length >= MAX_SEGMENT_US) this.#close(note.time);
    }
    this.#open ??= { start: this.#size, time: undefined, independent: false };
    if (leads) {
      if (this.#open.time === undefined) {
        this.#open.time = note.time;
        this.#open.independent = note.independent;
      }
      this.#end = note.time + note.duration;
      this.#least = note.duration;
      this.#rest.from = this.#size + note.size;
    } else this.#rest.end = Math.max(this.#rest.end, note.time + note.duration);
    this.#size += note.size;
  }

  /** Nothing follows: the open segment ends with its last picture, or with sound that goes on behind it. */
  finish(): void {
    const time = this.#open?.time;
    if (time !== undefined) {
      const until = this.#rest.end - this.#end > this.#least ? this.#rest.end : this.#end;
      if (until - time > Math.max(MAX_LAST_US, this.#end - time)) this.#closeWithTail(until);
      else this.#close(until);
    }
    this.#open = undefined;
  }

  /** The sound behind the last picture becomes a segment of its own, as long as the target duration lets it be. */
  #closeWithTail(until: number): void {
    const size = this.#size;
    this.#size = this.#rest.from;
    this.#close(this.#end);
    this.#size = size;
    if (this.#rest.from === size) return;
    this.#open = { start: this.#rest.from, time: this.#end, independent: false };
    this.#close(Math.min(until, this.#end + MAX_LAST_US));
  }

  #close(until: number): void {
    const { start, time, independent } = this.#open!;
    this.#closed.push({ start, end: this.#size, time: time!, duration: until - time!, independent });
    this.#open = undefined;
  }
}
