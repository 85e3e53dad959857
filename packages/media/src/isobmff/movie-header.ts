import type { ByteWriter } from '../bytes/index.ts';
import { writeFullBox } from './box-writer.ts';

/** Unity transformation in 16.16 and 2.30 fixed point. ISO/IEC 14496-12 §8.2.2.2. */
const UNITY = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/** Writes the nine values of the unity matrix. */
export function writeUnityMatrix(w: ByteWriter): void {
  for (const value of UNITY) w.u32(value);
}

/**
 * Writes `mvhd`, ISO/IEC 14496-12 §8.2.2.
 * @param timescale ticks per second.
 * @param duration in these ticks; 0 where the movie consists of fragments alone.
 */
export function writeMovieHeader(w: ByteWriter, timescale: number, nextTrackId: number, duration = 0): void {
  writeFullBox(w, 'mvhd', 0, 0, () => {
    w.u32(0).u32(0); // creation_time, modification_time
    w.u32(timescale).u32(duration);
    w.u32(0x10000).u16(0x100).zeros(10); // rate, volume, reserved
    writeUnityMatrix(w);
    w.zeros(24); // pre_defined
    w.u32(nextTrackId);
  });
}
