import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { MediaFileList } from '@onair/contracts/file-socket';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config/index.ts';
import { HttpProblem, type HttpServer, readByteRange, refusedForNow } from '../net/index.ts';
import type { Logger } from '../observe/index.ts';
import { type FileViewing, serveFileSocket } from './file-socket.ts';
import { FileShelf, mediaTypeOf } from './shelf.ts';

/** What the files need. */
export interface FilesDeps {
  readonly config: () => Config;
  readonly logger: Logger;
  /** Throws unless whoever asks may add and delete files. */
  allow(request: FastifyRequest): Promise<void>;
  /** True if whoever asks needs no key for it. */
  open(request: FastifyRequest): boolean;
}

interface FileCall {
  readonly Params: { readonly file: string };
  readonly Querystring: Readonly<Record<string, string>>;
}

/**
 * `/files/list`, and `/files/media/NAME` to play over WebSocket, read by ranges, add (PUT) and delete, see
 * `docs/protocols/ws-file.md`. The returned function ends all viewers.
 */
export function registerFiles(http: HttpServer, { config, logger, allow, open }: FilesDeps): () => void {
  if (!config().files.enabled) return () => undefined;
  const folder = config().files.folder ?? join(config().data, 'files');
  const shelf = new FileShelf(folder, () => config().files);
  const viewers = new Set<FileViewing>();
  registerReading(http, shelf, {
    list: async (request) => ({
      files: await shelf.list(),
      maxBytes: config().files.maxBytes,
      open: open(request),
    }),
  });
  registerAdding(http, shelf, allow);
  http.upgrades.add({
    pattern: /^\/files\/media\/(?<file>[^/]+)$/,
    origins: 'any',
    handle: async (upgrade) => {
      if (viewers.size >= config().files.maxViewers) throw refusedForNow('OVERLOADED', 5);
      const name = decoded(upgrade.params.file ?? '');
      const file = await shelf.open(name);
      const viewing = serveFileSocket(upgrade, name, file, (err) => {
        if (viewing !== undefined) viewers.delete(viewing);
        if (err !== undefined) logger.error({ err, file: name }, 'a media file could not be read');
      });
      if (viewing !== undefined) viewers.add(viewing);
    },
  });
  return () => {
    for (const viewing of viewers) viewing.close('server stopping');
  };
}

function registerReading(
  http: HttpServer,
  shelf: FileShelf,
  { list }: { list(request: FastifyRequest): Promise<MediaFileList> },
): void {
  http.fastify.get('/files/list', (request) => list(request));
  http.registerMedia((scope) => {
    scope.get<FileCall>('/files/media/:file', (request, reply) => sendFile(shelf, request, reply));
  });
}

/** The file, or the range of it that was asked for (RFC 9110 §14). */
async function sendFile(
  shelf: FileShelf,
  request: FastifyRequest<FileCall>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const name = request.params.file;
  const { handle, size, modified } = await shelf.open(name);
  let handedOn = false;
  try {
    const wanted = readByteRange(request.headers.range, size);
    reply
      .type(mediaTypeOf(name) ?? 'application/octet-stream')
      .header('cache-control', 'no-cache')
      .header('last-modified', new Date(modified).toUTCString())
      .header('accept-ranges', 'bytes');
    if (wanted.kind === 'outside') return reply.code(416).header('content-range', `bytes */${size}`).send();
    const { from, to } = wanted.kind === 'part' ? wanted : { from: 0, to: size - 1 };
    if (wanted.kind === 'part') reply.code(206).header('content-range', `bytes ${from}-${to}/${size}`);
    reply.header('content-length', String(to - from + 1));
    // Whatever is no stream would set the length of the answer to its own.
    if (request.method === 'HEAD' || size === 0) return reply.send(Readable.from([]));
    handedOn = true;
    return reply.send(createReadStream('', { fd: handle, start: from, end: to, autoClose: true }));
  } finally {
    if (!handedOn) await handle.close();
  }
}

function registerAdding(http: HttpServer, shelf: FileShelf, allow: FilesDeps['allow']): void {
  void http.fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    scope.put<FileCall>(
      '/files/media/:file',
      { bodyLimit: Number.MAX_SAFE_INTEGER },
      async (request, reply) => {
        await allow(request);
        const name = request.params.file;
        const { offset = '0', end = '1' } = request.query;
        if (!/^\d{1,15}$/.test(offset)) {
          throw new HttpProblem('BAD_REQUEST', { detail: 'the parameter offset must be a whole number' });
        }
        const received = await shelf.add(name, Number(offset), request.raw);
        if (end !== '1') return { name, received };
        await shelf.finish(name);
        return reply.code(201).send({ name, received });
      },
    );
    scope.delete<FileCall>('/files/media/:file', async (request, reply) => {
      await allow(request);
      await shelf.remove(request.params.file);
      return reply.code(204).send();
    });
  });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpProblem('NOT_FOUND');
  }
}
