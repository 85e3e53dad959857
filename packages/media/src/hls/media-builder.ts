import { ParseError } from '../model/errors.ts';
import { Attributes } from './attributes.ts';
import type { Line } from './lines.ts';
import {
  readDateRange,
  readKey,
  readPart,
  readPreloadHint,
  readRenditionReport,
  readServerControl,
  readSkip,
} from './media-tags.ts';
import type { InitMap, Key, MediaPlaylist, Part, Segment } from './model.ts';
import { quote, readByteRange, readDateTime, readInteger, readMap, readStart } from './values.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Omit<Mutable<MediaPlaylist>, 'segments' | 'preloadHints' | 'renditionReports' | 'dateRanges'>;

/** Collects what stands in front of a segment's address. */
interface SegmentDraft {
  discontinuity: boolean;
  programDateTime: number | undefined;
  parts: Part[];
  duration: number | undefined;
  title: string | undefined;
  gap: boolean;
  byteRange: Segment['byteRange'];
  /** A tag that belongs to a segment was seen, so one must follow or be growing. */
  touched: boolean;
}

/** Builds a media playlist from its lines, in order. One builder per playlist. */
export class MediaPlaylistBuilder {
  readonly #draft: Draft = {
    version: 1,
    targetDuration: 0,
    mediaSequence: 0,
    discontinuitySequence: 0,
    independentSegments: false,
    endList: false,
  };
  readonly #segments: Segment[] = [];
  readonly #hints: MediaPlaylist['preloadHints'][number][] = [];
  readonly #reports: MediaPlaylist['renditionReports'][number][] = [];
  readonly #ranges: MediaPlaylist['dateRanges'][number][] = [];
  #next: SegmentDraft = emptySegment();
  #map: InitMap | undefined;
  #key: Key | undefined;
  #hasTarget = false;

  /** @throws ParseError `HLS_SYNTAX`, `HLS_TAG` or `HLS_ATTRIBUTE`. */
  read(lines: readonly Line[]): MediaPlaylist {
    for (const line of lines) {
      if (line.kind === 'uri') this.#segment(line.uri, line.at);
      else this.#tag(line.name, line.value, line.at);
    }
    return this.#finish();
  }

  #segment(uri: string, at: number): void {
    const next = this.#next;
    if (next.duration === undefined) {
      fail('HLS_SYNTAX', 'RFC 8216 §4.3.2.1', `line ${at}: an address without #EXTINF`);
    }
    const segment: Mutable<Segment> = {
      uri,
      duration: next.duration,
      discontinuity: next.discontinuity,
      programDateTime: next.programDateTime,
      map: this.#map,
      key: this.#key,
      parts: next.parts,
    };
    if (next.title !== undefined && next.title !== '') segment.title = next.title;
    if (next.gap) segment.gap = true;
    if (next.byteRange !== undefined) segment.byteRange = next.byteRange;
    this.#segments.push(segment);
    this.#next = emptySegment();
  }

  #tag(name: string, value: string | undefined, at: number): void {
    if (this.#headTag(name, value, at) || this.#segmentTag(name, value, at)) return;
    this.#tailTag(name, value);
  }

  /** Tags about the playlist as a whole. */
  #headTag(name: string, value: string | undefined, at: number): boolean {
    const draft = this.#draft;
    switch (name) {
      case 'EXT-X-VERSION':
        draft.version = readInteger(name, value);
        return true;
      case 'EXT-X-TARGETDURATION':
        draft.targetDuration = readInteger(name, value);
        this.#hasTarget = true;
        return true;
      case 'EXT-X-MEDIA-SEQUENCE':
        this.#mustComeFirst(name, at);
        draft.mediaSequence = readInteger(name, value);
        return true;
      case 'EXT-X-DISCONTINUITY-SEQUENCE':
        this.#mustComeFirst(name, at);
        if (this.#next.discontinuity) {
          fail('HLS_TAG', 'RFC 8216 §4.3.3.3', `line ${at}: ${name} behind a discontinuity`);
        }
        draft.discontinuitySequence = readInteger(name, value);
        return true;
      case 'EXT-X-INDEPENDENT-SEGMENTS':
        draft.independentSegments = true;
        return true;
      case 'EXT-X-PLAYLIST-TYPE':
        if (value !== 'EVENT' && value !== 'VOD') {
          fail('HLS_SYNTAX', 'RFC 8216 §4.3.3.5', `line ${at}: playlist type ${quote(value)}`);
        }
        draft.type = value;
        return true;
      case 'EXT-X-START':
        draft.start = readStart(value ?? '');
        return true;
      case 'EXT-X-SERVER-CONTROL':
        draft.serverControl = readServerControl(value ?? '');
        return true;
      case 'EXT-X-PART-INF':
        draft.partTarget = new Attributes(name, value ?? '').requireDecimal('PART-TARGET');
        return true;
      case 'EXT-X-SKIP':
        this.#mustComeFirst(name, at);
        draft.skip = readSkip(value ?? '');
        return true;
      case 'EXT-X-ENDLIST':
        draft.endList = true;
        return true;
      default:
        return false;
    }
  }

  /** Tags about the next segment or all that follow. */
  #segmentTag(name: string, value: string | undefined, at: number): boolean {
    const next = this.#next;
    switch (name) {
      case 'EXTINF':
        if (next.duration !== undefined) {
          fail('HLS_SYNTAX', 'RFC 8216 §4.3.2.1', `line ${at}: #EXTINF twice for one segment`);
        }
        [next.duration, next.title] = readExtinf(value, at);
        break;
      case 'EXT-X-BYTERANGE':
        next.byteRange = readByteRange(name, value);
        break;
      case 'EXT-X-DISCONTINUITY':
        if (next.parts.length > 0) {
          fail('HLS_TAG', 'RFC 8216bis §4.4.4.9', `line ${at}: ${name} between the parts of a segment`);
        }
        next.discontinuity = true;
        break;
      case 'EXT-X-GAP':
        next.gap = true;
        break;
      case 'EXT-X-PROGRAM-DATE-TIME':
        next.programDateTime = readDateTime(name, value);
        break;
      case 'EXT-X-MAP':
        this.#map = readMap(value ?? '');
        return true;
      case 'EXT-X-KEY':
        this.#key = readKey(value ?? '');
        return true;
      case 'EXT-X-PART':
        if (next.duration !== undefined) {
          fail('HLS_TAG', 'RFC 8216bis §4.4.4.9', `line ${at}: a part between #EXTINF and its address`);
        }
        next.parts.push(readPart(value ?? ''));
        break;
      default:
        return false;
    }
    next.touched = true;
    return true;
  }

  /** Tags that may stand anywhere and are kept apart. */
  #tailTag(name: string, value: string | undefined): void {
    if (name === 'EXT-X-PRELOAD-HINT') this.#hints.push(readPreloadHint(value ?? ''));
    else if (name === 'EXT-X-RENDITION-REPORT') this.#reports.push(readRenditionReport(value ?? ''));
    else if (name === 'EXT-X-DATERANGE') this.#ranges.push(readDateRange(value ?? ''));
  }

  /** RFC 8216 §4.3.3.2, §4.3.3.3: it must come before the first segment. */
  #mustComeFirst(name: string, at: number): void {
    if (this.#segments.length > 0 || this.#next.parts.length > 0 || this.#next.duration !== undefined) {
      fail('HLS_TAG', 'RFC 8216 §4.3.3.2', `line ${at}: ${name} behind the first segment`);
    }
  }

  #finish(): MediaPlaylist {
    const next = this.#next;
    if (!this.#hasTarget) fail('HLS_TAG', 'RFC 8216 §4.3.3.1', 'no EXT-X-TARGETDURATION');
    if (next.duration !== undefined || next.gap || next.byteRange !== undefined) {
      fail('HLS_SYNTAX', 'RFC 8216 §4.3.2.1', '#EXTINF without an address at the end');
    }
    const playlist: Mutable<MediaPlaylist> = {
      ...this.#draft,
      segments: this.#segments,
      preloadHints: this.#hints,
      renditionReports: this.#reports,
      dateRanges: this.#ranges,
    };
    const mapBefore = this.#segments.at(-1)?.map;
    if (next.touched || (this.#map !== mapBefore && this.#map !== undefined)) {
      playlist.pending = {
        discontinuity: next.discontinuity,
        programDateTime: next.programDateTime,
        map: this.#map,
        key: this.#key,
        parts: next.parts,
      };
    }
    return playlist;
  }
}

function emptySegment(): SegmentDraft {
  return {
    discontinuity: false,
    programDateTime: undefined,
    parts: [],
    duration: undefined,
    title: undefined,
    gap: false,
    byteRange: undefined,
    touched: false,
  };
}

function readExtinf(value: string | undefined, at: number): [number, string] {
  const match = value === undefined ? null : /^(\d{1,12}(?:\.\d{1,20})?),(.*)$/.exec(value);
  if (match === null) {
    fail('HLS_SYNTAX', 'RFC 8216 §4.3.2.1', `line ${at}: #EXTINF needs "duration,", has ${quote(value)}`);
  }
  return [Number(match[1]), match[2]!];
}

function fail(code: 'HLS_SYNTAX' | 'HLS_TAG', clause: string, message: string): never {
  throw new ParseError(code, clause, message);
}
