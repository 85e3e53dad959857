import { STATUS_CODES } from 'node:http';
import { securityHeaders } from './http-headers.ts';

/** Names and values of headers in turn, as `writeHead` takes them. */
export type HeaderList = readonly string[];

/** Headers of every media answer. */
export const MEDIA_HEADERS: HeaderList = Object.entries(securityHeaders('media', undefined)).flat();

/** Bodies up to this many bytes are joined with their head when more than one client asks within a second. */
const MAX_JOINED = 1 << 18;

/** The forms of an answer that hold the time of day: good for one second. */
interface Dated {
  readonly date: string;
  readonly text: string;
  head: Buffer | undefined;
  whole: Buffer | undefined;
}

/** A finished answer: made once, sent to everybody who asks for it. The bytes are shared; nobody writes to them. */
export class PreparedAnswer {
  readonly bytes: Uint8Array;
  /** Strong entity tag with its quotes (RFC 9110 §8.8.3). */
  readonly entityTag: string;
  /** Head of the answer with the body. */
  readonly head: HeaderList;
  /** Head of a 304: without what describes the body. */
  readonly known: HeaderList;
  #dated: Dated | undefined;

  /**
   * @param shared headers that a 304 carries too, e.g. `cache-control` and `vary`.
   * @param own headers of the body alone, e.g. `content-type`.
   */
  constructor(bytes: Uint8Array, entityTag: string, shared: HeaderList, own: HeaderList) {
    this.bytes = bytes;
    this.entityTag = entityTag;
    this.known = [...MEDIA_HEADERS, ...shared, 'etag', entityTag];
    this.head = [...this.known, ...own, 'content-length', String(bytes.length)];
  }

  /** The head for connections that stay open; one byte a character. */
  get text(): string {
    return this.#now().text;
  }

  /** Head and body in one piece, if they are joined at present: for whom it saves a copy that many share. */
  get joined(): Buffer | undefined {
    const dated = this.#now();
    if (dated.whole !== undefined) return dated.whole;
    // Who asks alone should not pay for the copy.
    if (dated.head === undefined || this.bytes.length > MAX_JOINED) return undefined;
    dated.whole = Buffer.concat([dated.head, this.bytes]);
    return dated.whole;
  }

  /** The bytes of {@link text}. */
  get headBytes(): Buffer {
    const dated = this.#now();
    dated.head ??= Buffer.from(dated.text, 'latin1');
    return dated.head;
  }

  #now(): Dated {
    const date = httpDate();
    if (this.#dated?.date === date) return this.#dated;
    fresh.push(this);
    const text = writeHead(200, this.head, true);
    this.#dated = { date, text, head: undefined, whole: undefined };
    return this.#dated;
  }

  /** Lets go of what is good for one second only. */
  forget(): void {
    this.#dated = undefined;
  }
}

/** Answers that were asked for in this second. */
let fresh: PreparedAnswer[] = [];
const dates = { second: 0, text: '' };

/** The time of now as HTTP writes it (RFC 9110 §5.6.7). */
function httpDate(): string {
  const now = Date.now();
  const second = Math.floor(now / 1000);
  if (dates.second !== second) {
    dates.second = second;
    dates.text = new Date(now).toUTCString();
    for (const answer of fresh) answer.forget();
    fresh = [];
  }
  return dates.text;
}

/**
 * The head of an answer as HTTP/1.1 writes it (RFC 9112 §2.1), with the date.
 * @param stays the connection stays open after it.
 */
export function writeHead(status: number, head: HeaderList, stays: boolean): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let i = 0; i < head.length; i += 2) text += `${head[i]}: ${head[i + 1]}\r\n`;
  return `${text}date: ${httpDate()}\r\nconnection: ${stays ? 'keep-alive' : 'close'}\r\n\r\n`;
}
