import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { securityHeaders } from './http-headers.ts';
import { HttpProblem } from './http-problem.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.mp4': 'video/mp4',
};
const COMPRESSIBLE = /^(text|application\/(json|wasm|manifest)|image\/svg)/;

/** Where the pages of this installation are built to. */
export function builtPages(): string {
  return fileURLToPath(new URL('../../../web/dist', import.meta.url));
}

/** Addresses of pages and the file that each of them is. */
export const PAGES: readonly { readonly path: string; readonly file: string; readonly embed?: boolean }[] = [
  { path: '/', file: 'index.html' },
  { path: '/watch/:app/:name', file: 'watch.html' },
  { path: '/watch/:user', file: 'watch.html' },
  { path: '/live', file: 'live.html' },
  { path: '/login', file: 'signin.html' },
  { path: '/about', file: 'about.html' },
  { path: '/relay/:app/:name', file: 'relay.html' },
  { path: '/embed/:app/:name', file: 'embed.html', embed: true },
  { path: '/compare/:app/:name', file: 'compare.html' },
  { path: '/talk/:room', file: 'talk.html' },
  { path: '/talk', file: 'talk.html' },
  { path: '/talk.html', file: 'talk.html' },
  { path: '/room/:room', file: 'room.html' },
  { path: '/room', file: 'room.html' },
  { path: '/watch.html', file: 'room.html' },
  { path: '/rooms', file: 'rooms.html' },
  { path: '/dashboard', file: 'dashboard.html' },
  { path: '/operator', file: 'operator.html' },
  { path: '/studio', file: 'studio.html' },
  { path: '/recorder', file: 'studio.html' },
  { path: '/reporter', file: 'reporter.html' },
  { path: '/viewer', file: 'viewer.html' },
  { path: '/player', file: 'player.html' },
  { path: '/files', file: 'files.html' },
  { path: '/proxy', file: 'proxy.html' },
  { path: '/inspect', file: 'inspect.html' },
  { path: '/capabilities', file: 'capabilities.html' },
  { path: '/signin', file: 'signin.html' },
];

/** Shortest time between two looks into the folder for files that are not known, milliseconds. */
const RESCAN_MS = 1000;
const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

type Encoding = 'br' | 'gzip' | 'identity';

/** A file in memory with its encodings, each made once. */
interface Loaded {
  readonly stamp: string;
  readonly type: string;
  readonly etag: string;
  readonly bytes: Buffer;
  readonly encoded: Map<Encoding, Promise<Buffer>>;
}

/**
 * The files of the built pages. Only what a walk through the folder found is ever opened, so no address can lead
 * anywhere else; symbolic links are not followed.
 */
export class PageFiles {
  readonly #folder: string;
  readonly #loaded = new Map<string, Promise<Loaded>>();
  #known = new Set<string>();
  #scannedAt = Number.NEGATIVE_INFINITY;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** True if there is such a file, named with slashes from the folder. */
  has(file: string): boolean {
    if (this.#known.has(file)) return true;
    if (performance.now() - this.#scannedAt < RESCAN_MS) return false;
    this.#scannedAt = performance.now();
    this.#known = new Set(filesIn(this.#folder, ''));
    return this.#known.has(file);
  }

  /** The file's content; read again only if it changed. */
  async load(file: string): Promise<Loaded | undefined> {
    if (!this.has(file)) return undefined;
    const path = join(this.#folder, file);
    try {
      const { mtimeMs, size } = await stat(path);
      const stamp = `${mtimeMs}:${size}`;
      const known = await this.#loaded.get(file);
      if (known?.stamp === stamp) return known;
      const loading = readLoaded(path, stamp);
      this.#loaded.set(file, loading);
      return await loading;
    } catch {
      this.#loaded.delete(file);
      this.#known.delete(file);
      return undefined;
    }
  }
}

function filesIn(root: string, under: string): string[] {
  try {
    return readdirSync(join(root, under), { withFileTypes: true }).flatMap((entry) => {
      const name = under === '' ? entry.name : `${under}/${entry.name}`;
      if (entry.name.startsWith('.')) return [];
      if (entry.isDirectory()) return filesIn(root, name);
      return entry.isFile() ? [name] : [];
    });
  } catch {
    return [];
  }
}

async function readLoaded(path: string, stamp: string): Promise<Loaded> {
  const bytes = await readFile(path);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  const type = TYPES[extname(path)] ?? 'application/octet-stream';
  return { stamp, type, etag, bytes, encoded: new Map() };
}

function encodedBytes(file: Loaded, encoding: Encoding): Promise<Buffer> {
  let bytes = file.encoded.get(encoding);
  if (bytes === undefined) {
    if (encoding === 'br') {
      const params = {
        [constants.BROTLI_PARAM_QUALITY]: 9,
        [constants.BROTLI_PARAM_SIZE_HINT]: file.bytes.length,
      };
      bytes = compressBrotli(file.bytes, { params });
    } else bytes = encoding === 'gzip' ? compressGzip(file.bytes, { level: 9 }) : Promise.resolve(file.bytes);
    file.encoded.set(encoding, bytes);
  }
  return bytes;
}

/** The best encoding that an `Accept-Encoding` header takes (RFC 9110 §12.5.3). */
export function chooseEncoding(header: string | undefined): Encoding {
  const accepted = new Set(
    (header ?? '')
      .slice(0, 1000)
      .split(',')
      .map((part) => part.trim().toLowerCase())
      .filter((part) => !/;\s*q=0(\.0*)?$/.test(part))
      .map((part) => part.split(';')[0]!.trim()),
  );
  if (accepted.has('br')) return 'br';
  return accepted.has('gzip') ? 'gzip' : 'identity';
}

async function sendFile(request: FastifyRequest, reply: FastifyReply, file: Loaded, immutable: boolean) {
  reply
    .type(file.type)
    .header('etag', file.etag)
    .header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  const compressible = COMPRESSIBLE.test(file.type) && file.bytes.length > 1000;
  if (compressible) reply.header('vary', 'accept-encoding');
  if (String(request.headers['if-none-match'] ?? '').includes(file.etag)) return reply.code(304).send();
  const encoding = compressible
    ? chooseEncoding(request.headers['accept-encoding'] as string | undefined)
    : 'identity';
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  return reply.send(await encodedBytes(file, encoding));
}

/** Registers the pages, their assets, and the answer to every address that nobody else has. */
export function registerPages(fastify: FastifyInstance, folder: string): void {
  const files = new PageFiles(folder);
  const sendPage = async (request: FastifyRequest, reply: FastifyReply, name: string, embed: boolean) => {
    const file = await files.load(name);
    if (file === undefined) return undefined;
    reply.headers(securityHeaders(embed ? 'embed' : 'page', request.headers.host));
    return sendFile(request, reply, file, false);
  };
  const sendMissing = async (request: FastifyRequest, reply: FastifyReply) => {
    if ((request.method === 'GET' || request.method === 'HEAD') && wantsPage(request)) {
      reply.code(404);
      const sent = await sendPage(request, reply, '404.html', false);
      if (sent !== undefined) return sent;
    }
    throw new HttpProblem('NOT_FOUND');
  };
  for (const { path, file, embed = false } of PAGES) {
    fastify.get(path, async (request, reply) => {
      const { app, name } = request.params as { app?: string; name?: string };
      if ([app, name].some((part) => part !== undefined && !/^[\w-]{1,64}$/.test(part))) {
        return sendMissing(request, reply);
      }
      const sent = await sendPage(request, reply, file, embed);
      if (sent !== undefined) return sent;
      if (!files.has('index.html')) throw new HttpProblem('PAGES_MISSING');
      return sendMissing(request, reply);
    });
  }
  const sendAsset = async (request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?', 1)[0]!.slice(1);
    const file = path.endsWith('.html') ? undefined : await files.load(path);
    if (file === undefined) return sendMissing(request, reply);
    reply.headers(securityHeaders('asset', undefined)).removeHeader('content-security-policy');
    return sendFile(request, reply, file, path.startsWith('assets/'));
  };
  fastify.get('/assets/*', sendAsset);
  fastify.setNotFoundHandler((request, reply) =>
    request.method === 'GET' || request.method === 'HEAD'
      ? sendAsset(request, reply)
      : sendMissing(request, reply),
  );
}

function wantsPage(request: FastifyRequest): boolean {
  return String(request.headers.accept ?? '').includes('text/html') && !request.url.startsWith('/api/');
}
