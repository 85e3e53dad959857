import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PlaylistBody } from '../../packager/hls/index.ts';
import { readByteRange } from './byte-range.ts';

/** RFC 8216bis §4: the registered type; the one with `x-` is not allowed. */
const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
/** The bytes behind the address of a segment, part or init segment never change. */
const IMMUTABLE = 'public, max-age=31536000, immutable';

/** True if the client takes gzip (RFC 9110 §12.5.3). */
export function takesGzip(header: string | undefined): boolean {
  if (header === undefined) return false;
  for (const item of header.slice(0, 1000).split(',')) {
    const [coding, ...parameters] = item.trim().toLowerCase().split(';');
    if (coding !== 'gzip' && coding !== 'x-gzip' && coding !== '*') continue;
    return !parameters.some((parameter) => /^\s*q=0(\.0{0,3})?\s*$/.test(parameter));
  }
  return false;
}

/** True if the client's copy is the one there is (RFC 9110 §13.1.2). */
export function isKnown(header: string | undefined, entityTag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(entityTag);
}

/**
 * Sends a playlist. Returns the bytes of the body that go out.
 * @param maxAge seconds it may be kept by caches.
 */
export function sendPlaylist(
  request: FastifyRequest,
  reply: FastifyReply,
  body: PlaylistBody,
  maxAge: number,
): number {
  const gzip = takesGzip(request.headers['accept-encoding']);
  const entityTag = body.entityTag(gzip);
  reply.headers({
    'cache-control': `public, max-age=${maxAge}`,
    etag: entityTag,
    vary: 'Accept-Encoding',
  });
  if (isKnown(request.headers['if-none-match'], entityTag)) {
    reply.code(304).send();
    return 0;
  }
  const bytes = gzip ? body.gzip : body.bytes;
  if (gzip) reply.header('content-encoding', 'gzip');
  reply.type(PLAYLIST_TYPE).send(bytes);
  return request.method === 'HEAD' ? 0 : bytes.length;
}

/** Sends media, or the range of it that was asked for. Returns the bytes of the body that go out. */
export function sendMedia(
  request: FastifyRequest,
  reply: FastifyReply,
  media: { readonly file: string; readonly type: string; readonly bytes: Uint8Array },
): number {
  const { bytes } = media;
  const entityTag = `"${media.file}-${bytes.length.toString(36)}"`;
  reply.headers({ 'cache-control': IMMUTABLE, etag: entityTag, 'accept-ranges': 'bytes' });
  if (isKnown(request.headers['if-none-match'], entityTag)) {
    reply.code(304).send();
    return 0;
  }
  const condition = request.headers['if-range'];
  const whole = condition !== undefined && condition !== entityTag;
  const span = readByteRange(whole ? undefined : request.headers.range, bytes.length);
  if (span.kind === 'outside') {
    reply.code(416).header('content-range', `bytes */${bytes.length}`).send();
    return 0;
  }
  reply.type(media.type);
  let body = bytes;
  if (span.kind === 'part') {
    body = bytes.subarray(span.from, span.to + 1);
    reply.code(206).header('content-range', `bytes ${span.from}-${span.to}/${bytes.length}`);
  }
  reply.send(body);
  return request.method === 'HEAD' ? 0 : body.length;
}
