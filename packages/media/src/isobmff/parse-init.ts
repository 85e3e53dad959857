import { ByteReader } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Timebase } from '../time/index.ts';
import { type Box, type BoxBudget, boxBudget, findBox, readBoxes, requireBox } from './box.ts';
import { type FileType, readFileType } from './file-type.ts';
import { readHandler } from './handler.ts';
import { readExtendedLanguage, readMediaHeader } from './media-header.ts';
import { readSampleEntry, type SampleEntry } from './sample-entry.ts';
import { readTrackExtends, type SampleDefaults } from './track-extends.ts';
import { readTrackHeader } from './track-header.ts';

/** Most tracks a file may declare. */
export const MAX_TRACKS = 16;

/** One `trak` of an init segment. */
export interface InitTrack extends SampleEntry {
  readonly trackId: number;
  readonly kind: 'video' | 'audio' | 'other';
  /** Ticks per second, from `mdhd`. */
  readonly timebase: Timebase;
  /** BCP 47 or ISO 639-2/T; undefined if undetermined. */
  readonly language: string | undefined;
  /** From `trex`; undefined if the file has none for this track, so it is not fragmented. */
  readonly defaults: SampleDefaults | undefined;
}

/** What an init segment says. */
export interface InitInfo {
  readonly fileType: FileType | undefined;
  readonly tracks: readonly InitTrack[];
}

/**
 * Reads `ftyp` and `moov`, whoever wrote them. Records are views into `bytes`.
 * @throws ParseError if a box lies about its size or a required one is missing.
 */
export function parseInit(bytes: Uint8Array): InitInfo {
  const budget = boxBudget();
  const top = readBoxes(bytes, budget);
  const ftyp = findBox(top, 'ftyp');
  const moov = readBoxes(requireBox(top, 'moov', 'ISO/IEC 14496-12 §8.2.1').body, budget);
  const traks = moov.filter((box) => box.type === 'trak');
  if (traks.length === 0) requireBox(moov, 'trak', 'ISO/IEC 14496-12 §8.3.1');
  if (traks.length > MAX_TRACKS) {
    throw new ParseError(
      'MP4_TRACKS',
      'ISO/IEC 14496-12 §8.3.1',
      `${traks.length} tracks, ${MAX_TRACKS} allowed`,
    );
  }
  const defaults = readDefaults(moov, budget);
  return {
    fileType: ftyp === undefined ? undefined : readFileType(ftyp.body),
    tracks: traks.map((trak) => readTrack(trak, defaults, budget)),
  };
}

function readDefaults(moov: readonly Box[], budget: BoxBudget): SampleDefaults[] {
  const mvex = findBox(moov, 'mvex');
  if (mvex === undefined) return [];
  return readBoxes(mvex.body, budget)
    .filter((box) => box.type === 'trex')
    .slice(0, MAX_TRACKS)
    .map((box) => readTrackExtends(box.body));
}

function readTrack(trak: Box, defaults: readonly SampleDefaults[], budget: BoxBudget): InitTrack {
  const inside = readBoxes(trak.body, budget);
  const header = readTrackHeader(requireBox(inside, 'tkhd', 'ISO/IEC 14496-12 §8.3.2').body);
  const mdia = readBoxes(requireBox(inside, 'mdia', 'ISO/IEC 14496-12 §8.4.1').body, budget);
  const media = readMediaHeader(requireBox(mdia, 'mdhd', 'ISO/IEC 14496-12 §8.4.2').body);
  const handler = readHandler(requireBox(mdia, 'hdlr', 'ISO/IEC 14496-12 §8.4.3').body);
  const elng = findBox(mdia, 'elng');
  const minf = readBoxes(requireBox(mdia, 'minf', 'ISO/IEC 14496-12 §8.4.4').body, budget);
  const stbl = readBoxes(requireBox(minf, 'stbl', 'ISO/IEC 14496-12 §8.5.1').body, budget);
  const entry = readDescription(requireBox(stbl, 'stsd', STSD).body, handler, budget);
  const code = media.language === 'und' ? undefined : media.language;
  return {
    ...entry,
    trackId: header.trackId,
    kind: handler === 'vide' ? 'video' : handler === 'soun' ? 'audio' : 'other',
    timebase: media.timescale as Timebase,
    language: elng === undefined ? code : readExtendedLanguage(elng.body),
    defaults: defaults.find((candidate) => candidate.trackId === header.trackId),
  };
}

const STSD = 'ISO/IEC 14496-12 §8.5.2';

function readDescription(body: Uint8Array, handler: string, budget: BoxBudget): SampleEntry {
  const r = new ByteReader(body, STSD);
  r.skip(4);
  const count = r.u32();
  const first = readBoxes(r.rest(), budget)[0];
  if (count === 0 || first === undefined) {
    throw new ParseError('MP4_BOX_MISSING', STSD, 'stsd without a sample entry');
  }
  return readSampleEntry(first, handler, budget);
}
