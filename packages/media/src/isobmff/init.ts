import { ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Track } from '../model/sample.ts';
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

/** Every file holds one track, and this is its track_ID. */
export const TRACK_ID = 1;

/**
 * The CMAF header of a track (ISO/IEC 23000-19 §7.3.1): `ftyp` and `moov`. One track, track_ID 1,
 * timescale = `track.timebase`. The bytes belong to the caller.
 * @throws ParseError `MP4_CODEC_UNSUPPORTED` for a data track, `MP4_CODEC_RECORD` if a record is missing.
 */
export function initSegment(track: Track, extras: SampleEntryExtras = {}): Uint8Array {
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
  const w = new ByteWriter(1024);
  writeFileType(w, 'ftyp', INIT_FILE_TYPE);
  writeBox(w, 'moov', () => {
    writeMovieHeader(w, timebase, TRACK_ID + 1);
    writeBox(w, 'trak', () => {
      writeTrackHeader(w, { trackId: TRACK_ID, width, height }, handler === 'soun');
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
    writeBox(w, 'mvex', () => {
      writeTrackExtends(w, { trackId: TRACK_ID, duration: 0, size: 0, flags: SYNC_SAMPLE_FLAGS });
    });
  });
  return w.finish();
}

/** Size on the screen: the width stretched by the pixel's shape. ISO/IEC 14496-12 §8.3.2.3. */
function displaySize(width: number, height: number, { pixelAspect }: SampleEntryExtras): [number, number] {
  if (pixelAspect === undefined || pixelAspect[1] === 0) return [width, height];
  return [(width * pixelAspect[0]) / pixelAspect[1], height];
}
