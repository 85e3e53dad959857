import type { Timebase, Track, VideoParameters } from '@onair/media';
import type { NtpTime } from '@onair/media/rtp';
import { LipSync } from './lip-sync.ts';

/** Ids of tracks for the layers on air, the largest first; 2 is the sound's. */
const TRACK_IDS = [1, 3, 4, 5] as const;
/** Ticks per second of the clock of pictures, whatever their codec. */
const CLOCK_RATE = 90_000;
/** The first layer waits for the others, and for their sender reports, this long, in milliseconds. */
const GATHER_MS = 1_500;
/** A layer from which nothing came for so long is off, in milliseconds. */
const OFF_MS = 2_000;
/** A layer that comes, or comes back, while others are on air has to last this long first, in milliseconds. */
const STEADY_MS = 2_000;

/** Pictures of two layers that are no further apart are one and the same, in ticks: 5 ms. */
const SAME_TICKS = 450;
/** Pictures whose times are remembered for layers that come later. */
const MAX_TIMES = 64;

interface Layer {
  readonly sync: LipSync;
  /** Milliseconds by which its pictures were moved last; undefined before the first. */
  shift: number | undefined;
  parameters: VideoParameters | undefined;
  reported: boolean;
  /** Monotonic ms: since when it has come without a break, and when it came last. */
  begun: number;
  heard: number;
  /** As it is on air. */
  track: Track | undefined;
}

/** What is new on air. */
export interface LineUp {
  readonly tracks: readonly Track[];
  /** Ids of tracks that are on air no more. */
  readonly gone: readonly number[];
}

/**
 * The layers of one picture (RFC 8853): which are on air and as which tracks, the largest first, so that outputs of one
 * picture show that one. Puts them on one clock, for each has a time of its own: that of the layer that came first.
 */
export class Simulcast {
  readonly #layers: readonly Layer[];
  #reference: Layer | undefined;
  #firstAt = 0;
  /** Times on the common clock, newest last. */
  readonly #times: number[] = [];
  #started = false;

  /** @param count of layers, at most `MAX_LAYERS`. */
  constructor(count: number) {
    this.#layers = Array.from({ length: count }, () => ({
      sync: new LipSync(CLOCK_RATE, CLOCK_RATE),
      shift: undefined,
      parameters: undefined,
      reported: false,
      begun: 0,
      heard: Number.NEGATIVE_INFINITY,
      track: undefined,
    }));
  }

  /** Notes a picture, before anything else is asked about it. @param timestamp unwrapped. @param now monotonic ms. */
  arrived(index: number, timestamp: number, parameters: VideoParameters | undefined, now: number): void {
    const layer = this.#layers[index]!;
    if (this.#reference === undefined) {
      this.#reference = layer;
      this.#firstAt = now;
    }
    if (!this.#flows(layer, now)) layer.begun = now;
    layer.heard = now;
    if (parameters !== undefined) layer.parameters = parameters;
    layer.sync.arrived('video', timestamp, now);
    if (layer !== this.#reference) return;
    for (const { sync } of this.#layers) sync.arrived('audio', timestamp, now);
  }

  /**
   * Notes a sender report. Returns its time on the common clock, in ticks; undefined if that is not known yet.
   * @param timestamp unwrapped.
   */
  reported(index: number, ntp: NtpTime, timestamp: number): number | undefined {
    const layer = this.#layers[index]!;
    layer.reported = true;
    layer.sync.reported('video', ntp, timestamp);
    if (layer === this.#reference) {
      for (const { sync } of this.#layers) sync.reported('audio', ntp, timestamp);
      return timestamp;
    }
    return layer.shift === undefined ? undefined : timestamp + ticksOf(layer.shift);
  }

  /**
   * Time of a picture on the common clock, in ticks: the same in all layers, so that they can be switched.
   * @param timestamp unwrapped.
   */
  timeOf(index: number, timestamp: number): number {
    const layer = this.#layers[index]!;
    if (layer !== this.#reference) layer.shift = layer.sync.shift(timestamp) ?? 0;
    const time = timestamp + ticksOf(layer.shift ?? 0);
    const known = this.#times.findLast((other) => Math.abs(other - time) <= SAME_TICKS);
    if (known !== undefined) return known;
    if (this.#times.push(time) > MAX_TIMES) this.#times.shift();
    return time;
  }

  /** As what a layer is on air; undefined if it is not. */
  trackOf(index: number): Track | undefined {
    return this.#layers[index]!.track;
  }

  /** Decides anew what is on air; undefined if that is as it was. @param now monotonic ms. */
  settle(now: number): LineUp | undefined {
    const flowing = this.#layers.filter((layer) => layer.parameters !== undefined && this.#flows(layer, now));
    if (flowing.length === 0 || (!this.#started && this.#gathers(flowing, now))) return undefined;
    const chosen = flowing.filter(
      ({ track, begun }) => !this.#started || track !== undefined || now - begun >= STEADY_MS,
    );
    // Whoever is left goes on alone only when another can take over.
    if (chosen.length === 0) return undefined;
    this.#started = true;
    // Of the same size the one that is in front stays there.
    chosen.sort((a, b) => area(b) - area(a) || (a.track?.id ?? 99) - (b.track?.id ?? 99));
    const before = this.#layers.flatMap(({ track }) => (track === undefined ? [] : [track.id]));
    let changed = before.length !== chosen.length;
    for (const layer of this.#layers) if (!chosen.includes(layer)) layer.track = undefined;
    const tracks = chosen.map((layer, rank) => {
      const id = TRACK_IDS[rank]!;
      const parameters = layer.parameters!;
      if (layer.track?.id !== id || layer.track.parameters !== parameters) {
        changed = true;
        layer.track = { id, timebase: CLOCK_RATE as Timebase, parameters };
      }
      return layer.track;
    });
    if (!changed) return undefined;
    return { tracks, gone: before.filter((id) => !tracks.some((track) => track.id === id)) };
  }

  #gathers(flowing: readonly Layer[], now: number): boolean {
    const complete = flowing.length === this.#layers.length && flowing.every(({ reported }) => reported);
    return !complete && now - this.#firstAt < GATHER_MS;
  }

  #flows({ heard }: Layer, now: number): boolean {
    return now - heard <= OFF_MS;
  }
}

function area({ parameters }: Layer): number {
  return (parameters?.width ?? 0) * (parameters?.height ?? 0);
}

function ticksOf(ms: number): number {
  return Math.round((ms * CLOCK_RATE) / 1000);
}
