import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  acceptsCoding,
  answerPrepared,
  answerRanged,
  type ContentCoding,
  chooseCoding,
  type Exchange,
  NodeExchange,
  PreparedAnswer,
} from '../../net/index.ts';
import type { PlaylistBody } from '../../packager/hls/index.ts';

/** RFC 8216bis §4: the registered type; the one with `x-` is not allowed. */
const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
/** The bytes behind the address of a segment, part or init segment never change. */
const IMMUTABLE = 'public, max-age=31536000, immutable';

/** The answers made of a rendered text, by coding and age. */
const playlistAnswers = new WeakMap<PlaylistBody, Map<string, PreparedAnswer>>();
/** The answers made of media that many ask for at a time. */
const mediaAnswers = new WeakMap<Uint8Array, PreparedAnswer>();

/** True if a media element asks by itself, and not a script (Fetch Metadata §2.1). */
export function isOwnPlayer({ headers }: Exchange): boolean {
  const destination = headers['sec-fetch-dest'];
  return destination === 'video' || destination === 'audio';
}

/**
 * Sends a playlist. Returns the bytes of the body that go out.
 * @param maxAge seconds it may be kept by caches. @param shared caches may give it to others.
 */
export function sendPlaylist(exchange: Exchange, body: PlaylistBody, maxAge: number, shared = true): number {
  const coding = chooseCoding(exchange.headers['accept-encoding'] as string | undefined);
  let answers = playlistAnswers.get(body);
  if (answers === undefined) {
    answers = new Map();
    playlistAnswers.set(body, answers);
  }
  const key = `${coding} ${maxAge} ${shared}`;
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = playlistAnswer(body, coding, maxAge, shared);
    answers.set(key, answer);
  }
  return answerPrepared(exchange, answer);
}

function playlistAnswer(
  body: PlaylistBody,
  coding: ContentCoding,
  maxAge: number,
  shared: boolean,
): PreparedAnswer {
  return new PreparedAnswer(
    body.coded(coding),
    body.entityTag(coding),
    ['cache-control', `${shared ? 'public' : 'private'}, max-age=${maxAge}`, 'vary', 'Accept-Encoding'],
    ['content-type', PLAYLIST_TYPE, ...(coding === 'identity' ? [] : ['content-encoding', coding])],
  );
}

/**
 * Sends media, or the range of it that was asked for. Returns the bytes of the body that go out.
 * @param group e.g. the rendition: tells files of one name apart.
 */
export function sendMedia(
  exchange: Exchange,
  group: string,
  file: string,
  type: string,
  bytes: Uint8Array,
): number {
  let answer = mediaAnswers.get(bytes);
  if (answer === undefined) {
    answer = new PreparedAnswer(
      bytes,
      `"${group}-${file}-${bytes.length.toString(36)}"`,
      ['cache-control', IMMUTABLE, 'accept-ranges', 'bytes'],
      ['content-type', type],
    );
    mediaAnswers.set(bytes, answer);
  }
  return answerRanged(exchange, answer, type);
}

/** {@link sendMedia} for a route of the framework, which is told to keep out. */
export function replyMedia(
  request: FastifyRequest,
  reply: FastifyReply,
  media: { readonly group: string; readonly file: string; readonly type: string; readonly bytes: Uint8Array },
): number {
  reply.hijack();
  return sendMedia(
    new NodeExchange(request.raw, reply.raw),
    media.group,
    media.file,
    media.type,
    media.bytes,
  );
}

/** True if the client takes gzip (RFC 9110 §12.5.3). */
export function takesGzip(header: string | undefined): boolean {
  return acceptsCoding(header, 'gzip');
}

export { isKnown } from '../../net/index.ts';
