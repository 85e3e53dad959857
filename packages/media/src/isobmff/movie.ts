import type { ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Track } from '../model/sample.ts';
import { writeBox, writeFullBox } from './box-writer.ts';
import { type HandlerType, writeHandler } from './handler.ts';
import { writeExtendedLanguage, writeMediaHeader } from './media-header.ts';
import { writeDataInformation, writeEmptySampleTables, writeMediaTypeHeader } from './media-information.ts';
import { timeVersion, writeMovieHeader } from './movie-header.ts';
import { type SampleEntryExtras, writeAudioSampleEntry, writeVisualSampleEntry } from './sample-entry.ts';
import { SYNC_SAMPLE_FLAGS } from './sample-flags.ts';
import { writeTrackExtends } from './track-extends.ts';
import { writeTrackHeader } from './track-header.ts';

/** What `moov` says of the whole. */
export interface Movie {
  /** Ticks per second of `duration` and of what is shown. */
  readonly timescale: number;
  /** Ticks; 0 with fragments alone. */
  readonly duration: number;
  /** Ticks that all fragments last, 0 if unknown; undefined for a movie without fragments. */
  readonly fragmentDuration: number | undefined;
}

/** Which part of a track is shown, and when. ISO/IEC 14496-12 §8.6.6. */
export interface TrackEdit {
  /** Ticks of the movie in which nothing is shown. */
  readonly delay: number;
  /** Ticks of the track from its beginning that are passed over. */
  readonly mediaTime: number;
}

/** What `moov` says of a track. */
export interface MovieTrack {
  readonly track: Track;
  /** Ticks of the track; 0 with fragments alone. */
  readonly duration: number;
  /** Ticks of the movie that are shown; 0 with fragments alone. */
  readonly shown: number;
  readonly edit?: TrackEdit | undefined;
  readonly extras?: SampleEntryExtras;
  /** Parameters that come in force later, each a sample entry of its own behind the track's. */
  readonly later?: readonly Track[];
  /** Writes the sample tables; without, they are empty. */
  readonly tables?: (w: ByteWriter) => void;
}

/** Writes `moov`. @throws ParseError `MP4_CODEC_UNSUPPORTED` for a data track, `MP4_CODEC_RECORD` without a record. */
export function writeMovie(w: ByteWriter, movie: Movie, tracks: readonly MovieTrack[]): void {
  const { timescale, duration, fragmentDuration } = movie;
  writeBox(w, 'moov', () => {
    const highest = Math.max(...tracks.map(({ track }) => track.id));
    writeMovieHeader(w, timescale, highest + 1, duration);
    for (const track of tracks) writeTrack(w, track);
    if (fragmentDuration === undefined) return;
    writeBox(w, 'mvex', () => {
      if (fragmentDuration > 0) writeFullBox(w, 'mehd', 1, 0, () => w.u64(fragmentDuration));
      for (const { track } of tracks) {
        writeTrackExtends(w, { trackId: track.id, duration: 0, size: 0, flags: SYNC_SAMPLE_FLAGS });
      }
    });
  });
}

function writeTrack(w: ByteWriter, movie: MovieTrack): void {
  const { track, duration, shown, edit, extras = {}, later = [], tables } = movie;
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
    const whole = shown === 0 ? 0 : shown + (edit?.delay ?? 0);
    writeTrackHeader(w, { trackId: track.id, width, height }, handler === 'soun', whole);
    if (edit !== undefined) writeEdits(w, edit, shown);
    writeBox(w, 'mdia', () => {
      writeMediaHeader(w, timebase, language, duration);
      writeHandler(w, handler);
      writeExtendedLanguage(w, language);
      writeBox(w, 'minf', () => {
        writeMediaTypeHeader(w, handler);
        writeDataInformation(w);
        writeBox(w, 'stbl', () => {
          writeFullBox(w, 'stsd', 0, 0, () => {
            w.u32(1 + later.length);
            for (const one of [parameters, ...later.map((more) => more.parameters)]) {
              if (one.kind === 'video') writeVisualSampleEntry(w, one, extras);
              else if (one.kind === 'audio') writeAudioSampleEntry(w, one, extras);
            }
          });
          if (tables === undefined) writeEmptySampleTables(w);
          else tables(w);
        });
      });
    });
  });
}

function writeEdits(w: ByteWriter, { delay, mediaTime }: TrackEdit, shown: number): void {
  const long = Math.max(timeVersion(delay), timeVersion(mediaTime), timeVersion(shown)) === 1;
  const entry = (duration: number, time: number): void => {
    if (long)
      w.u64(duration)
        .i32(time < 0 ? -1 : Math.floor(time / 0x1_0000_0000))
        .u32(time >>> 0);
    else w.u32(duration).i32(time);
    w.u32(0x10000); // media_rate 1
  };
  writeBox(w, 'edts', () => {
    writeFullBox(w, 'elst', long ? 1 : 0, 0, () => {
      w.u32(delay > 0 ? 2 : 1);
      if (delay > 0) entry(delay, -1);
      entry(shown, mediaTime);
    });
  });
}

/** Size on the screen: the width stretched by the pixel's shape. ISO/IEC 14496-12 §8.3.2.3. */
function displaySize(width: number, height: number, { pixelAspect }: SampleEntryExtras): [number, number] {
  if (pixelAspect === undefined || pixelAspect[1] === 0) return [width, height];
  return [(width * pixelAspect[0]) / pixelAspect[1], height];
}
