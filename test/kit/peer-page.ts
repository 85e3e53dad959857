import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openPage } from './chromium.ts';
import { bundlePlayer } from './player-page.ts';
import type { Scope } from './scope.ts';

/** A way to play in a browser: our element by one transport, or another player. */
export type PeerPlayer =
  | { readonly player: 'onair'; readonly transport: 'ws' | 'llhls' | 'hls' | 'flv' }
  /** `old`: 0.8.4, that of the first pages. */
  | { readonly player: 'hls.js'; readonly playlist?: string; readonly old?: boolean }
  | { readonly player: 'mpegts.js'; readonly socket: boolean }
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

/** The parts of hls.js and mpegts.js that the page uses. */
interface PeerGlobals {
  readonly Hls: HlsClass;
  readonly OldHls: HlsClass;
  readonly mpegts: {
    createPlayer(
      source: object,
      options: object,
    ): {
      on(event: string, listener: (...what: unknown[]) => void): void;
      attachMediaElement(video: HTMLVideoElement): void;
      load(): void;
      play(): void;
    };
  };
  readonly watches: Watch[];
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>peers</title><link rel="icon" href="data:,">
<script src="/hls-0.8.4.min.js"></script><script>window.OldHls = window.Hls</script>
<script src="/hls.min.js"></script><script src="/mpegts.js"></script>
<script>Object.assign(window, { watches: [] })</script>
<script type="module">import "/onair-player.js"</script>`;

/** Serves a page with our player and its peers; returns its address. */
export async function servePeers(scope: Scope): Promise<string> {
  const bundle = await bundlePlayer();
  scope.defer(bundle.remove);
  const { resolve } = createRequire(import.meta.url);
  const peers: Readonly<Record<string, string>> = {
    'hls.min.js': join(resolve('hls.js'), '../hls.min.js'),
    'hls-0.8.4.min.js': join(resolve('hls.js-0.8.4'), '../../dist/hls.min.js'),
    'mpegts.js': resolve('mpegts.js'),
  };
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url ?? '/', 'http://page').pathname);
    if (name === '') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(PAGE);
      return;
    }
    try {
      const body = readFileSync(peers[name] ?? join(bundle.dir, name));
      response.writeHead(200, { 'content-type': 'text/javascript' });
      response.end(body);
    } catch {
      response.writeHead(404);
      response.end();
    }
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
    await page.waitForFunction(() => customElements.get('onair-player') !== undefined);
    return new PeerPage(page, errors);
  }

  /** Adds a player of `stream` (`APP/NAME`) on `origin`; its number in the page. */
  add(peer: PeerPlayer, origin: string, stream: string): Promise<number> {
    return this.page.evaluate(
      ([wanted, http, name]) => {
        const { Hls, OldHls, mpegts, watches } = window as unknown as PeerGlobals;
        const own = wanted.player === 'onair' ? document.createElement('onair-player') : undefined;
        const errors: string[] = [];
        if (own !== undefined && wanted.player === 'onair') {
          for (const [key, value] of Object.entries({
            src: `${http}/${name}`,
            transport: wanted.transport,
          })) {
            own.setAttribute(key, value);
          }
          own.setAttribute('autoplay', '');
          own.addEventListener('onair-error', () => errors.push('onair-error'));
          own.style.cssText = 'display:inline-block;width:160px;height:90px';
          document.body.append(own);
        }
        const video =
          (own as { video?: HTMLVideoElement } | undefined)?.video ?? document.createElement('video');
        if (own === undefined) {
          video.width = 160;
          video.autoplay = true;
          document.body.append(video);
        }
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
        const list = ('playlist' in wanted ? wanted.playlist : undefined) ?? 'index.m3u8';
        const playlist = `${http}/${name}/${list}`;
        if (wanted.player === 'hls.js') {
          const hls = wanted.old === true ? new OldHls({}) : new Hls({ lowLatencyMode: true });
          hls.on('hlsError', (_, { fatal, details }) => {
            if (fatal) errors.push(details);
          });
          hls.loadSource(playlist);
          hls.attachMedia(video);
        } else if (wanted.player === 'mpegts.js') {
          const url = `${wanted.socket ? http.replace('http', 'ws') : http}/${name}.flv`;
          const player = mpegts.createPlayer(
            { type: 'flv', isLive: true, url },
            { enableStashBuffer: false },
          );
          player.on('error', (...what) => errors.push(what.map((one) => JSON.stringify(one)).join(' ')));
          player.attachMediaElement(video);
          player.load();
          player.play();
        } else if (wanted.player === 'native') video.src = playlist;
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
