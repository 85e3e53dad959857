import type { OnairPlayerElement } from '@onair/client';
import type { Page } from 'playwright-core';

/** What a player in a page did, seen from outside. */
export interface Probe {
  readonly status: string;
  readonly transport: string | undefined;
  /** Position, s. */
  readonly time: number;
  readonly width: number;
  /** Pictures decoded so far. */
  readonly decoded: number;
  readonly dropped: number;
  /** Bytes of sound decoded so far. */
  readonly audioBytes: number;
  /** As the player says, s. */
  readonly latency: number | undefined;
  readonly ahead: number;
  readonly rate: number;
  readonly stalls: number;
  readonly reconnects: number;
  /** `onair-error` events so far. */
  readonly errors: number;
  /** From adding the player to its first picture, ms; 0 before. */
  readonly firstPicture: number;
}

/** What happened during {@link watchFor}. */
export interface Watched {
  /** Seconds that the position moved. */
  readonly advanced: number;
  readonly width: number;
  readonly decoded: number;
  readonly dropped: number;
  readonly audioBytes: number;
  readonly errors: number;
  readonly reconnects: number;
  /** Longest time without movement of the position, ms. */
  readonly longestStall: number;
  readonly latencyP50: number;
  readonly latencyP95: number;
}

interface Notes {
  added: number;
  first: number;
  errors: number;
}

/** Puts a player into the page and begins to watch it. */
export async function addPlayer(page: Page, attributes: Readonly<Record<string, string>>): Promise<void> {
  await page.evaluate(async (wanted) => {
    await customElements.whenDefined('onair-player');
    const player = document.createElement('onair-player') as OnairPlayerElement;
    for (const [name, value] of Object.entries(wanted)) player.setAttribute(name, value);
    const notes: Notes = { added: performance.now(), first: 0, errors: 0 };
    (window as unknown as { notes: Notes }).notes = notes;
    player.addEventListener('onair-error', () => {
      notes.errors++;
    });
    document.body.append(player);
    player.video?.requestVideoFrameCallback(() => {
      notes.first = performance.now() - notes.added;
    });
  }, attributes);
}

/** Looks at the player in the page. */
export function probe(page: Page): Promise<Probe> {
  return page.evaluate(() => {
    const player = document.querySelector('onair-player')!;
    const { notes } = window as unknown as { notes: Notes | undefined };
    const video = player.video as HTMLVideoElement & { webkitAudioDecodedByteCount?: number };
    const figures = player.figures!;
    return {
      status: player.status.kind,
      transport: figures.transport,
      time: video.currentTime,
      width: video.videoWidth,
      decoded: figures.decoded,
      dropped: figures.dropped,
      audioBytes: video.webkitAudioDecodedByteCount ?? 0,
      latency: figures.latency,
      ahead: figures.ahead,
      rate: figures.rate,
      stalls: figures.stalls,
      reconnects: figures.reconnects,
      errors: notes?.errors ?? 0,
      firstPicture: notes?.first ?? 0,
    };
  });
}

/** Looks at the player for `ms` milliseconds, about fifty times a second, from inside the page. */
export async function watchFor(page: Page, ms: number): Promise<Watched> {
  const before = await probe(page);
  const seen = await page.evaluate(async (duration) => {
    const player = document.querySelector('onair-player')!;
    const { video } = player;
    const latencies: number[] = [];
    let position = video!.currentTime;
    let movedAt = performance.now();
    let longestStall = 0;
    const end = movedAt + duration;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const now = performance.now();
        if (video!.currentTime !== position) {
          longestStall = Math.max(longestStall, now - movedAt);
          position = video!.currentTime;
          movedAt = now;
        }
        const latency = player.figures?.latency;
        if (latency !== undefined) latencies.push(latency);
        if (now < end) return;
        clearInterval(timer);
        longestStall = Math.max(longestStall, now - movedAt);
        resolve();
      }, 20);
    });
    latencies.sort((a, b) => a - b);
    const at = (part: number): number => latencies[Math.floor((latencies.length - 1) * part)] ?? Number.NaN;
    return { longestStall, latencyP50: at(0.5), latencyP95: at(0.95) };
  }, ms);
  const after = await probe(page);
  return {
    advanced: after.time - before.time,
    width: after.width,
    decoded: after.decoded - before.decoded,
    dropped: after.dropped - before.dropped,
    audioBytes: after.audioBytes - before.audioBytes,
    errors: after.errors - before.errors,
    reconnects: after.reconnects - before.reconnects,
    ...seen,
  };
}

/** Seconds from making to showing each picture looked at during `ms` milliseconds, by the clock burnt into it; ascending. */
export function measureGlass(page: Page, ms: number): Promise<number[]> {
  return page.evaluate(async (duration) => {
    const { BurntClockMeter } = (window as unknown as { onair: typeof import('@onair/client') }).onair;
    const measures: number[] = [];
    const meter = new BurntClockMeter(document.querySelector('onair-player')!.video!, {
      everyMs: 100,
      onMeasure: (measure) => {
        if (measure !== undefined) measures.push(measure.seconds);
      },
    });
    await new Promise((resolve) => setTimeout(resolve, duration));
    meter.close();
    return measures.sort((a, b) => a - b);
  }, ms);
}
