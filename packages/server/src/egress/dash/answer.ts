import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Manifest } from '../../packager/dash/index.ts';
import { isKnown, takesGzip } from '../hls/answer.ts';

export { sendMedia } from '../hls/answer.ts';

/** ISO/IEC 23009-1 Annex C. */
const MANIFEST_TYPE = 'application/dash+xml';

/** Sends a manifest. Returns the bytes of the body that go out. Caches ask again each time; that costs a 304. */
export function sendManifest(request: FastifyRequest, reply: FastifyReply, { body, tag }: Manifest): number {
  const gzip = takesGzip(request.headers['accept-encoding']);
  const entityTag = `"${tag}${gzip ? '-gzip' : ''}"`;
  reply.headers({
    'cache-control': 'public, max-age=0, must-revalidate',
    etag: entityTag,
    vary: 'Accept-Encoding',
  });
  if (isKnown(request.headers['if-none-match'], entityTag)) {
    reply.code(304).send();
    return 0;
  }
  const bytes = gzip ? body.gzip : body.bytes;
  if (gzip) reply.header('content-encoding', 'gzip');
  reply.type(MANIFEST_TYPE).send(bytes);
  return request.method === 'HEAD' ? 0 : bytes.length;
}

/** Head of a segment that grows: no length, the end of the answer is the end of the segment. */
export function growingHeaders(reply: FastifyReply, kind: 'video' | 'audio'): OutgoingHttpHeaders {
  reply.headers({ 'content-type': `${kind}/mp4`, 'cache-control': 'public, max-age=31536000, immutable' });
  return reply.getHeaders() as OutgoingHttpHeaders;
}
