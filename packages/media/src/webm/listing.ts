import { ParseError } from '../model/errors.ts';
import { type BlockHeader, readBlockHeader } from './block.ts';
import { type Element, readFloat, readInt, readText, readUint } from './element.ts';
import { type ElementType, ID } from './element-id.ts';
import { type ElementPlan, ElementStream, type Handling, type StreamedElement } from './element-stream.ts';
import type { ElementHeader } from './placement.ts';
import { elementKind, elementName } from './schema.ts';
import { readDate } from './segment-info.ts';

/** Longest value that is decoded, in octets; of longer ones the first octets are shown. */
export const MAX_VALUE_BYTES = 4096;

/** An element as a listing shows it. */
export interface ElementRow extends ElementHeader {
  /** Its name, or its id in hexadecimal. */
  readonly name: string;
  /** `binary` for elements that nobody knows. */
  readonly type: ElementType;
  /** A number or a text; dates in ISO 8601. Undefined for masters, binaries and what cannot be read. */
  readonly value?: number | string;
  /** The first octets of a binary. */
  readonly head?: Uint8Array;
  /** Of a Block or SimpleBlock. */
  readonly block?: BlockHeader;
}

/** Who takes what an {@link ElementLister} finds. */
export interface ListingHandler {
  onRow(row: ElementRow): void;
  /** Something is wrong at an octet; what can be found behind it follows. */
  onFault?(error: ParseError): void;
}

/**
 * Lists the elements of an EBML stream in pieces of any size, without looking into frames: the tree in order,
 * each with its depth. Needs no more memory than a value's {@link MAX_VALUE_BYTES}.
 */
export class ElementLister {
  readonly #stream: ElementStream;
  readonly #handler: ListingHandler;
  #failure: ParseError | undefined;

  constructor(handler: ListingHandler) {
    this.#handler = handler;
    const plan: ElementPlan = { handle: handlingOf, fault: (error) => handler.onFault?.(error) };
    this.#stream = new ElementStream(plan);
  }

  /** Takes the next bytes. What is no EBML stream is reported as a fault, once. */
  push(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    this.#stream.push(bytes);
    try {
      for (let found = this.#stream.next(); found !== undefined; found = this.#stream.next()) {
        this.#handler.onRow(this.#row(found));
      }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#failure = error;
      this.#handler.onFault?.(error);
    }
  }

  /** Nothing follows. Reports what is cut off. */
  end(): void {
    if (this.#failure === undefined) this.#stream.end();
  }

  #row(found: StreamedElement): ElementRow {
    const { header } = found;
    const { id } = header;
    const row = { ...header, name: elementName(id), type: elementKind(id)?.type ?? 'binary' };
    if (found.kind === 'open') return row;
    if (found.kind === 'skip') return { ...row, ...skipped(id, found.head) };
    const element: Element = { ...header, body: found.body };
    try {
      const value = decodedValue(element, row.type);
      return value === undefined ? { ...row, head: found.body } : { ...row, value };
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#handler.onFault?.(error);
      return { ...row, head: found.body };
    }
  }
}

/** A readable tree of the elements in `bytes`: name, size, value. For review, tests and the inspector. */
export function dumpElements(bytes: Uint8Array): string {
  const lines: string[] = [];
  const lister = new ElementLister({
    onRow: (row) => lines.push(`${'  '.repeat(row.depth)}${describeRow(row)}`),
    onFault: (error) => lines.push(`! ${error.code} at ${error.offset ?? '?'}: ${error.message}`),
  });
  lister.push(bytes);
  lister.end();
  return `${lines.join('\n')}\n`;
}

/** A row in one line, without indentation. */
export function describeRow({ name, size, value, head, block }: ElementRow): string {
  const told = `${name} ${size ?? 'unknown size'}`;
  if (block !== undefined) {
    const { trackNumber, relativeTime, keyframe, invisible, discardable, lacing } = block;
    const flags = [
      keyframe ? ' key' : '',
      invisible ? ' invisible' : '',
      discardable ? ' discardable' : '',
      lacing === 'none' ? '' : ` lacing=${lacing}`,
    ];
    return `${told} track=${trackNumber} time=${relativeTime}${flags.join('')}`;
  }
  if (value !== undefined) return `${told} ${typeof value === 'string' ? JSON.stringify(value) : value}`;
  if (head === undefined || head.length === 0) return told;
  const octets = Array.from(head.subarray(0, 16), (octet) => octet.toString(16).padStart(2, '0')).join('');
  return `${told} ${octets}${(size ?? 0) > 16 ? '…' : ''}`;
}

function handlingOf({ id }: ElementHeader): Handling {
  const kind = elementKind(id);
  if (kind?.type === 'master') return 'open';
  return kind === undefined || kind.type === 'binary' ? 'skip' : MAX_VALUE_BYTES;
}

function skipped(id: number, head: Uint8Array): Pick<ElementRow, 'head' | 'block'> {
  const block = id === ID.SimpleBlock || id === ID.Block ? readBlockHeader(head) : undefined;
  return block === undefined ? { head } : { block };
}

function decodedValue(element: Element, type: ElementType): number | string | undefined {
  switch (type) {
    case 'uint':
      return element.body.length > 8 ? undefined : readUid(element);
    case 'int':
      return readInt(element);
    case 'float':
      return readFloat(element);
    case 'string':
      return readText(element);
    case 'date': {
      const ms = readDate(element);
      return ms === undefined ? undefined : new Date(ms).toISOString();
    }
    case 'master':
    case 'binary':
      return undefined;
  }
}

/** A number; as hexadecimal text where it is a UID of 64 bits, beyond what a number holds. */
function readUid(element: Element): number | string {
  const wide = element.body.length > 6;
  if (!wide) return readUint(element);
  return `0x${Array.from(element.body, (octet) => octet.toString(16).padStart(2, '0')).join('')}`;
}
