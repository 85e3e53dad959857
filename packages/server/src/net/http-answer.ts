import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROBLEM_TYPE } from '@onair/contracts';
import { newSessionId } from '../observe/index.ts';
import { mediaPreflightHeaders, securityHeaders } from './http-headers.ts';
import { type HttpProblem, problemBody } from './http-problem.ts';
import { readByteRange } from './http-range.ts';

/** Names and values of headers in turn, as `writeHead` takes them. */
export type HeaderList = readonly string[];

/** Headers of every media answer. */
const MEDIA_HEADERS: HeaderList = Object.entries(securityHeaders('media', undefined)).flat();
const PREFLIGHT_HEADERS: HeaderList = Object.entries(mediaPreflightHeaders()).flat();

/** Bodies up to this many bytes are written together with their head, as one text. */
const SMALL_BODY = 8192;

/** A finished answer: made once, sent to everybody who asks for it. The bytes are shared; nobody writes to them. */
export class PreparedAnswer {
  readonly bytes: Uint8Array;
  /** Strong entity tag with its quotes (RFC 9110 §8.8.3). */
  readonly entityTag: string;
  /** Head of the answer with the body. */
  readonly head: HeaderList;
  /** Head of a 304: without what describes the body. */
  readonly known: HeaderList;
  #text: { readonly date: string; readonly text: string } | undefined;

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

  /** True if {@link text} holds the body too. */
  get small(): boolean {
    return this.bytes.length <= SMALL_BODY;
  }

  /** The head as HTTP/1.1 writes it (RFC 9112 §2.1), with the body behind it if that is small; one byte a character. */
  get text(): string {
    const date = httpDate();
    if (this.#text?.date !== date) this.#text = { date, text: this.#write(date) };
    return this.#text.text;
  }

  #write(date: string): string {
    let text = 'HTTP/1.1 200 OK\r\n';
    for (let i = 0; i < this.head.length; i += 2) text += `${this.head[i]}: ${this.head[i + 1]}\r\n`;
    text += `date: ${date}\r\nconnection: keep-alive\r\n\r\n`;
    if (!this.small) return text;
    const { buffer, byteOffset, length } = this.bytes;
    return text + Buffer.from(buffer, byteOffset, length).toString('latin1');
  }
}

const dates = { second: 0, text: '' };

/** The time of now as HTTP writes it (RFC 9110 §5.6.7). */
function httpDate(): string {
  const now = Date.now();
  const second = Math.floor(now / 1000);
  if (dates.second !== second) {
    dates.second = second;
    dates.text = new Date(now).toUTCString();
  }
  return dates.text;
}

/** True if the client's copy is the one there is (RFC 9110 §13.1.2). */
export function isKnown(header: string | undefined, entityTag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(entityTag);
}

/**
 * Sends a prepared answer, or 304 to whom has it. Returns the bytes of the body that go out.
 * A head and a body given at once leave in one write.
 */
export function answerPrepared(
  request: IncomingMessage,
  response: ServerResponse,
  answer: PreparedAnswer,
): number {
  const condition = request.headers['if-none-match'];
  if (condition !== undefined && isKnown(condition, answer.entityTag)) {
    writeHead(response, 304, answer.known);
    response.end();
    return 0;
  }
  if (request.method === 'HEAD') {
    writeHead(response, 200, answer.head);
    response.end();
    return 0;
  }
  if (takesText(request, response)) {
    response._header = answer.text;
    if (answer.small) response.end();
    else response.end(answer.bytes);
  } else {
    writeHead(response, 200, answer.head);
    response.end(answer.bytes);
  }
  return answer.bytes.length;
}

/** A response whose head is a text; Node makes that of a list of headers, checking each, for every single answer. */
interface TextHead extends ServerResponse {
  _header: string | null;
}

/** True for HTTP/1.1 connections that stay open, as long as Node keeps the head where it does. */
function takesText(request: IncomingMessage, response: ServerResponse): response is TextHead {
  return (
    (response as Partial<TextHead>)._header === null &&
    response.shouldKeepAlive &&
    request.httpVersionMinor === 1
  );
}

/**
 * {@link answerPrepared} for what may be asked for in ranges: an answer prepared with `accept-ranges`.
 * @param type content type, for the answer to a range.
 */
export function answerRanged(
  request: IncomingMessage,
  response: ServerResponse,
  answer: PreparedAnswer,
  type: string,
): number {
  const { range } = request.headers;
  const { bytes, entityTag, known } = answer;
  if (range === undefined) return answerPrepared(request, response, answer);
  const condition = request.headers['if-range'];
  if (isKnown(request.headers['if-none-match'], entityTag)) return answerPrepared(request, response, answer);
  if (condition !== undefined && condition !== entityTag) return answerPrepared(request, response, answer);
  const span = readByteRange(range, bytes.length);
  if (span.kind === 'whole') return answerPrepared(request, response, answer);
  if (span.kind === 'outside') {
    writeHead(response, 416, [...known, 'content-range', `bytes */${bytes.length}`, 'content-length', '0']);
    response.end();
    return 0;
  }
  const { from, to } = span;
  const part = bytes.subarray(from, to + 1);
  const own = ['content-type', type, 'content-range', `bytes ${from}-${to}/${bytes.length}`];
  writeHead(response, 206, [...known, ...own, 'content-length', String(part.length)]);
  if (request.method === 'HEAD') {
    response.end();
    return 0;
  }
  response.end(part);
  return part.length;
}

/** Answers the preflight of a media request (Fetch §4.8). */
export function answerPreflight(response: ServerResponse): void {
  writeHead(response, 204, PREFLIGHT_HEADERS);
  response.end();
}

/** Answers a media request with a problem document (RFC 9457) that no cache keeps. */
export function answerProblem(request: IncomingMessage, response: ServerResponse, error: HttpProblem): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(JSON.stringify(problemBody(error, newSessionId())));
  const own = Object.entries(error.details.headers ?? {}).flat();
  const head = [...MEDIA_HEADERS, 'cache-control', 'no-store', 'content-type', PROBLEM_TYPE, ...own];
  writeHead(response, error.status, [...head, 'content-length', String(body.length)]);
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}

function writeHead(response: ServerResponse, status: number, head: HeaderList): void {
  response.writeHead(status, head as string[]);
}
