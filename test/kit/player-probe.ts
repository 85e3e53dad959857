import type { OnairPlayerElement } from '@onair/client';
import type { Page } from 'playwright-core';

/** What a player in a page did, seen from outside. */
export interface Probe {
  readonly time: number;
  readonly width: number;
  readonly decoded: number;
  readonly dropped: number;
  readonly audioBytes: number;
  readonly status: string;
  readonly latency: number | undefined;
  readonly stalls: number;
  readonly rate: number;
  readonly transport: string | undefined;
  readonly errors: number;
  readonly reconnects: number;
  /** Longest time without a new picture since the last look, ms. */
  readonly longestGap: number;
  /** Seconds between a picture's arrival at the server and its presentation, the newest picture. */
  readonly ahead: number;
}

/** Puts a player into the page and begins to watch it. */
export async function addPlayer(page: Page, attributes: Readonly<Record<string, string>>): Promise<void> {
  await page.evaluate(async (wanted) => {
    await customElements.whenDefined('onair-player');
    const player = document.createElement('onair-player') as OnairPlayerElement;
    for (const [name, value] of Object.entries(wanted)) player.setAttribute(name, value);
    const watch = { gap: 0, last: performance.now(), errors: 0, errorList: [] as string[] };
    (window as unknown as { watch: typeof watch }).watch = watch;
    player.addEventListener('onair-error', (event) => {
      watch.errors++;
      watch.errorList.push(JSON.stringify((event as CustomEvent).detail));
    });
    document.body.append(player);
    const frame = (): void => {
      const now = performance.now();
      watch.gap = Math.max(watch.gap, now - watch.last);
      watch.last = now;
      player.video?.requestVideoFrameCallback(frame);
    };
    player.video?.requestVideoFrameCallback(frame);
  }, attributes);
}

/** Looks at the player in the page. */
export function probe(page: Page): Promise<Probe> {
  return page.evaluate(() => {
    const player = document.querySelector('onair-player')!;
    const watch = (window as unknown as { watch: { gap: number; errors: number } }).watch;
    const video = player.video as HTMLVideoElement & { webkitAudioDecodedByteCount?: number };
    const figures = player.figures!;
    const longestGap = watch.gap;
    watch.gap = 0;
    return {
      time: video.currentTime,
      width: video.videoWidth,
      decoded: figures.decoded,
      dropped: figures.dropped,
      audioBytes: video.webkitAudioDecodedByteCount ?? 0,
      status: player.status.kind,
      latency: figures.latency,
      stalls: figures.stalls,
      rate: figures.rate,
      transport: figures.transport,
      errors: watch.errors,
      reconnects: figures.reconnects,
      longestGap,
      ahead: figures.ahead,
    };
  });
}
