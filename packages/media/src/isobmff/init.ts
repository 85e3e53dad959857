import { ByteWriter } from '../bytes/index.ts';
import type { Track } from '../model/sample.ts';
import { MILLISECONDS } from '../time/index.ts';
import { INIT_FILE_TYPE, writeFileType } from './file-type.ts';
import { writeMovie } from './movie.ts';
import type { SampleEntryExtras } from './sample-entry.ts';

/**
 * The CMAF header of a track (ISO/IEC 23000-19 §7.3.1): `ftyp` and `moov`. One track, whose track_ID is
 * `track.id` and whose timescale is `track.timebase`. The bytes belong to the caller.
 * @throws ParseError `MP4_CODEC_UNSUPPORTED` for a data track, `MP4_CODEC_RECORD` if a record is missing.
 */
export function initSegment(track: Track, extras: SampleEntryExtras = {}): Uint8Array {
  return headerOf([track], extras);
}

/**
 * The header of a progressive file in which the chunks of several tracks follow one another. Chunks tell their
 * tracks apart by track_ID, so they need not be made again for it. Data tracks are left out.
 * @throws ParseError `MP4_CODEC_RECORD` if a record is missing.
 */
export function progressiveHeader(tracks: readonly Track[]): Uint8Array {
  return headerOf(
    tracks.filter((track) => track.parameters.kind !== 'data'),
    {},
  );
}

function headerOf(tracks: readonly Track[], extras: SampleEntryExtras): Uint8Array {
  const w = new ByteWriter(1024 * tracks.length);
  writeFileType(w, 'ftyp', INIT_FILE_TYPE);
  const timescale = tracks[0]?.timebase ?? MILLISECONDS;
  const movie = { timescale, duration: 0, fragmentDuration: 0 };
  writeMovie(
    w,
    movie,
    tracks.map((track) => ({ track, duration: 0, shown: 0, extras })),
  );
  return w.finish();
}
