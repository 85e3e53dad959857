import { PROBLEM_TYPE } from '@onair/contracts';
import { newSessionId } from '../observe/index.ts';
import type { Exchange } from './http-exchange.ts';
import { mediaPreflightHeaders } from './http-headers.ts';
import { type HttpProblem, problemBody } from './http-problem.ts';
import { readByteRange } from './http-range.ts';
import { type HeaderList, MEDIA_HEADERS, type PreparedAnswer } from './prepared-answer.ts';

const PREFLIGHT_HEADERS: HeaderList = Object.entries(mediaPreflightHeaders()).flat();

/** True if the client's copy is the one there is (RFC 9110 §13.1.2). */
export function isKnown(header: string | undefined, entityTag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(entityTag);
}

/** Sends a prepared answer, or 304 to whom has it. Returns the bytes of the body that go out. */
export function answerPrepared(exchange: Exchange, answer: PreparedAnswer): number {
  const condition = exchange.headers['if-none-match'];
  if (condition !== undefined && isKnown(condition, answer.entityTag)) {
    exchange.send(304, answer.known);
    return 0;
  }
  if (exchange.method === 'HEAD') {
    exchange.send(200, answer.head);
    return 0;
  }
  exchange.sendPrepared(answer);
  return answer.bytes.length;
}

/**
 * {@link answerPrepared} for what may be asked for in ranges: an answer prepared with `accept-ranges`.
 * @param type content type, for the answer to a range.
 */
export function answerRanged(exchange: Exchange, answer: PreparedAnswer, type: string): number {
  const { range } = exchange.headers;
  const { bytes, entityTag, known } = answer;
  if (range === undefined) return answerPrepared(exchange, answer);
  const condition = exchange.headers['if-range'];
  if (isKnown(exchange.headers['if-none-match'], entityTag)) return answerPrepared(exchange, answer);
  if (condition !== undefined && condition !== entityTag) return answerPrepared(exchange, answer);
  const span = readByteRange(range, bytes.length);
  if (span.kind === 'whole') return answerPrepared(exchange, answer);
  if (span.kind === 'outside') {
    exchange.send(416, [...known, 'content-range', `bytes */${bytes.length}`, 'content-length', '0']);
    return 0;
  }
  const { from, to } = span;
  const part = bytes.subarray(from, to + 1);
  const own = ['content-type', type, 'content-range', `bytes ${from}-${to}/${bytes.length}`];
  exchange.send(206, [...known, ...own, 'content-length', String(part.length)], part);
  return exchange.method === 'HEAD' ? 0 : part.length;
}

/** Answers the preflight of a media request (Fetch §4.8). */
export function answerPreflight(exchange: Exchange): void {
  exchange.send(204, PREFLIGHT_HEADERS);
}

/** Answers a media request with a problem document (RFC 9457) that no cache keeps. */
export function answerProblem(exchange: Exchange, error: HttpProblem): void {
  const body = Buffer.from(JSON.stringify(problemBody(error, newSessionId())));
  const own = Object.entries(error.details.headers ?? {}).flat();
  const head = [...MEDIA_HEADERS, 'cache-control', 'no-store', 'content-type', PROBLEM_TYPE, ...own];
  exchange.send(error.status, [...head, 'content-length', String(body.length)], body);
}
