import { readFileSync } from 'node:fs';
import { ByteReader } from '@onair/media/bytes';

/** Samples per second of the sound. */
export const SOUND_RATE = 48_000;
/** Samples per channel in one AAC frame. */
export const SOUND_FRAME = 1024;

/** The coded sound; `scripts/make-demo-sound.mjs` makes it and describes the layout. */
const ASSET = new URL('../../assets/demo-sound.bin', import.meta.url);
const MAGIC = 'ONAIRSND';
const CLAUSE = 'onair demo sound';

/**
 * The sound of the test picture as AAC-LC frames: a beep at each full second, a higher one at each tenth,
 * over a quiet tone. Frames are shared by all who ask: they must not be written to.
 */
export class DemoSound {
  /** AudioSpecificConfig (ISO/IEC 14496-3 clause 1.6.2.1). */
  readonly configuration: Uint8Array;
  readonly #frames: readonly Uint8Array[];
  readonly #tenths: ReadonlyMap<number, Uint8Array>;

  /** Reads the file beside the program. */
  constructor() {
    const reader = new ByteReader(readFileSync(ASSET), CLAUSE);
    if (reader.utf8(MAGIC.length) !== MAGIC) throw new Error(`${ASSET.pathname} is not a demo sound`);
    this.configuration = reader.bytes(reader.u16());
    const frames: Uint8Array[] = [];
    for (let left = reader.u16(); left > 0; left--) frames.push(reader.bytes(reader.u16()));
    const tenths = new Map<number, Uint8Array>();
    for (let left = reader.u16(); left > 0; left--) {
      const index = reader.u16();
      tenths.set(index, reader.bytes(reader.u16()));
    }
    this.#frames = frames;
    this.#tenths = tenths;
  }

  /**
   * The frame that begins `index` × {@link SOUND_FRAME} samples after 1970-01-01T00:00:00Z.
   * @param index a non-negative integer.
   */
  frame(index: number): Uint8Array {
    const within = index % this.#frames.length;
    const second = Math.round((index * SOUND_FRAME) / SOUND_RATE);
    const tenth = second % 10 === 0 ? this.#tenths.get(within) : undefined;
    return tenth ?? this.#frames[within]!;
  }
}
