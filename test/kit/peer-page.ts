import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openPage } from './chromium.ts';
import type { Scope } from './scope.ts';

/** A way to play HLS in a browser, with nothing set. */
export type PeerPlayer =
  /** `old`: 0.8.4, that of the first pages. */
  | { readonly player: 'hls.js'; readonly playlist?: string; readonly old?: boolean }
  | { readonly player: 'native'; readonly playlist?: string };

/** What a video element in the page has done since {@link PeerPage.rest}, or since it was made. */
export interface PeerReport {
  /** Seconds that its position moved. */
  readonly advanced: number;
  readonly width: number;
  /** Pictures decoded. */
  readonly decoded: number;
  /** Bytes of sound decoded. */
  readonly audioBytes: number;
  /** Longest time without movement of the position, ms. */
  readonly stallMs: number;
  /** Errors in the player's own words since it was made. */
  readonly errors: readonly string[];
}

interface Watch {
  readonly video: HTMLVideoElement & { webkitAudioDecodedByteCount?: number };
  readonly errors: string[];
  time: number;
  movedAt: number;
  stallMs: number;
  base: { time: number; decoded: number; audioBytes: number };
}

type HlsClass = new (
  options: object,
) => {
  on(event: string, listener: (event: string, data: { fatal: boolean; details: string }) => void): void;
  loadSource(url: string): void;
  attachMedia(video: HTMLVideoElement): void;
};

/** The parts of hls.js that the page uses. */
interface PeerGlobals {
  readonly Hls: HlsClass;
  readonly OldHls: HlsClass;
  readonly watches: Watch[];
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>peers</title><link rel="icon" href="data:,">
<script src="/hls-0.8.4.min.js"></script><script>window.OldHls = window.Hls</script>
<script src="/hls.min.js"></script><script>Object.assign(window, { watches: [] })</script>`;

/** Serves a page with hls.js of today and of 2017; returns its address. */
export async function servePeers(scope: Scope): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  const peers: Readonly<Record<string, string>> = {
    'hls.min.js': join(resolve('hls.js'), '../hls.min.js'),
    'hls-0.8.4.min.js': join(resolve('hls.js-0.8.4'), '../../dist/hls.min.js'),
  };
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url ?? '/', 'http://page').pathname);
    if (name === '') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(PAGE);
      return;
    }
    const script = peers[name];
    response.writeHead(script === undefined ? 404 : 200, { 'content-type': 'text/javascript' });
    response.end(script === undefined ? '' : readFileSync(script));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/`;
}

/** A page in which several players play at once. */
export class PeerPage {
  readonly page: Page;
  /** Uncaught exceptions and console errors of the page. */
  readonly errors: readonly string[];

  private constructor(page: Page, errors: readonly string[]) {
    this.page = page;
    this.errors = errors;
  }

  static async open(browser: Browser, address: string): Promise<PeerPage> {
    const { page, errors } = await openPage(browser, { viewport: { width: 720, height: 480 } });
    await page.goto(address);
    await page.waitForFunction(() => 'watches' in window);
    return new PeerPage(page, errors);
  }

  /** Adds a player of `stream` (`APP/NAME`) on `origin`; its number in the page. */
  add(peer: PeerPlayer, origin: string, stream: string): Promise<number> {
    return this.page.evaluate(
      ([wanted, http, name]) => {
        const { Hls, OldHls, watches } = window as unknown as PeerGlobals;
        const errors: string[] = [];
        const video = document.createElement('video');
        video.width = 160;
        video.autoplay = true;
        document.body.append(video);
        video.addEventListener('error', () =>
          errors.push(`media ${video.error?.code} ${video.error?.message}`),
        );
        const watch: Watch = {
          video,
          errors,
          time: 0,
          movedAt: performance.now(),
          stallMs: 0,
          base: { time: 0, decoded: 0, audioBytes: 0 },
        };
        setInterval(() => {
          const now = performance.now();
          if (video.currentTime !== watch.time) {
            watch.time = video.currentTime;
            watch.movedAt = now;
          } else watch.stallMs = Math.max(watch.stallMs, now - watch.movedAt);
        }, 50);
        const playlist = `${http}/${name}/${wanted.playlist ?? 'index.m3u8'}`;
        if (wanted.player === 'hls.js') {
          const hls = wanted.old === true ? new OldHls({}) : new Hls({ lowLatencyMode: true });
          hls.on('hlsError', (_, { fatal, details }) => {
            if (fatal) errors.push(details);
          });
          hls.loadSource(playlist);
          hls.attachMedia(video);
        } else video.src = playlist;
        return watches.push(watch) - 1;
      },
      [peer, origin, stream] as const,
    );
  }

  /** Begins a new measurement of every player. */
  rest(): Promise<void> {
    return this.page.evaluate(() => {
      for (const watch of (window as unknown as PeerGlobals).watches) {
        const { video } = watch;
        watch.base = {
          time: video.currentTime,
          decoded: video.getVideoPlaybackQuality().totalVideoFrames,
          audioBytes: video.webkitAudioDecodedByteCount ?? 0,
        };
        watch.stallMs = 0;
        watch.movedAt = performance.now();
      }
    });
  }

  /** What each player has done since. */
  reports(): Promise<PeerReport[]> {
    return this.page.evaluate(() =>
      (window as unknown as PeerGlobals).watches.map(({ video, errors, stallMs, base }) => ({
        advanced: video.currentTime - base.time,
        width: video.videoWidth,
        decoded: video.getVideoPlaybackQuality().totalVideoFrames - base.decoded,
        audioBytes: (video.webkitAudioDecodedByteCount ?? 0) - base.audioBytes,
        stallMs: Math.round(stallMs),
        errors,
      })),
    );
  }
}
