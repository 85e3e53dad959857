import { ParseError } from '../model/errors.ts';
import {
  type Element,
  elementBudget,
  findElement,
  readElements,
  readFloat,
  readText,
  readUint,
} from './element.ts';
import { ID } from './element-id.ts';

/** Nanoseconds to a tick where nothing else is told. RFC 9559 §5.1.2.9. */
export const DEFAULT_TIMESTAMP_SCALE = 1_000_000;
/** Coarsest tick accepted, in nanoseconds: a minute. */
export const MAX_TIMESTAMP_SCALE = 60_000_000_000;
/** Highest version of WebM and Matroska that a reader must know, as far as we do. */
export const MAX_READ_VERSION = 4;

const DOC_TYPES = ['webm', 'matroska'] as const;

/** What the EBML header tells. RFC 8794 §11.2. */
export interface DocumentHeader {
  readonly docType: (typeof DOC_TYPES)[number];
  readonly docTypeVersion: number;
  readonly docTypeReadVersion: number;
}

/** What Info tells of a Segment. RFC 9559 §5.1.2. */
export interface SegmentInfo {
  /** Nanoseconds to a tick of the Segment. */
  readonly timestampScale: number;
  /** Nanoseconds; recordings under way and those of browsers have none. */
  readonly duration?: number;
  /** Milliseconds since 1970. */
  readonly date?: number;
  readonly title?: string;
  readonly muxingApp?: string;
  readonly writingApp?: string;
}

/** A pointer of SeekHead. RFC 9559 §5.1.1. */
export interface SeekEntry {
  readonly id: number;
  /** Octets from the start of the Segment's content. */
  readonly position: number;
}

/** An entry of the index. RFC 9559 §5.1.5. */
export interface CuePoint {
  /** Nanoseconds. */
  readonly time: number;
  /** Track number of the container. */
  readonly trackNumber: number;
  /** Octets from the start of the Segment's content to the Cluster. */
  readonly clusterPosition: number;
  /** Octets from the start of the Cluster's content to the block. */
  readonly relativePosition?: number;
}

/** A name and its value. RFC 9559 §5.1.8. */
export interface SimpleTag {
  readonly name: string;
  readonly value: string;
  /** TrackUIDs it is about; empty if about all. */
  readonly trackUids: readonly number[];
}

/** Reads an EBML header. @throws ParseError `WEBM_DOCTYPE` for another kind or a later version. */
export function readDocumentHeader(header: Element): DocumentHeader {
  const fields = readElements(header, elementBudget());
  const uint = (id: number, otherwise: number): number => {
    const found = findElement(fields, id);
    return found === undefined ? otherwise : readUint(found);
  };
  const typeElement = findElement(fields, ID.DocType);
  const told = typeElement === undefined ? '' : readText(typeElement);
  const docType = DOC_TYPES.find((known) => known === told);
  const docTypeReadVersion = uint(ID.DocTypeReadVersion, 1);
  const refuse = (what: string): never => {
    throw new ParseError('WEBM_DOCTYPE', 'RFC 8794 §11.2', what, header.offset);
  };
  if (docType === undefined) return refuse(`a document of type ${JSON.stringify(told.slice(0, 40))}`);
  if (docTypeReadVersion > MAX_READ_VERSION) return refuse(`${docType} of version ${docTypeReadVersion}`);
  if (uint(ID.EBMLReadVersion, 1) > 1) return refuse('a later version of EBML');
  if (uint(ID.EBMLMaxIDLength, 4) > 4 || uint(ID.EBMLMaxSizeLength, 8) > 8) {
    return refuse('longer ids or sizes than Matroska has');
  }
  return { docType, docTypeVersion: uint(ID.DocTypeVersion, 1), docTypeReadVersion };
}

/** Reads Info. @throws ParseError `EBML_VALUE` for a TimestampScale of 0 or more than a minute. */
export function readInfo(info: Element): SegmentInfo {
  const fields = readElements(info, elementBudget());
  const text = (id: number): string | undefined => {
    const found = findElement(fields, id);
    return found === undefined ? undefined : readText(found);
  };
  const scaleElement = findElement(fields, ID.TimestampScale);
  const timestampScale = scaleElement === undefined ? DEFAULT_TIMESTAMP_SCALE : readUint(scaleElement);
  if (timestampScale === 0 || timestampScale > MAX_TIMESTAMP_SCALE) {
    const what = `TimestampScale is ${timestampScale}`;
    throw new ParseError('EBML_VALUE', 'RFC 9559 §5.1.2.9', what, scaleElement?.offset ?? info.offset);
  }
  const durationElement = findElement(fields, ID.Duration);
  const duration = durationElement === undefined ? 0 : readFloat(durationElement) * timestampScale;
  const dateElement = findElement(fields, ID.DateUTC);
  const date = dateElement === undefined ? undefined : readDate(dateElement);
  const title = text(ID.Title);
  const muxingApp = text(ID.MuxingApp);
  const writingApp = text(ID.WritingApp);
  return {
    timestampScale,
    ...(duration > 0 ? { duration } : {}),
    ...(date === undefined ? {} : { date }),
    ...(title === undefined ? {} : { title }),
    ...(muxingApp === undefined ? {} : { muxingApp }),
    ...(writingApp === undefined ? {} : { writingApp }),
  };
}

/** Milliseconds from 1970 to the epoch of EBML dates, 2001-01-01T00:00Z. */
const EBML_EPOCH_MS = 978_307_200_000;

/** A date in milliseconds since 1970; undefined unless it has 8 octets. RFC 8794 §7.6. */
export function readDate({ body }: Pick<Element, 'body'>): number | undefined {
  if (body.length !== 8) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, 8);
  // Nanoseconds of 64 bits: the rounding is far below a millisecond.
  return Math.round((view.getInt32(0) * 2 ** 32 + view.getUint32(4)) / 1e6) + EBML_EPOCH_MS;
}

/** Reads SeekHead. */
export function readSeekHead(seekHead: Element): SeekEntry[] {
  const budget = elementBudget();
  const found: SeekEntry[] = [];
  for (const seek of readElements(seekHead, budget)) {
    if (seek.id !== ID.Seek) continue;
    const fields = readElements(seek, budget);
    const id = findElement(fields, ID.SeekID);
    const position = findElement(fields, ID.SeekPosition);
    if (id === undefined || position === undefined || id.body.length > 4) continue;
    found.push({ id: readUint(id), position: readUint(position) });
  }
  return found;
}

/** Reads Cues. @param timestampScale of the Segment. */
export function readCues(cues: Element, timestampScale: number): CuePoint[] {
  const budget = elementBudget();
  const found: CuePoint[] = [];
  for (const point of readElements(cues, budget)) {
    if (point.id !== ID.CuePoint) continue;
    const fields = readElements(point, budget);
    const timeElement = findElement(fields, ID.CueTime);
    if (timeElement === undefined) continue;
    const time = readUint(timeElement) * timestampScale;
    for (const positions of fields) {
      if (positions.id !== ID.CueTrackPositions) continue;
      const inner = readElements(positions, budget);
      const track = findElement(inner, ID.CueTrack);
      const cluster = findElement(inner, ID.CueClusterPosition);
      const relative = findElement(inner, ID.CueRelativePosition);
      if (track === undefined || cluster === undefined) continue;
      found.push({
        time,
        trackNumber: readUint(track),
        clusterPosition: readUint(cluster),
        ...(relative === undefined ? {} : { relativePosition: readUint(relative) }),
      });
    }
  }
  return found;
}

/** Reads Tags; nested and binary ones are left out. */
export function readTags(tags: Element): SimpleTag[] {
  const budget = elementBudget();
  const found: SimpleTag[] = [];
  for (const tag of readElements(tags, budget)) {
    if (tag.id !== ID.Tag) continue;
    const fields = readElements(tag, budget);
    const targets = findElement(fields, ID.Targets);
    const trackUids =
      targets === undefined
        ? []
        : readElements(targets, budget)
            .filter(({ id }) => id === ID.TagTrackUID)
            .map(readLooseUint);
    for (const simple of fields) {
      if (simple.id !== ID.SimpleTag) continue;
      const inner = readElements(simple, budget);
      const name = findElement(inner, ID.TagName);
      const value = findElement(inner, ID.TagString);
      if (name !== undefined && value !== undefined) {
        found.push({ name: readText(name), value: readText(value), trackUids });
      }
    }
  }
  return found;
}

/** A UID of 64 bits, rounded above 2^53: good for comparing with another one read likewise. */
export function readLooseUint({ body }: Pick<Element, 'body'>): number {
  let value = 0;
  for (const octet of body.subarray(0, 8)) value = value * 256 + octet;
  return value;
}
