import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { build } from 'vite';
import { WebSocketServer } from 'ws';
import { MockStream } from './mock-stream.ts';

/**
 * Bundles `<onair-player>` as a page would get it, or another module for a page.
 * @param entry from the root of the repository. @param fileName without `.js`. @returns the folder and how to delete it
 */
export async function bundlePlayer(
  entry = 'packages/client/src/index.ts',
  fileName = 'onair-player',
): Promise<{ readonly dir: string; readonly remove: () => void }> {
  const dir = mkdtempSync(join(tmpdir(), 'onair-player-'));
  await build({
    configFile: false,
    logLevel: 'error',
    root: process.cwd(),
    resolve: { conditions: ['onair-source', 'browser', 'import', 'module', 'default'] },
    build: {
      outDir: dir,
      emptyOutDir: true,
      minify: true,
      lib: {
        entry: join(process.cwd(), entry),
        formats: ['es'],
        fileName,
      },
    },
  });
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** A server on a free loopback port that serves the bundle, a page with a player, and mock streams. */
export class PlayerPage {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #streams = new Map<string, MockStream>();

  constructor(dir: string) {
    this.#server = createServer((request, response) => {
      const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://page');
      if (path === '/') {
        // Each query parameter is an attribute of a player that stands in the page from the beginning.
        const attributes = [...searchParams].map(([name, value]) => ` ${name}="${value}"`).join('');
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
        response.end(PAGE + (attributes === '' ? '' : `<onair-player${attributes}></onair-player>`));
        return;
      }
      try {
        const body = readFileSync(join(dir, basename(path)));
        response.writeHead(200, { 'content-type': 'text/javascript' });
        response.end(body);
      } catch {
        response.writeHead(404);
        response.end();
      }
    });
    this.#server.on('upgrade', (request, socket, head) => {
      const url = new URL(request.url ?? '/', 'http://page');
      const stream = this.#streams.get(url.pathname.replace(/\.fmp4$/, '').slice(1));
      if (stream === undefined) {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => stream.accept(webSocket, url));
    });
  }

  /** Begins to listen. @returns the page's address */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `http://127.0.0.1:${address.port}/`;
  }

  /** The stream of that name, made when first asked for. */
  stream(name: string): MockStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new MockStream(name);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  /** Stops everything. */
  async close(): Promise<void> {
    for (const stream of this.#streams.values()) stream.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>player</title><link rel="icon" href="data:,"><style>body{margin:0;background:#23272e}</style>
<script type="module">import * as onair from "/onair-player.js"; window.onair = onair</script>`;
