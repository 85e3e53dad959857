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
 * @param timescale ticks per second. @param duration ticks; 0 for a movie of fragments alone.
 */
export function writeMovieHeader(
  w: ByteWriter,
  timescale: number,
  nextTrackId: number,
  duration: number,
): void {
  const version = timeVersion(duration);
  writeFullBox(w, 'mvhd', version, 0, () => {
    w.zeros(version === 1 ? 16 : 8); // creation_time, modification_time
    w.u32(timescale);
    writeTime(w, version, duration);
    w.u32(0x10000).u16(0x100).zeros(10); // rate, volume, reserved
    writeUnityMatrix(w);
    w.zeros(24); // pre_defined
    w.u32(nextTrackId);
  });
}

/** Version of a box that has to hold this time: 1 has 64 bits for it, 0 has 32. */
export function timeVersion(time: number): 0 | 1 {
  return time > 0xffff_ffff ? 1 : 0;
}

/** Writes a time in the width of the box's version. */
export function writeTime(w: ByteWriter, version: 0 | 1, time: number): void {
  if (version === 1) w.u64(time);
  else w.u32(time);
}
