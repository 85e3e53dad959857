import { rescale, type Sample, type Ticks, type Timebase, type Track, ticks } from '@onair/media';
import { type SilentUnit, silentUnit } from '@onair/media/bitstream';

/** Most of it that is made up for at once, in seconds; after a longer hole of the pictures it begins anew. */
const MOST_AT_ONCE_S = 10;

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
    for (; this.#next + this.#length <= end; this.#next += this.#length) {
      this.#least = this.#next + this.#length;
      const at = ticks(this.#next);
      const duration = ticks(this.#length);
      yield { track: this.track, dts: at, pts: at, duration, keyframe: true, data: this.#data };
    }
  }
}

/**
 * What must go on as silence: the sounds of the epoch before that one with pictures lacks. Nothing where it brings a
 * sound that was not there before, which takes their place.
 * @param before tracks that were carried. @param now tracks that are carried. @param taken ids of the new epoch.
 * @param end ticks after the last sample of a track.
 */
export function silences(
  before: readonly Track[],
  now: readonly Track[],
  taken: readonly Track[],
  end: (track: Track) => number,
): Silence[] {
  const sounds = before.filter(isSound);
  const known = (track: Track): boolean => sounds.some(({ id }) => id === track.id);
  const pictures = now.some(({ parameters }) => parameters.kind === 'video');
  if (!pictures || !now.filter(isSound).every(known)) return [];
  const ids = new Set(taken.map(({ id }) => id));
  const found: Silence[] = [];
  for (const track of sounds) {
    if (now.some(({ id, parameters }) => id === track.id && parameters.kind === 'audio')) continue;
    const id = ids.has(track.id) ? Math.max(...ids, ...sounds.map((one) => one.id)) + 1 : track.id;
    const silence = Silence.of(track, id, end(track));
    if (silence === undefined) continue;
    ids.add(id);
    found.push(silence);
  }
  return found;
}

/** The tracks of an epoch with those that are silent among them, in the order of an epoch. */
export function withSilence(tracks: readonly Track[], silent: readonly Silence[]): Track[] {
  const sounds = [...tracks.filter(isSound), ...silent.map(({ track }) => track)];
  return [
    ...tracks.filter(({ parameters }) => parameters.kind === 'video'),
    ...sounds.sort((a, b) => a.id - b.id),
    ...tracks.filter(({ parameters }) => parameters.kind === 'data'),
  ];
}

function isSound({ parameters }: Track): boolean {
  return parameters.kind === 'audio';
}
