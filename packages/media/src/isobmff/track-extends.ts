import { ByteReader, type ByteWriter } from '../bytes/index.ts';
import { writeFullBox } from './box-writer.ts';

/** Content of `trex`: what a fragment's samples have unless the fragment says otherwise. */
export interface SampleDefaults {
  readonly trackId: number;
  /** Ticks. */
  readonly duration: number;
  /** Bytes. */
  readonly size: number;
  /** See `sample-flags.ts`. */
  readonly flags: number;
}

/** Writes `trex`, ISO/IEC 14496-12 §8.8.3. */
export function writeTrackExtends(w: ByteWriter, defaults: SampleDefaults): void {
  writeFullBox(w, 'trex', 0, 0, () => {
    w.u32(defaults.trackId).u32(1); // default_sample_description_index
    w.u32(defaults.duration).u32(defaults.size).u32(defaults.flags);
  });
}

/** Reads the body of `trex`. */
export function readTrackExtends(body: Uint8Array): SampleDefaults {
  const r = new ByteReader(body, 'ISO/IEC 14496-12 §8.8.3');
  r.skip(4);
  const trackId = r.u32();
  r.skip(4);
  return { trackId, duration: r.u32(), size: r.u32(), flags: r.u32() };
}
