import { ParseError } from '../model/errors.ts';
import { CLUSTER_IDS, GLOBAL_IDS, ID, ROOT_IDS, SEGMENT_IDS } from './element-id.ts';
import { elementKind, elementName } from './schema.ts';

/** Largest element that is passed over unread, in octets; a size beyond it is taken for damage. */
export const MAX_SKIPPED_BYTES = 1024 * 1024 * 1024;
/** Largest element of an unknown id that is passed over, in octets; a size beyond it is taken for damage. */
export const MAX_UNKNOWN_ELEMENT_BYTES = 1024 * 1024;

/** Where an element stands and how long it is. */
export interface ElementHeader {
  readonly id: number;
  /** Octet of its id, from the start of the stream. */
  readonly offset: number;
  readonly headerBytes: number;
  /** Octets of its content; undefined if unknown (RFC 8794 §6.2). */
  readonly size: number | undefined;
  /** 0 for what stands beside the Segment. */
  readonly depth: number;
}

const SIZE_CLAUSE = 'RFC 8794 §6';

/** The fault of an element that has no business in its parent: the bytes before it were wrong. */
export function misplacedElement(
  parentId: number | undefined,
  { id, offset }: ElementHeader,
): ParseError | undefined {
  if (GLOBAL_IDS.has(id)) return undefined;
  const known = elementKind(id) !== undefined;
  const fault = (where: string): ParseError =>
    new ParseError('EBML_ID', 'RFC 9559 §5.1', `${elementName(id)} ${where}`, offset);
  switch (parentId) {
    case undefined:
      return ROOT_IDS.has(id) ? undefined : fault('beside the Segment');
    case ID.Segment:
      return !known || SEGMENT_IDS.has(id) ? undefined : fault('in the Segment');
    case ID.Cluster:
      return !known || CLUSTER_IDS.has(id) ? undefined : fault('in a Cluster');
    default:
      return undefined;
  }
}

/** The fault of a size that cannot be, wherever the element stands. */
export function missizedElement(header: ElementHeader): ParseError | undefined {
  const { id, size } = header;
  if (size === undefined) {
    return id === ID.Segment || id === ID.Cluster ? undefined : sizeFault(header, 'of unknown size');
  }
  if (!Number.isSafeInteger(size)) return sizeFault(header, 'of more than 2^53 - 1 octets');
  const limit = elementKind(id) === undefined ? MAX_UNKNOWN_ELEMENT_BYTES : MAX_SKIPPED_BYTES;
  if (id === ID.Segment || size <= limit) return undefined;
  return sizeFault(header, `of ${size} octets, at most ${limit} expected`);
}

/** The fault of an element that reaches beyond `end`, the octet where what encloses it ends. */
export function overlongElement(header: ElementHeader, end: number): ParseError | undefined {
  const left = end - header.offset - header.headerBytes;
  if ((header.size ?? 0) <= left) return undefined;
  return sizeFault(header, `of ${header.size} octets where ${left} are left`);
}

function sizeFault({ id, offset }: ElementHeader, what: string): ParseError {
  return new ParseError('EBML_SIZE', SIZE_CLAUSE, `${elementName(id)} ${what}`, offset);
}
