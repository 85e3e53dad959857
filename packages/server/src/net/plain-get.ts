import type { IncomingHttpHeaders } from 'node:http';

/** The header lines of a request, read. */
export interface HeaderBlock {
  /** The lines as they came, each with its line end. */
  readonly text: string;
  /** By lower-case name; without prototype. */
  readonly headers: IncomingHttpHeaders;
  /** The client closes the connection after the answer. */
  readonly closes: boolean;
}

/** A request that has no body and nothing else that needs care. */
export interface PlainGet {
  /** Path and query, as sent. */
  readonly url: string;
  readonly block: HeaderBlock;
}

/** Longest head that is read here, in bytes. */
export const MAX_PLAIN_HEAD = 4096;
const MAX_HEADERS = 40;

/** Blocks seen before: clients send the same lines again and again, and many send the same as others. */
const seen = new Map<string, HeaderBlock>();
const MAX_SEEN = 512;
/** Whole requests seen before: who watches a stream asks for what others ask for. */
const requests = new Map<string, PlainGet>();

/**
 * Headers that change where a message ends or what the connection is, or that only Node's parser answers: a request
 * with one of them is not plain (RFC 9112 §6, RFC 9110 §7.6.1, §7.8, §10.1.1).
 */
const NOT_PLAIN: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'keep-alive',
  'proxy-connection',
  'http2-settings',
]);

const START = 'GET ';
const VERSION = ' HTTP/1.1\r\n';
/** Origin form in visible ASCII (RFC 9112 §3.2.1); two slashes in front may be the start of an authority. */
const TARGET = /^\/(?!\/)[!-~]*$/;
/** A field line: a token, the colon right behind it, visible ASCII with blanks between (RFC 9112 §5). */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[!-~]+(?:[ \t]+[!-~]+)*)?)[ \t]*$/;

/**
 * Reads a request whose head is `text`, one character a byte, and nothing before or behind it. Undefined for
 * everything that is not as plain as can be: another method or version, a body, an unusual line end or byte, a header
 * twice, no `Host`. That is no judgement; a parser of the whole standard has to look at it.
 */
export function readPlainGet(text: string, known: HeaderBlock | undefined): PlainGet | undefined {
  const before = requests.get(text);
  if (before !== undefined) return before;
  const request = parseRequest(text, known);
  if (request === undefined) return undefined;
  if (requests.size >= MAX_SEEN) requests.clear();
  requests.set(text, request);
  return request;
}

function parseRequest(text: string, known: HeaderBlock | undefined): PlainGet | undefined {
  if (text.length > MAX_PLAIN_HEAD || !text.startsWith(START)) return undefined;
  const end = text.indexOf(' ', START.length);
  if (end < 0 || !text.startsWith(VERSION, end)) return undefined;
  const url = text.slice(START.length, end);
  if (!TARGET.test(url)) return undefined;
  const from = end + VERSION.length;
  const lines = text.slice(from);
  const block = known?.text === lines ? known : readBlock(lines);
  return block === undefined ? undefined : { url, block };
}

function readBlock(lines: string): HeaderBlock | undefined {
  const before = seen.get(lines);
  if (before !== undefined) return before;
  const block = parseBlock(lines);
  if (block === undefined) return undefined;
  if (seen.size >= MAX_SEEN) seen.clear();
  seen.set(block.text, block);
  return block;
}

function parseBlock(lines: string): HeaderBlock | undefined {
  if (!lines.endsWith('\r\n\r\n')) return undefined;
  const fields = lines.slice(0, -4).split('\r\n', MAX_HEADERS + 1);
  if (fields.length > MAX_HEADERS) return undefined;
  const headers = Object.create(null) as IncomingHttpHeaders;
  for (const field of fields) {
    const match = FIELD.exec(field);
    if (match === null) return undefined;
    const name = match[1]!.toLowerCase();
    if (NOT_PLAIN.has(name) || name in headers) return undefined;
    headers[name] = match[2]!;
  }
  const connection = headers.connection?.toLowerCase();
  if (connection !== undefined && connection !== 'keep-alive' && connection !== 'close') return undefined;
  if (!headers.host) return undefined;
  // A copy of its own, or the whole head it is cut from would stay in memory.
  const text = Buffer.from(lines, 'latin1').toString('latin1');
  return { text, headers, closes: connection === 'close' };
}
