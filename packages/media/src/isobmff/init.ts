import { ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Track } from '../model/sample.ts';
import { MILLISECONDS } from '../time/index.ts';
import { writeBox, writeFullBox } from './box-writer.ts';
import { INIT_FILE_TYPE, writeFileType } from './file-type.ts';
import { type HandlerType, writeHandler } from './handler.ts';
import { writeExtendedLanguage, writeMediaHeader } from './media-header.ts';
import { writeDataInformation, writeEmptySampleTables, writeMediaTypeHeader } from './media-information.ts';
import { writeMovieHeader } from './movie-header.ts';
import { type SampleEntryExtras, writeAudioSampleEntry, writeVisualSampleEntry } from './sample-entry.ts';
import { SYNC_SAMPLE_FLAGS } from './sample-flags.ts';
import { writeTrackExtends } from './track-extends.ts';
import { writeTrackHeader } from './track-header.ts';

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
  writeBox(w, 'moov', () => {
    const first = tracks[0];
    const highest = Math.max(...tracks.map((track) => track.id));
    writeMovieHeader(w, first === undefined ? MILLISECONDS : first.timebase, highest + 1);
    for (const track of tracks) writeTrack(w, track, extras);
    writeBox(w, 'mvex', () => {
      for (const track of tracks) {
        writeTrackExtends(w, { trackId: track.id, duration: 0, size: 0, flags: SYNC_SAMPLE_FLAGS });
      }
    });
  });
  return w.finish();
}

function writeTrack(w: ByteWriter, track: Track, extras: SampleEntryExtras): void {
  const { parameters, timebase, language } = track;
  if (parameters.kind === 'data') {
    throw new ParseError(
      'MP4_CODEC_UNSUPPORTED',
      'ISO/IEC 23009-1 §5.10.3.3',
      'a data track has no init segment, its events travel as emsg boxes',
    );
  }
  const handler: HandlerType = parameters.kind === 'video' ? 'vide' : 'soun';
  const [width, height] =
    parameters.kind === 'video' ? displaySize(parameters.width, parameters.height, extras) : [0, 0];
  writeBox(w, 'trak', () => {
    writeTrackHeader(w, { trackId: track.id, width, height }, handler === 'soun');
    writeBox(w, 'mdia', () => {
      writeMediaHeader(w, timebase, language);
      writeHandler(w, handler);
      writeExtendedLanguage(w, language);
      writeBox(w, 'minf', () => {
        writeMediaTypeHeader(w, handler);
        writeDataInformation(w);
        writeBox(w, 'stbl', () => {
          writeFullBox(w, 'stsd', 0, 0, () => {
            w.u32(1);
            if (parameters.kind === 'video') writeVisualSampleEntry(w, parameters, extras);
            else writeAudioSampleEntry(w, parameters, extras);
          });
          writeEmptySampleTables(w);
        });
      });
    });
  });
}

/** Size on the screen: the width stretched by the pixel's shape. ISO/IEC 14496-12 §8.3.2.3. */
function displaySize(width: number, height: number, { pixelAspect }: SampleEntryExtras): [number, number] {
  if (pixelAspect === undefined || pixelAspect[1] === 0) return [width, height];
  return [(width * pixelAspect[0]) / pixelAspect[1], height];
}
