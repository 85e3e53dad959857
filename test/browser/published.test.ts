import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../kit/chromium.ts';
import { launchFirefox } from '../kit/firefox.ts';
import { slack } from '../kit/load.ts';
import { MatrixPage, serveMatrix } from '../kit/matrix-page.ts';
import { probePackets } from '../kit/packets.ts';
import { press, sees } from '../kit/page-words.ts';
import { PeerPage, type PeerPlayer, servePeers } from '../kit/peer-page.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { fetchRecording } from '../kit/upload-client.ts';
import { chromiumPages, type WebBrowser, type WebPage } from '../kit/web-page.ts';

/** Least that is published, seconds. */
const SECONDS = 60;
/** How long each player plays what is live, seconds. */
const LIVE_SECONDS = 6;

const scope = new Scope();
const folder = scope.tempDir('onair-published-');
afterAll(() => scope.close());

/**
 * Keeps what the recorder of a page makes, beside what the page does with it. The camera is a small one: two cores record,
 * turn VP8 into H.264 and show it four times.
 */
function keepBlobs(page: WebPage): Promise<unknown> {
  return page.run(() => {
    const { mediaDevices } = navigator;
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = ({ audio = false }: MediaStreamConstraints = {}) =>
      open({ audio, video: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 } } });
    const blobs: Blob[] = [];
    window.MediaRecorder = class extends MediaRecorder {
      constructor(...what: ConstructorParameters<typeof MediaRecorder>) {
        super(...what);
        this.addEventListener('dataavailable', ({ data }) => blobs.push(data));
      }
    };
    Object.assign(window, { blobs });
  }, null);
}

/** What {@link keepBlobs} kept, as a file. */
async function keptBlobs(page: WebPage, path: string): Promise<void> {
  const parts = await page.run(async () => {
    const { blobs } = window as unknown as { blobs: Blob[] };
    const texts: string[] = [];
    for (const blob of blobs) {
      const reader = new FileReader();
      reader.readAsDataURL(blob);
      await new Promise((resolve) => {
        reader.onloadend = resolve;
      });
      const text = String(reader.result);
      // The type may hold a comma too.
      texts.push(text.slice(text.lastIndexOf(',') + 1));
    }
    return texts;
  }, null);
  writeFileSync(path, Buffer.concat(parts.map((text) => Buffer.from(text, 'base64'))));
}

/** Position and length of each video of a page that plays to its end, twice as fast as it was. */
function toTheEnd(page: WebPage): Promise<{ time: number; duration: number; width: number }[]> {
  return page.run(async () => {
    const videos = [...document.querySelectorAll('video')];
    for (const video of videos) {
      video.muted = true;
      video.playbackRate = 2;
      void video.play().catch(() => undefined);
    }
    for (let i = 0; i < 1600 && !videos.every(({ ended }) => ended); i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return videos.map(({ currentTime, duration, videoWidth }) => ({
      time: currentTime,
      duration,
      width: videoWidth,
    }));
  }, null);
}

function pictures(path: string): number {
  const { codecs, packets } = probePackets(path);
  const video = codecs.findIndex((codec) => codec !== 'opus');
  return packets.filter(({ stream }) => stream === video).length;
}

/** What ffprobe shows of an address: it plays from it as any player does, while this process serves it. */
async function shownBy(entries: string, url: string, ...options: string[]): Promise<string> {
  const args = ['-v', 'error', ...options, '-show_entries', entries, '-of', 'csv=p=0', url];
  const { stdout } = await promisify(execFile)('ffprobe', args, { timeout: 60_000 });
  return stdout.trim().replaceAll('\n', ', ');
}

describe.runIf(process.env.ONAIR_LONG === '1')('a minute published by MediaRecorder', () => {
  let server: TestServer;
  let peers: string;
  let matrix: string;
  let chromium: Browser;
  const browsers: Record<string, WebBrowser> = {};
  beforeAll(async () => {
    server = await startTestServer(scope);
    [peers, matrix] = await Promise.all([servePeers(scope), serveMatrix(scope)]);
    chromium = await launchChromium(scope);
    browsers.chromium = chromiumPages(chromium);
    browsers.firefox = await launchFirefox(scope);
  }, 120_000);

  /** Players of the page with the older ones, each in the page, and shaka in a page of its own. */
  async function open(stream: string, wanted: readonly PeerPlayer[], output: 'hls' | 'vod') {
    const page = await PeerPage.open(chromium, peers);
    for (const player of wanted) await page.add(player, server.http, stream);
    const other = await MatrixPage.open(browsers.chromium!, matrix);
    await other.add({ player: 'shaka', output }, server.http, stream);
    return { page, other };
  }

  it.each(['chromium', 'firefox'])(
    'by %s is played live and afterwards, to its last second, without a lost picture',
    async (engine) => {
      const studio = await browsers[engine]!.open(`${server.http}/studio`);
      await keepBlobs(studio);
      await press(studio, 'Get local stream');
      await press(studio, 'Start recording');
      await sees(studio, 'you are on air');
      const name = await studio.run(() => document.querySelector<HTMLInputElement>('input')!.value, null);
      const stream = `live/${name}`;
      const base = `${server.http}/${stream}`;
      const recorded = async (): Promise<number> => {
        const response = await fetch(`${base}/playlist.m3u8`);
        const lengths = response.ok ? (await response.text()).matchAll(/#EXTINF:([\d.]+)/g) : [];
        return [...lengths].reduce((sum, [, seconds]) => sum + Number(seconds), 0);
      };
      await until(async () => (await recorded()) > 8, { timeoutMs: 60_000 * slack() });
      const live: readonly PeerPlayer[] = [
        { player: 'hls.js' },
        { player: 'hls.js', playlist: 'ts.m3u8', old: true },
        { player: 'native' },
      ];
      const { page, other } = await open(stream, live, 'hls');
      let told = '';
      await until(
        async () => {
          const reports = [...(await page.reports()), ...(await other.reports())];
          told = JSON.stringify(reports.map(({ advanced, width, errors }) => ({ advanced, width, errors })));
          return reports.every(({ advanced }) => advanced > LIVE_SECONDS);
        },
        {
          timeoutMs: 60_000 * slack(),
          everyMs: 500,
          message: () => `${told} ${JSON.stringify(server.log.slice(-20))}`,
        },
      );
      console.log(`${engine}, live: hls.js, hls.js 0.8.4, native, shaka: ${told}`);
      const probed = await shownBy('stream=codec_name', `${base}/index.m3u8`);
      await page.page.context().close();
      await other.page.close();
      await until(async () => (await recorded()) > SECONDS, { timeoutMs: 180_000 * slack(), everyMs: 500 });
      await press(studio, 'Stop recording');
      await sees(studio, 'Finished');
      const file = await studio.run(
        () => document.querySelector<HTMLAnchorElement>('a[download]')!.href,
        null,
      );
      const made = join(folder, `${engine}-made.webm`);
      await keptBlobs(studio, made);
      await studio.close();
      const finished = join(folder, `${engine}-finished`);
      writeFileSync(finished, Buffer.from(await (await fetch(file)).arrayBuffer()));
      const { duration, codecs } = probePackets(finished);
      const { seconds, ended, discontinuities } = await fetchRecording(
        server.http,
        `/${stream}/playlist.m3u8`,
      );
      const [before, after] = [pictures(made), pictures(finished)];
      const frame = duration! / after;
      const shown = Number(await shownBy('format=duration', `${base}/playlist.m3u8`));
      console.log(
        `${engine}: live as ${probed}; file ${codecs.join(', ')}, ` +
          `${duration!.toFixed(3)} s; EXTINF ${seconds.toFixed(3)} s; ffprobe of the playlist ${shown.toFixed(3)} s; ` +
          `a picture ${(1000 * frame).toFixed(1)} ms; pictures made ${before}, recorded ${after}`,
      );
      expect([ended, discontinuities]).toEqual([true, 0]);
      expect(after).toBe(before);
      expect(Math.abs(seconds - duration!)).toBeLessThan(frame);
      expect(Math.abs(seconds - shown)).toBeLessThan(frame);
      // VP8 in MP4 is nothing that players take: they get it as H.264, and the file is WebM.
      const webm = codecs.includes('vp8');
      const counted = await shownBy(
        'stream=codec_name,nb_read_frames',
        `${base}/playlist.m3u8`,
        '-count_frames',
      );
      const kept: readonly PeerPlayer[] = [
        { player: 'hls.js', playlist: 'playlist.m3u8' },
        { player: 'native', playlist: 'playlist.m3u8' },
        ...(webm
          ? [{ player: 'native', playlist: new URL(file).pathname.slice(stream.length + 2) } as const]
          : []),
      ];
      const vod = await open(stream, kept, 'vod');
      const [one, two] = await Promise.all([
        toTheEnd({
          run: (script, what) => vod.page.page.evaluate(script as never, what as never),
        } as WebPage),
        toTheEnd(vod.other.page),
      ]);
      const played = [...one, ...two];
      const errors = [...(await vod.page.reports()), ...(await vod.other.reports())].map((r) => r.errors);
      console.log(
        `${engine}, afterwards: ${counted}; hls.js, native, ${webm ? 'native (WebM), ' : ''}shaka: ` +
          `${JSON.stringify(played)} ${JSON.stringify(errors)}`,
      );
      expect(counted).toContain(`h264,${after}`);
      for (const { time, width } of played) {
        expect(width).toBeGreaterThan(0);
        expect(time).toBeGreaterThan(seconds - 0.5);
      }
      await vod.page.page.context().close();
      await vod.other.page.close();
    },
    600_000,
  );
});
