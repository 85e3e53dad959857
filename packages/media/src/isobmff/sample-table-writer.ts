import type { ByteWriter } from '../bytes/index.ts';
import { writeFullBox } from './box-writer.ts';

/** Equal values that follow one another. */
interface Run {
  count: number;
  readonly value: number;
}

/** Gathers what the sample tables of a track say, and writes them. ISO/IEC 14496-12 §8.6 and §8.7. */
export class SampleTableWriter {
  readonly #durations: Run[] = [];
  readonly #compositions: Run[] = [];
  readonly #sizes: number[] = [];
  readonly #keyframes: number[] = [];
  readonly #offsets: number[] = [];
  /** Samples of each chunk, and which sample entry they need. */
  readonly #chunks: { count: number; readonly entry: number }[] = [];
  #end = -1;
  #ticks = 0;

  /** Ticks of all durations. */
  get duration(): number {
    return this.#ticks;
  }

  get samples(): number {
    return this.#sizes.length;
  }

  /**
   * The next sample. Its duration follows by {@link last}.
   * @param offset in octets, see {@link write}. @param composition `pts - dts`. @param entry sample entry it needs, from 1.
   */
  add(offset: number, size: number, composition: number, keyframe: boolean, entry = 1): void {
    this.#sizes.push(size);
    append(this.#compositions, composition);
    if (keyframe) this.#keyframes.push(this.#sizes.length);
    const chunk = this.#chunks.at(-1);
    if (chunk?.entry === entry && offset === this.#end) chunk.count++;
    else {
      this.#offsets.push(offset);
      this.#chunks.push({ count: 1, entry });
    }
    this.#end = offset + size;
  }

  /** Ticks of the sample that was added last. */
  last(duration: number): void {
    append(this.#durations, duration);
    this.#ticks += duration;
  }

  /** @param base octet of the file from which the offsets count. */
  write(w: ByteWriter, base = 0): void {
    writeFullBox(w, 'stts', 0, 0, () => writeRuns(w, this.#durations));
    if (this.#compositions.some(({ value }) => value !== 0)) {
      const signed = this.#compositions.some(({ value }) => value < 0);
      writeFullBox(w, 'ctts', signed ? 1 : 0, 0, () => writeRuns(w, this.#compositions));
    }
    if (this.#keyframes.length < this.#sizes.length) {
      writeFullBox(w, 'stss', 0, 0, () => writeAll(w, this.#keyframes));
    }
    writeFullBox(w, 'stsc', 0, 0, () => this.#samplesToChunks(w));
    writeFullBox(w, 'stsz', 0, 0, () => {
      w.u32(0);
      writeAll(w, this.#sizes);
    });
    const long = base + (this.#offsets.at(-1) ?? 0) > 0xffff_ffff;
    writeFullBox(w, long ? 'co64' : 'stco', 0, 0, () => {
      w.u32(this.#offsets.length);
      for (const offset of this.#offsets) {
        if (long) w.u64(base + offset);
        else w.u32(base + offset);
      }
    });
  }

  #samplesToChunks(w: ByteWriter): void {
    const firsts: number[] = [];
    for (const [index, { count, entry }] of this.#chunks.entries()) {
      const before = this.#chunks[index - 1];
      if (count !== before?.count || entry !== before.entry) firsts.push(index);
    }
    w.u32(firsts.length);
    for (const index of firsts) {
      const { count, entry } = this.#chunks[index]!;
      w.u32(index + 1)
        .u32(count)
        .u32(entry);
    }
  }
}

function append(runs: Run[], value: number): void {
  const last = runs.at(-1);
  if (last?.value === value) last.count++;
  else runs.push({ count: 1, value });
}

function writeRuns(w: ByteWriter, runs: readonly Run[]): void {
  w.u32(runs.length);
  for (const { count, value } of runs) w.u32(count).i32(value);
}

function writeAll(w: ByteWriter, values: readonly number[]): void {
  w.u32(values.length);
  for (const value of values) w.u32(value);
}
