import { ByteReader, type ByteWriter } from '../bytes/index.ts';
import { writeFullBox } from './box-writer.ts';
import { timeVersion, writeTime, writeUnityMatrix } from './movie-header.ts';

const CLAUSE = 'ISO/IEC 14496-12 §8.3.2';
/** track_enabled, track_in_movie, track_in_preview. */
const FLAGS = 0x7;

/** What we use of `tkhd`. */
export interface TrackHeader {
  readonly trackId: number;
  /** Display width and height in pixels; 0 for audio. */
  readonly width: number;
  readonly height: number;
}

/**
 * Writes `tkhd`, ISO/IEC 14496-12 §8.3.2.
 * @param audible sets the volume to 1. @param duration ticks of the movie; 0 with fragments alone.
 */
export function writeTrackHeader(
  w: ByteWriter,
  header: TrackHeader,
  audible: boolean,
  duration: number,
): void {
  const version = timeVersion(duration);
  writeFullBox(w, 'tkhd', version, FLAGS, () => {
    w.zeros(version === 1 ? 16 : 8); // creation_time, modification_time
    w.u32(header.trackId).u32(0);
    writeTime(w, version, duration);
    w.zeros(8).u16(0).u16(0); // reserved, layer, alternate_group
    w.u16(audible ? 0x100 : 0).u16(0);
    writeUnityMatrix(w);
    w.u32(fixed16(header.width)).u32(fixed16(header.height));
  });
}

/** Reads the body of `tkhd`, version 0 or 1. */
export function readTrackHeader(body: Uint8Array): TrackHeader {
  const r = new ByteReader(body, CLAUSE);
  const version = r.u8();
  r.skip(3 + (version === 1 ? 16 : 8));
  const trackId = r.u32();
  r.skip(4 + (version === 1 ? 8 : 4) + 8 + 8 + 36);
  return { trackId, width: r.u32() / 0x10000, height: r.u32() / 0x10000 };
}

function fixed16(value: number): number {
  return Math.min(0xffffffff, Math.round(value * 0x10000));
}
