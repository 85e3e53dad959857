import { ParseError } from '../model/errors.ts';
import {
  type Element,
  type ElementBudget,
  elementBudget,
  findElement,
  readElements,
  readFloat,
  readText,
  readUint,
} from './element.ts';
import { ID } from './element-id.ts';
import { readLooseUint } from './segment-info.ts';

/** Most tracks of a Segment. */
export const MAX_WEBM_TRACKS = 16;
/** Largest CodecPrivate that is read, in octets: Vorbis has some 5,000. */
export const MAX_CODEC_PRIVATE_BYTES = 64 * 1024;
/** Largest run of octets that header stripping takes away from each frame. */
export const MAX_STRIPPED_BYTES = 256;

/** Kind of a track. RFC 9559 §5.1.4.1.3. */
export type WebmTrackType = 'video' | 'audio' | 'other';

/** Colour of a video track in code points of ISO/IEC 23091-2; 2 is "unspecified". RFC 9559 §5.1.4.1.28.16. */
export interface WebmColour {
  readonly matrixCoefficients: number;
  readonly transferCharacteristics: number;
  readonly primaries: number;
  readonly fullRange: boolean;
}

/** What the frames of a track went through after the encoder. RFC 9559 §5.1.4.1.31. */
export type WebmEncoding =
  | { readonly kind: 'none' }
  /** The same octets were taken away from the front of each frame. */
  | { readonly kind: 'stripped'; readonly octets: Uint8Array }
  /** Compressed or encrypted in a way that is not undone here. */
  | { readonly kind: 'unsupported'; readonly what: string };

/** A track as its entry describes it. RFC 9559 §5.1.4.1. */
export interface TrackEntry {
  /** The number by which blocks refer to it. */
  readonly number: number;
  /** Rounded above 2^53. */
  readonly uid: number;
  readonly type: WebmTrackType;
  readonly codecId: string;
  /** Empty if there is none. A view. */
  readonly codecPrivate: Uint8Array;
  /** Nanoseconds of each frame, if they are equal. */
  readonly defaultDuration?: number;
  /** Nanoseconds that a decoder's output is late; to be taken off from timestamps. */
  readonly codecDelay: number;
  /** Nanoseconds to decode in front of the place sought. */
  readonly seekPreRoll: number;
  /** BCP 47, or the older ISO 639-2 code; undefined if "und" or not told. */
  readonly language?: string;
  readonly name?: string;
  readonly pixelWidth: number;
  readonly pixelHeight: number;
  readonly colour?: WebmColour;
  /** Hertz. */
  readonly sampleRate: number;
  readonly channels: number;
  readonly encoding: WebmEncoding;
}

const TYPES: ReadonlyMap<number, WebmTrackType> = new Map([
  [1, 'video'],
  [2, 'audio'],
]);
const CLAUSE = 'RFC 9559 §5.1.4';

/**
 * Reads Tracks.
 * @throws ParseError `WEBM_TRACKS` for more than {@link MAX_WEBM_TRACKS}, two of one number, or one without number.
 */
export function readTracks(tracks: Element): TrackEntry[] {
  const budget = elementBudget();
  const found: TrackEntry[] = [];
  for (const element of readElements(tracks, budget)) {
    if (element.id !== ID.TrackEntry) continue;
    const entry = readTrackEntry(element, budget);
    const refuse = (what: string): never => {
      throw new ParseError('WEBM_TRACKS', CLAUSE, what, element.offset);
    };
    if (found.length >= MAX_WEBM_TRACKS) refuse(`more than ${MAX_WEBM_TRACKS} tracks`);
    if (entry.number === 0) refuse('a track without a number');
    if (found.some(({ number }) => number === entry.number)) refuse(`two tracks of number ${entry.number}`);
    if (entry.codecPrivate.length > MAX_CODEC_PRIVATE_BYTES) {
      refuse(`CodecPrivate of ${entry.codecPrivate.length} octets`);
    }
    found.push(entry);
  }
  return found;
}

function readTrackEntry(element: Element, budget: ElementBudget): TrackEntry {
  const fields = readElements(element, budget);
  const uint = (id: number, otherwise: number): number => uintOf(fields, id, otherwise);
  const text = (id: number): string | undefined => {
    const found = findElement(fields, id);
    return found === undefined ? undefined : readText(found);
  };
  const video = childrenOf(fields, ID.Video, budget);
  const audio = childrenOf(fields, ID.Audio, budget);
  const colour = childrenOf(video, ID.Colour, budget);
  const rate = findElement(audio, ID.SamplingFrequency);
  const uid = findElement(fields, ID.TrackUID);
  const defaultDuration = uint(ID.DefaultDuration, 0);
  const language = text(ID.LanguageBCP47) ?? text(ID.Language);
  const name = text(ID.Name);
  return {
    number: uint(ID.TrackNumber, 0),
    uid: uid === undefined ? 0 : readLooseUint(uid),
    type: TYPES.get(uint(ID.TrackType, 0)) ?? 'other',
    codecId: text(ID.CodecID) ?? '',
    codecPrivate: findElement(fields, ID.CodecPrivate)?.body ?? new Uint8Array(0),
    ...(defaultDuration > 0 ? { defaultDuration } : {}),
    codecDelay: uint(ID.CodecDelay, 0),
    seekPreRoll: uint(ID.SeekPreRoll, 0),
    ...(language === undefined || language === '' || language === 'und' ? {} : { language }),
    ...(name === undefined ? {} : { name }),
    pixelWidth: uintOf(video, ID.PixelWidth, 0),
    pixelHeight: uintOf(video, ID.PixelHeight, 0),
    ...(colour.length > 0 ? { colour: readColour(colour) } : {}),
    sampleRate: rate === undefined ? 8000 : readFloat(rate),
    channels: uintOf(audio, ID.Channels, 1),
    encoding: readEncoding(childrenOf(fields, ID.ContentEncodings, budget), budget),
  };
}

function readColour(fields: readonly Element[]): WebmColour {
  return {
    matrixCoefficients: uintOf(fields, ID.MatrixCoefficients, 2) & 0xff,
    transferCharacteristics: uintOf(fields, ID.TransferCharacteristics, 2) & 0xff,
    primaries: uintOf(fields, ID.Primaries, 2) & 0xff,
    fullRange: uintOf(fields, ID.Range, 0) === 2,
  };
}

/** Header stripping is the one encoding that is undone; those of CodecPrivate alone do not touch the frames. */
function readEncoding(encodings: readonly Element[], budget: ElementBudget): WebmEncoding {
  let result: WebmEncoding = { kind: 'none' };
  for (const element of encodings) {
    if (element.id !== ID.ContentEncoding) continue;
    const fields = readElements(element, budget);
    if ((uintOf(fields, ID.ContentEncodingScope, 1) & 1) === 0) continue;
    if (uintOf(fields, ID.ContentEncodingType, 0) !== 0) return { kind: 'unsupported', what: 'encryption' };
    const compression = childrenOf(fields, ID.ContentCompression, budget);
    const algorithm = uintOf(compression, ID.ContentCompAlgo, 0);
    const octets = findElement(compression, ID.ContentCompSettings)?.body ?? new Uint8Array(0);
    if (algorithm !== 3 || result.kind !== 'none' || octets.length > MAX_STRIPPED_BYTES) {
      return { kind: 'unsupported', what: `compression ${algorithm}` };
    }
    result = { kind: 'stripped', octets };
  }
  return result;
}

function childrenOf(fields: readonly Element[], id: number, budget: ElementBudget): Element[] {
  const found = findElement(fields, id);
  return found === undefined ? [] : readElements(found, budget);
}

function uintOf(fields: readonly Element[], id: number, otherwise: number): number {
  const found = findElement(fields, id);
  return found === undefined ? otherwise : readUint(found);
}
