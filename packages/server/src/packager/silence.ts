import {
  MICROSECONDS,
  rescale,
  type Sample,
  type Ticks,
  type Timebase,
  type Track,
  ticks,
} from '@onair/media';
import { type SilentUnit, silentUnit } from '@onair/media/bitstream';

/** Most of it that is made up for at once, in seconds; after a longer hole of the pictures it begins anew. */
const MOST_AT_ONCE_S = 10;
/** Most that a sound may lack at the end of the pictures to be completed, in µs; one that lacks more had ended before. */
const MOST_LACKING_US = 2_000_000;

/** A sound that goes on as silence while the pictures do: without it the audio buffers of players run dry. */
export class Silence {
  readonly track: Track;
  readonly #data: Uint8Array;
  /** Ticks of one access unit. */
  readonly #length: number;
  /** Where the next one begins, in ticks; undefined until pictures come. */
  #next: number | undefined;
  /** Ticks in front of which nothing may lie. */
  #least: number;

  /** @param end ticks after the last sample of the track so far. */
  private constructor(track: Track, { data }: SilentUnit, length: number, end: number) {
    this.track = track;
    this.#data = data;
    this.#length = length;
    this.#least = end;
  }

  /**
   * Silence in place of a track; undefined where there is none of its codec.
   * @param id of the track that it makes. @param end ticks after the last sample of the track so far.
   */
  static of(track: Track, id: number, end: number): Silence | undefined {
    const { parameters, timebase } = track;
    const unit = parameters.kind === 'audio' ? silentUnit(parameters) : undefined;
    if (unit === undefined || parameters.kind !== 'audio') return undefined;
    const length = (unit.frames * timebase) / parameters.sampleRate;
    // What does not last whole ticks would leave holes.
    if (!Number.isInteger(length) || length === 0) return undefined;
    return new Silence(id === track.id ? track : { ...track, id }, unit, length, end);
  }

  /** What comes next does not follow on what came last. */
  cut(): void {
    this.#next = undefined;
  }

  /**
   * The samples that are over when a picture is decoded; the first begins when it is shown.
   * @param dts ticks of `base`. @param pts ticks of `base`.
   */
  *until(dts: number, pts: number, base: Timebase): Generator<Sample> {
    const { timebase } = this.track;
    const end = rescale(dts as Ticks, base, timebase);
    const hole = this.#next !== undefined && end - this.#next > MOST_AT_ONCE_S * timebase;
    if (this.#next === undefined || hole)
      this.#next = Math.max(this.#least, rescale(pts as Ticks, base, timebase));
    for (; this.#next + this.#length <= end; this.#next += this.#length) yield this.#unit(this.#next);
  }

  /**
   * The samples from the end of the sound so far on that are over by `end` µs, and those without which most of what
   * lies behind `key` µs would be missing.
   */
  *upTo(end: number, key: number): Generator<Sample> {
    const { timebase } = this.track;
    const to = rescale(end as Ticks, MICROSECONDS, timebase);
    const begun = rescale(key as Ticks, MICROSECONDS, timebase) + this.#length / 2;
    while (this.#least + this.#length <= to || this.#least < begun) yield this.#unit(this.#least);
  }

  #unit(from: number): Sample {
    this.#least = from + this.#length;
    const at = ticks(from);
    return {
      track: this.track,
      dts: at,
      pts: at,
      duration: ticks(this.#length),
      keyframe: true,
      data: this.#data,
    };
  }
}

/** The sounds of a stream that go on as silence, for one packager. */
export class Silences {
  #running: readonly Silence[] = [];
  /** µs of stream time after the last sample of each sound. */
  readonly #ends = new Map<number, number>();
  /** µs of stream time up to which there is silence from before this epoch. */
  #taken = 0;

  /**
   * Begins an epoch: silent are the sounds that the epoch before had and one with pictures lacks. None where it brings a
   * sound that was not there before, which takes their place.
   * @param before tracks of the packager's epoch before, silent ones too. @param carried those of the new one that it
   * carries. @param all every track of the new one.
   */
  begin(before: readonly Track[], carried: readonly Track[], all: readonly Track[]): void {
    for (const { track } of this.#running) this.#taken = Math.max(this.#taken, this.#ends.get(track.id) ?? 0);
    this.#running = this.#missing(before, carried, all);
    const kept = new Set([...before, ...carried, ...this.tracks].map(({ id }) => id));
    for (const id of this.#ends.keys()) if (!kept.has(id)) this.#ends.delete(id);
  }

  /** Tracks of an epoch and the silent ones among them, in the order of an epoch. */
  among(tracks: readonly Track[]): readonly Track[] {
    if (this.#running.length === 0) return tracks;
    const sounds = [...tracks.filter(isSound), ...this.tracks];
    return [
      ...tracks.filter(({ parameters }) => parameters.kind === 'video'),
      ...sounds.sort((a, b) => a.id - b.id),
      ...tracks.filter(({ parameters }) => parameters.kind === 'data'),
    ];
  }

  /** The silent tracks. */
  get tracks(): readonly Track[] {
    return this.#running.map(({ track }) => track);
  }

  /** What comes next does not follow on what came last. */
  cut(): void {
    for (const silence of this.#running) silence.cut();
  }

  /** True for a sound whose place is taken: by silence under its number, or from before its epoch. */
  refuses({ track, dts }: Sample): boolean {
    if (this.#running.some((silence) => silence.track.id === track.id)) return true;
    return rescale(dts, track.timebase, MICROSECONDS) < this.#taken;
  }

  /** Notes a sound, silent or not. @param end ticks after it. */
  note({ id, timebase }: Track, end: number): void {
    this.#ends.set(id, rescale(end as Ticks, timebase, MICROSECONDS));
  }

  /** The silent samples in front of a picture, see {@link Silence.until}. */
  *until(dts: number, pts: number, base: Timebase): Generator<Sample> {
    for (const silence of this.#running) yield* silence.until(dts, pts, base);
  }

  /**
   * What a sound lacks where an encoder has gone: pictures come before the sound that belongs to them, and a segment that
   * had only just begun would have none.
   * @param end µs of stream time up to which there are pictures. @param key µs of stream time of a keyframe that the
   * sound has not come to.
   */
  *rest(track: Track, end: number, key: number): Generator<Sample> {
    const own = this.#ends.get(track.id);
    if (own === undefined || end - own > MOST_LACKING_US) return;
    const from = rescale(own as Ticks, MICROSECONDS, track.timebase);
    yield* Silence.of(track, track.id, from)?.upTo(end, key) ?? [];
    this.#taken = Math.max(this.#taken, this.#ends.get(track.id) ?? 0);
  }

  #missing(before: readonly Track[], carried: readonly Track[], all: readonly Track[]): Silence[] {
    const sounds = before.filter(isSound);
    const known = (track: Track): boolean => sounds.some(({ id }) => id === track.id);
    const pictures = carried.some(({ parameters }) => parameters.kind === 'video');
    if (!pictures || !carried.filter(isSound).every(known)) return [];
    const ids = new Set(all.map(({ id }) => id));
    const found: Silence[] = [];
    for (const track of sounds) {
      if (carried.some((one) => one.id === track.id && isSound(one))) continue;
      let { id } = track;
      // Numbers stay small: there are outputs with one octet for them.
      if (ids.has(id)) for (id = 1; ids.has(id) || sounds.some((one) => one.id === id); id++);
      const end = rescale((this.#ends.get(track.id) ?? 0) as Ticks, MICROSECONDS, track.timebase);
      const silence = Silence.of(track, id, end);
      if (silence === undefined) continue;
      ids.add(id);
      found.push(silence);
    }
    return found;
  }
}

function isSound({ parameters }: Track): boolean {
  return parameters.kind === 'audio';
}
