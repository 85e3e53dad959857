/** Input frames on each side that a frame of the output is made of. */
const REACH = 16;
/** Places between two input frames for which there are coefficients. */
const PHASES = 256;

/** Converts interleaved PCM to another rate with a windowed sinc (Kaiser-like, by a Blackman window). */
export class Resampler {
  readonly #channels: number;
  readonly #step: number;
  readonly #table: Float32Array;
  #held: Float32Array;
  /** Place of the next output frame, in input frames from the begin of what is held. */
  #at = REACH;

  /** Rates in hertz. */
  constructor(from: number, to: number, channels: number) {
    this.#channels = channels;
    this.#step = from / to;
    this.#table = coefficients(Math.min(1, to / from));
    this.#held = new Float32Array(REACH * channels);
  }

  /** The output for more input; what is not complete waits for the next call. */
  push(input: Float32Array): Float32Array {
    const channels = this.#channels;
    const held = new Float32Array(this.#held.length + input.length);
    held.set(this.#held);
    held.set(input, this.#held.length);
    const frames = held.length / channels;
    const count = Math.max(0, Math.ceil((frames - REACH - this.#at) / this.#step));
    const output = new Float32Array(count * channels);
    let made = 0;
    while (made < count && this.#at + REACH < frames) {
      const whole = Math.floor(this.#at);
      const phase = Math.round((this.#at - whole) * PHASES);
      const table = phase * 2 * REACH;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let i = 0; i < 2 * REACH; i++) {
          sum += this.#table[table + i]! * held[(whole - REACH + 1 + i) * channels + channel]!;
        }
        output[made * channels + channel] = sum;
      }
      made++;
      this.#at += this.#step;
    }
    const drop = Math.max(0, Math.floor(this.#at) - REACH);
    this.#held = held.slice(drop * channels);
    this.#at -= drop;
    return output.subarray(0, made * channels);
  }
}

function coefficients(cutoff: number): Float32Array {
  const table = new Float32Array((PHASES + 1) * 2 * REACH);
  for (let phase = 0; phase <= PHASES; phase++) {
    let sum = 0;
    for (let i = 0; i < 2 * REACH; i++) {
      const x = i - REACH + 1 - phase / PHASES;
      const window =
        0.42 + 0.5 * Math.cos((Math.PI * x) / REACH) + 0.08 * Math.cos((2 * Math.PI * x) / REACH);
      const value = Math.abs(x) >= REACH ? 0 : window * cutoff * sinc(x * cutoff);
      table[phase * 2 * REACH + i] = value;
      sum += value;
    }
    for (let i = 0; i < 2 * REACH; i++) table[phase * 2 * REACH + i]! /= sum;
  }
  return table;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
