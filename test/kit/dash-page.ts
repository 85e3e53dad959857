import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openPage } from './chromium.ts';
import type { Scope } from './scope.ts';

/** A DASH player of others. */
export type DashPlayer = 'dash.js' | 'shaka';

/** What a player in the page has done since {@link DashPage.rest}, or since it was made. */
export interface DashReport {
  readonly player: DashPlayer;
  /** Seconds that its position moved. */
  readonly advanced: number;
  /** Width of the picture, pixels. */
  readonly width: number;
  /** Pictures decoded, and those not shown. */
  readonly decoded: number;
  readonly dropped: number;
  /** Bytes of sound decoded. */
  readonly audioBytes: number;
  /** Longest time without movement of the position, ms, and times it stood for more than 200 ms. */
  readonly stallMs: number;
  readonly stalls: number;
  /** Seconds behind the publisher, looked at every 100 ms. */
  readonly latencies: readonly number[];
  /** True once the player has come to the end. */
  readonly ended: boolean;
  /** Errors in the player's own words since it was made. */
  readonly errors: readonly string[];
}

interface Watch {
  readonly player: DashPlayer;
  readonly video: HTMLVideoElement & { webkitAudioDecodedByteCount?: number };
  readonly errors: string[];
  /** Milliseconds since the Unix epoch at position 0. */
  epochMs(): number;
  latencies: number[];
  time: number;
  movedAt: number;
  stallMs: number;
  stalls: number;
  base: { time: number; decoded: number; dropped: number; audioBytes: number };
}

interface Globals {
  readonly dashjs: {
    MediaPlayer(): {
      create(): {
        updateSettings(settings: object): void;
        on(event: string, listener: (event: { error?: { code?: number; message?: string } }) => void): void;
        initialize(video: HTMLVideoElement, url: string, autoplay: boolean): void;
      };
    };
  };
  readonly shaka: {
    readonly polyfill: { installAll(): void };
    readonly Player: new () => {
      configure(settings: object): void;
      addEventListener(
        type: string,
        listener: (event: { detail: { code: number; severity: number } }) => void,
      ): void;
      attach(video: HTMLVideoElement): Promise<void>;
      load(url: string): Promise<void>;
    };
  };
  readonly watches: Watch[];
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>DASH players</title><link rel="icon" href="data:,">
<script src="/dash.all.min.js"></script><script src="/shaka-player.compiled.js"></script>
<script>Object.assign(window, { watches: [] })</script>`;

/** Serves a page with dash.js and shaka; returns its address. */
export async function serveDashPlayers(scope: Scope): Promise<string> {
  const modules = join(createRequire(import.meta.url).resolve('fastify/package.json'), '../..');
  const scripts: Readonly<Record<string, string>> = {
    '/dash.all.min.js': join(modules, 'dashjs/dist/modern/umd/dash.all.min.js'),
    '/shaka-player.compiled.js': join(modules, 'shaka-player/dist/shaka-player.compiled.js'),
  };
  const server = createServer((request, response) => {
    const script = scripts[request.url ?? '/'];
    const type = script === undefined ? 'text/html' : 'text/javascript';
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8` });
    response.end(script === undefined ? PAGE : readFileSync(script));
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

/** A page in which DASH players play. */
export class DashPage {
  readonly page: Page;
  /** Uncaught exceptions and console errors of the page. */
  readonly errors: readonly string[];

  private constructor(page: Page, errors: readonly string[]) {
    this.page = page;
    this.errors = errors;
  }

  static async open(browser: Browser, address: string): Promise<DashPage> {
    const { page, errors } = await openPage(browser, { viewport: { width: 720, height: 480 } });
    await page.goto(address);
    await page.waitForFunction(() => 'shaka' in window && 'dashjs' in window);
    return new DashPage(page, errors);
  }

  /** Adds a player of the manifest at `url`; its number in the page. */
  add(player: DashPlayer, url: string, settings: object = {}): Promise<number> {
    return this.page.evaluate(
      async ([wanted, address, options]) => {
        const { dashjs, shaka, watches } = window as unknown as Globals;
        const video = document.createElement('video');
        video.width = 320;
        video.muted = true;
        video.autoplay = true;
        document.body.append(video);
        const errors: string[] = [];
        video.addEventListener('error', () =>
          errors.push(`media ${video.error?.code} ${video.error?.message}`),
        );
        const manifest = await (await fetch(address)).text();
        const start = /availabilityStartTime="([^"]+)"/.exec(manifest)?.[1] ?? '';
        const epoch = Date.parse(start);
        const watch: Watch = {
          player: wanted,
          video,
          errors,
          epochMs: () => epoch,
          latencies: [],
          time: 0,
          movedAt: performance.now(),
          stallMs: 0,
          stalls: 0,
          base: { time: 0, decoded: 0, dropped: 0, audioBytes: 0 },
        };
        let standing = false;
        setInterval(() => {
          const now = performance.now();
          if (video.currentTime !== watch.time) {
            watch.time = video.currentTime;
            watch.movedAt = now;
            standing = false;
          } else {
            watch.stallMs = Math.max(watch.stallMs, now - watch.movedAt);
            if (!standing && now - watch.movedAt > 200) {
              standing = true;
              watch.stalls++;
            }
          }
        }, 25);
        setInterval(() => {
          if (video.readyState > 2) watch.latencies.push((Date.now() - epoch) / 1000 - video.currentTime);
        }, 100);
        const number = watches.push(watch) - 1;
        if (wanted === 'dash.js') {
          const dash = dashjs.MediaPlayer().create();
          dash.updateSettings(options);
          dash.on('error', ({ error }) => errors.push(`${error?.code} ${error?.message}`));
          dash.initialize(video, address, true);
          return number;
        }
        shaka.polyfill.installAll();
        const player = new shaka.Player();
        player.addEventListener('error', ({ detail }) => {
          errors.push(`shaka ${detail.code} severity ${detail.severity}`);
        });
        await player.attach(video);
        player.configure(options);
        await player.load(address);
        return number;
      },
      [player, url, settings] as const,
    );
  }

  /** Begins a new measurement of every player. */
  rest(): Promise<void> {
    return this.page.evaluate(() => {
      for (const watch of (window as unknown as Globals).watches) {
        const { video } = watch;
        const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
        watch.base = {
          time: video.currentTime,
          decoded: totalVideoFrames,
          dropped: droppedVideoFrames,
          audioBytes: video.webkitAudioDecodedByteCount ?? 0,
        };
        watch.latencies = [];
        watch.stallMs = 0;
        watch.stalls = 0;
        watch.movedAt = performance.now();
      }
    });
  }

  /** What each player has done since. */
  reports(): Promise<DashReport[]> {
    return this.page.evaluate(() =>
      (window as unknown as Globals).watches.map((watch) => {
        const { player, video, errors, base, latencies, stallMs, stalls } = watch;
        const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
        return {
          player,
          advanced: video.currentTime - base.time,
          width: video.videoWidth,
          decoded: totalVideoFrames - base.decoded,
          dropped: droppedVideoFrames - base.dropped,
          audioBytes: (video.webkitAudioDecodedByteCount ?? 0) - base.audioBytes,
          stallMs: Math.round(stallMs),
          stalls,
          latencies,
          ended: video.ended,
          errors,
        };
      }),
    );
  }
}
