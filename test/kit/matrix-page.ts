import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import type { Choice } from './page/outputs.ts';
import type { MatrixApi, PlayedReport } from './page/players.ts';
import { bundlePlayer } from './player-page.ts';
import type { Scope } from './scope.ts';
import type { WebBrowser, WebPage } from './web-page.ts';

const PAGE = `<!doctype html><meta charset="utf-8"><title>players</title><link rel="icon" href="data:,">
<style>body{margin:8px;font:12px sans-serif}</style><script type="module" src="/players.js"></script>`;

/** Serves a page in which every player of the matrix can be put, with the players' own builds; returns its address. */
export async function serveMatrix(scope: Scope): Promise<string> {
  const bundle = await bundlePlayer('test/kit/page/players.ts', 'players');
  scope.defer(bundle.remove);
  const builds: Readonly<Record<string, string>> = {
    'hls.min.js': 'hls.js/dist/hls.min.js',
    'shaka-player.compiled.js': 'shaka-player/dist/shaka-player.compiled.js',
    'dash.all.min.js': 'dashjs/dist/modern/umd/dash.all.min.js',
    'video.min.js': 'video.js/dist/video.min.js',
    'mpegts.js': 'mpegts.js/dist/mpegts.js',
  };
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url ?? '/', 'http://page').pathname);
    if (name === '') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(PAGE);
      return;
    }
    try {
      const build = builds[name];
      const body = readFileSync(
        build === undefined ? join(bundle.dir, name) : join(process.cwd(), 'node_modules', build),
      );
      response.writeHead(200, { 'content-type': 'text/javascript' });
      response.end(body);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  scope.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/`;
}

type Offering = typeof globalThis & { readonly matrix: MatrixApi };

/** A page in which several players play at once, in whatever browser. */
export class MatrixPage {
  readonly page: WebPage;

  private constructor(page: WebPage) {
    this.page = page;
  }

  static async open(browser: WebBrowser, address: string): Promise<MatrixPage> {
    const page = await browser.open(address);
    await page.run(async () => {
      while (!('matrix' in window)) await new Promise((resolve) => setTimeout(resolve, 20));
    }, null);
    return new MatrixPage(page);
  }

  /** Adds a player of `stream` (`APP/NAME`) on `origin`. */
  async add(choice: Choice, origin: string, stream: string): Promise<void> {
    await this.page.run(
      ([wanted, http, name]) => (window as unknown as Offering).matrix.add(wanted, http, name),
      [choice, origin, stream] as const,
    );
  }

  /** Begins a new measurement of every player. */
  async rest(): Promise<void> {
    await this.page.run(() => (window as unknown as Offering).matrix.rest(), null);
  }

  /** What each player has done since. */
  reports(): Promise<PlayedReport[]> {
    return this.page.run(() => (window as unknown as Offering).matrix.reports(), null);
  }

  /** Uncaught exceptions of the page. */
  faults(): Promise<string[]> {
    return this.page.run(() => (window as unknown as Offering).matrix.faults, null);
  }
}
