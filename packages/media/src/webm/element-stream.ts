import { ChunkQueue } from '../bytes/index.ts';
import { type MediaErrorCode, ParseError } from '../model/errors.ts';
import { Crc32 } from './crc32.ts';
import { crcMismatch, crcValue, isElementId, MAX_ELEMENT_DEPTH } from './element.ts';
import { ID, ROOT_IDS, SEGMENT_IDS } from './element-id.ts';
import { type ElementHeader, misplacedElement, missizedElement, overlongElement } from './placement.ts';
import { elementName } from './schema.ts';
import { MAX_ID_BYTES, MAX_SIZE_BYTES, vintAllOnes, vintBytes } from './vint.ts';

/** Octets of an element passed over that are handed out for a look. */
export const MAX_HEAD_BYTES = 32;

/** What {@link ElementStream} hands out. */
export type StreamedElement =
  /** A master element begins; what follows deeper is its content. */
  | { readonly kind: 'open'; readonly header: ElementHeader }
  /** A whole element; `body` is a view that stays valid. */
  | { readonly kind: 'whole'; readonly header: ElementHeader; readonly body: Uint8Array }
  /** An element whose content is passed over, but for its first octets: {@link MAX_HEAD_BYTES} at most. */
  | { readonly kind: 'skip'; readonly header: ElementHeader; readonly head: Uint8Array };

/** What to do with an element: open it, pass over it, or hand it out whole if it has no more octets than that. */
export type Handling = 'open' | 'skip' | number;

/** What the user of an {@link ElementStream} decides and hears. */
export interface ElementPlan {
  handle(header: ElementHeader): Handling;
  /** Something is wrong; reading goes on. Offsets count from the start of the stream. */
  fault(error: ParseError): void;
}

interface OpenElement {
  readonly header: ElementHeader;
  /** Octet behind it, or behind what encloses it; undefined if nothing tells. */
  end: number | undefined;
  children: number;
  crc: { readonly told: number; readonly sum: Crc32 } | undefined;
}

type State =
  | { readonly step: 'element' }
  | { readonly step: 'search' }
  | { readonly step: 'body'; readonly header: ElementHeader & { readonly size: number } }
  | { readonly step: 'head'; readonly header: ElementHeader & { readonly size: number } }
  | { readonly step: 'skip'; left: number };

const ID_CLAUSE = 'RFC 8794 §5';
const SIZE_CLAUSE = 'RFC 8794 §6';
const SKIP_PIECE_BYTES = 64 * 1024;
/** Pieces of an unfinished element that are always kept as they came. */
const LOOSE_PIECES = 1024;
/** Octets that a piece must have on average, so that keeping it costs no more than its content. */
const MIN_PIECE_BYTES = 64;

/**
 * Takes an EBML stream apart, however it is cut, in memory that no element's size decides. Segments and
 * Clusters of unknown size end where RFC 8794 §6.2 says. Where the bytes make no sense they are passed over up
 * to the next EBML header, Segment or Cluster.
 */
export class ElementStream {
  readonly #queue = new ChunkQueue();
  readonly #plan: ElementPlan;
  readonly #open: OpenElement[] = [];
  #state: State = { step: 'element' };
  /** Octets handed out or passed over. */
  #offset = 0;
  /** Open elements that have a CRC-32. */
  #sums = 0;
  /** Pieces pushed since the last element was whole. */
  #pieces = 0;

  constructor(plan: ElementPlan) {
    this.#plan = plan;
  }

  /** Octets received but not handed out yet. */
  get buffered(): number {
    return this.#queue.length;
  }

  /** Adds received bytes. The stream keeps the view: the caller must not write into it again. */
  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#pieces++;
    if (this.#pieces <= LOOSE_PIECES + this.#queue.length / MIN_PIECE_BYTES) return;
    // Who sends octet by octet would otherwise fill the memory with views.
    this.#queue.push(this.#queue.take(this.#queue.length)!);
    this.#pieces = 1;
  }

  /** Bytes are missing at the end of what was pushed: reading goes on at the next Cluster or header. */
  lost(): void {
    this.#offset += this.#queue.length;
    this.#queue.clear();
    this.#search();
  }

  /** Nothing follows. Reports what is cut off. */
  end(): void {
    const { step } = this.#state;
    const inside = step === 'body' || step === 'head' || (step === 'skip' && this.#open.length > 0);
    if (inside || (step === 'element' && this.#queue.length > 0)) {
      this.#fault('EBML_SIZE', SIZE_CLAUSE, 'the stream ends within an element', this.#offset);
    }
    this.#offset += this.#queue.length;
    this.#queue.clear();
    const last = this.#open[0];
    if (last !== undefined && last.header.size !== undefined && last.end! > this.#offset) {
      const missing = last.end! - this.#offset;
      this.#fault('EBML_SIZE', SIZE_CLAUSE, `the Segment lacks its last ${missing} octets`, this.#offset);
    }
    this.#open.length = 0;
    this.#sums = 0;
    this.#state = { step: 'search' };
  }

  /**
   * The next element, or undefined until more bytes come.
   * @throws ParseError `EBML_HEADER_MISSING` if the stream does not begin with an EBML header.
   */
  next(): StreamedElement | undefined {
    for (;;) {
      const state = this.#state;
      switch (state.step) {
        case 'element': {
          const found = this.#element();
          if (found === 'starved') return undefined;
          if (found !== undefined) return found;
          break;
        }
        case 'body': {
          const { header } = state;
          if (this.#queue.length < header.size) return undefined;
          const body = this.#take(header.size);
          this.#pieces = 0;
          this.#state = { step: 'element' };
          return { kind: 'whole', header, body };
        }
        case 'head': {
          const { header } = state;
          const length = Math.min(header.size, MAX_HEAD_BYTES);
          if (this.#queue.length < length) return undefined;
          const head = this.#take(length);
          this.#state = { step: 'skip', left: header.size - length };
          return { kind: 'skip', header, head };
        }
        case 'skip': {
          const step = Math.min(state.left, this.#queue.length);
          this.#pass(step);
          state.left -= step;
          if (state.left > 0) return undefined;
          this.#state = { step: 'element' };
          break;
        }
        case 'search':
          if (!this.#found()) return undefined;
          this.#state = { step: 'element' };
          break;
      }
    }
  }

  /** Reads a header and decides; undefined if the state has changed only. */
  #element(): StreamedElement | 'starved' | undefined {
    this.#close();
    const parent = this.#open.at(-1);
    if (this.#offset === 0) this.#checkStart();
    const header = this.#header();
    if (header === undefined) return 'starved';
    if (header === 'damaged') return undefined;
    if (parent !== undefined && this.#endsParent(parent, header.id)) return undefined;
    const misplaced = misplacedElement(parent?.header.id, header);
    if (misplaced !== undefined && parent === undefined && SEGMENT_IDS.has(header.id)) {
      this.#plan.fault(misplaced);
      this.#reopen();
      return undefined;
    }
    const fault = misplaced ?? missizedElement(header) ?? this.#overflow(parent, header);
    if (fault !== undefined) {
      this.#plan.fault(fault);
      this.#searchBehind();
      return undefined;
    }
    const before = this.#open.length;
    // The sum of the parent covers the header too, but for that of the sum itself.
    const isSum = header.id === ID.CRC32 && header.size === 4 && parent?.children === 0;
    if (isSum && this.#queue.length < header.headerBytes + 4) return 'starved';
    if (parent !== undefined) parent.children++;
    if (isSum) {
      const body = this.#take(header.headerBytes + 4).subarray(header.headerBytes);
      parent.crc = { told: crcValue(body), sum: new Crc32() };
      this.#sums++;
      return { kind: 'whole', header, body };
    }
    this.#pass(header.headerBytes);
    return this.#begin(header, before);
  }

  #begin(header: ElementHeader, depth: number): StreamedElement | undefined {
    const handling = this.#plan.handle(header);
    if (handling === 'open' || header.size === undefined) {
      if (depth >= MAX_ELEMENT_DEPTH) {
        const what = `${elementName(header.id)} is nested deeper than ${MAX_ELEMENT_DEPTH}`;
        this.#fault('EBML_DEPTH', 'RFC 9559 §5', what, header.offset);
      } else {
        const end = header.size === undefined ? this.#open.at(-1)?.end : this.#offset + header.size;
        this.#open.push({ header, end, children: 0, crc: undefined });
        return { kind: 'open', header };
      }
    }
    const { size } = header;
    if (size === undefined) return undefined;
    const sized = { ...header, size };
    if (typeof handling === 'number' && size <= handling) this.#state = { step: 'body', header: sized };
    else {
      if (typeof handling === 'number') {
        const what = `${elementName(header.id)} of ${size} octets, at most ${handling} allowed`;
        this.#fault('EBML_LIMIT', SIZE_CLAUSE, what, header.offset);
        // In a Cluster whose end nobody knows, such a size is more likely none.
        const cluster = this.#open.at(-1);
        if (cluster?.header.id === ID.Cluster && cluster.end === undefined) {
          this.#search();
          return undefined;
        }
      }
      this.#state = { step: 'head', header: sized };
    }
    return undefined;
  }

  /** Closes what ends here. */
  #close(): void {
    for (;;) {
      const last = this.#open.at(-1);
      if (last?.end === undefined || last.end > this.#offset) return;
      this.#closeLast();
    }
  }

  #closeLast(): void {
    const last = this.#open.pop();
    if (last?.crc === undefined) return;
    this.#sums--;
    if (last.crc.sum.value !== last.crc.told) {
      this.#plan.fault(crcMismatch(last.header.id, last.header.offset));
    }
  }

  /** FLV, MP4 and web pages are told apart from a damaged WebM. */
  #checkStart(): void {
    for (let i = 0; i < 4; i++) {
      const octet = this.#queue.peek(i);
      if (octet === undefined) return;
      if (octet !== ((ID.EBML >>> (24 - 8 * i)) & 0xff)) {
        throw new ParseError(
          'EBML_HEADER_MISSING',
          'RFC 8794 §8.1',
          'the bytes do not begin with an EBML header',
          0,
        );
      }
    }
  }

  /** The header at the front, not taken; undefined while octets are missing. */
  #header(): ElementHeader | 'damaged' | undefined {
    const first = this.#queue.peek(0);
    if (first === undefined) return undefined;
    const offset = this.#offset;
    const idBytes = vintBytes(first);
    if (idBytes > MAX_ID_BYTES) return this.#damaged('EBML_ID', ID_CLAUSE, 'no element id');
    const sizeFirst = this.#queue.peek(idBytes);
    if (sizeFirst === undefined) return undefined;
    const id = this.#number(0, idBytes);
    if (!isElementId(id, idBytes)) return this.#damaged('EBML_ID', ID_CLAUSE, 'a reserved element id');
    const sizeLength = vintBytes(sizeFirst);
    if (sizeLength > MAX_SIZE_BYTES) {
      return this.#damaged('EBML_SIZE', SIZE_CLAUSE, `${elementName(id)} without a size`);
    }
    const headerBytes = idBytes + sizeLength;
    if (this.#queue.length < headerBytes) return undefined;
    const low = this.#number(idBytes + 1, sizeLength - 1);
    const size = (sizeFirst & (0xff >> sizeLength)) * 2 ** (8 * (sizeLength - 1)) + low;
    const unknown = size === vintAllOnes(sizeLength);
    return { id, offset, headerBytes, size: unknown ? undefined : size, depth: this.#open.length };
  }

  #number(at: number, bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.#queue.peek(at + i)!;
    return value;
  }

  /** A parent of unknown size ends where an element comes that belongs above it; a known one is then wrong. */
  #endsParent(parent: OpenElement, id: number): boolean {
    const { header } = parent;
    const above = ROOT_IDS.has(id) || (header.id !== ID.Segment && SEGMENT_IDS.has(id));
    if (!above) return false;
    if (header.size !== undefined) {
      const what = `${elementName(id)} within ${elementName(header.id)}`;
      this.#fault('EBML_SIZE', SIZE_CLAUSE, what, this.#offset);
      parent.crc = undefined;
      this.#sums = this.#open.filter(({ crc }) => crc !== undefined).length;
    }
    this.#closeLast();
    return true;
  }

  /** A Segment whose size was written too early goes on; else a child longer than its parent is a fault. */
  #overflow(parent: OpenElement | undefined, header: ElementHeader): ParseError | undefined {
    const fault = parent?.end === undefined ? undefined : overlongElement(header, parent.end);
    if (fault === undefined || parent?.header.id !== ID.Segment) return fault;
    this.#plan.fault(fault);
    parent.end = undefined;
    return undefined;
  }

  #damaged(code: 'EBML_ID' | 'EBML_SIZE', clause: string, message: string): 'damaged' {
    this.#fault(code, clause, message, this.#offset);
    this.#searchBehind();
    return 'damaged';
  }

  /** Searches from the next octet on: the one at the front was tried. */
  #searchBehind(): void {
    this.#search();
    this.#pass(1);
  }

  /** Gives up the place in the tree, but for the Segment. */
  #search(): void {
    this.#open.length = this.#open[0]?.header.id === ID.Segment ? 1 : 0;
    const segment = this.#open[0];
    if (segment !== undefined) segment.crc = undefined;
    this.#sums = 0;
    this.#state = { step: 'search' };
  }

  /** Passes over bytes until one of the ids from which reading can go on; false until more bytes come. */
  #found(): boolean {
    const bytes = this.#queue.take(this.#queue.length)!;
    for (let at = 0; at + 3 < bytes.length; at++) {
      const first = bytes[at]!;
      if (first !== 0x1f && first !== 0x1a && first !== 0x18) continue;
      const id = first * 0x100_0000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
      if (id !== ID.Cluster && id !== ID.Segment && id !== ID.EBML) continue;
      this.#queue.push(bytes.subarray(at));
      this.#offset += at;
      if (id === ID.Cluster) this.#reopen();
      else this.#open.length = 0;
      return true;
    }
    const kept = Math.min(3, bytes.length);
    this.#queue.push(bytes.subarray(bytes.length - kept));
    this.#offset += bytes.length - kept;
    return false;
  }

  /** What is found outside of a Segment belongs to the one that was open, or to one whose head was lost. */
  #reopen(): void {
    const segment = this.#open[0];
    if (segment !== undefined && (segment.end === undefined || segment.end > this.#offset)) return;
    const header: ElementHeader = {
      id: ID.Segment,
      offset: this.#offset,
      headerBytes: 0,
      size: undefined,
      depth: 0,
    };
    this.#open.length = 0;
    this.#open.push({ header, end: undefined, children: 1, crc: undefined });
  }

  #take(length: number): Uint8Array {
    const bytes = this.#queue.take(length)!;
    this.#offset += length;
    if (this.#sums > 0) for (const { crc } of this.#open) crc?.sum.update(bytes);
    return bytes;
  }

  #pass(length: number): void {
    if (this.#sums === 0) {
      this.#queue.skip(length);
      this.#offset += length;
      return;
    }
    for (let left = length; left > 0; left -= SKIP_PIECE_BYTES) this.#take(Math.min(left, SKIP_PIECE_BYTES));
  }

  #fault(code: MediaErrorCode, clause: string, message: string, offset: number): void {
    this.#plan.fault(new ParseError(code, clause, message, offset));
  }
}
