import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../kit/chromium.ts';
import { launchFirefox } from '../kit/firefox.ts';
import { probePackets } from '../kit/packets.ts';
import { press, sees as seesWords } from '../kit/page-words.ts';
import { Scope } from '../kit/scope.ts';
import { type ServedChild, serveChild } from '../kit/serve-child.ts';
import { until } from '../kit/until.ts';
import { fetchRecording } from '../kit/upload-client.ts';
import { chromiumPages, type WebBrowser, type WebPage } from '../kit/web-page.ts';

const scope = new Scope();
const data = scope.tempDir('onair-studio-');
const SHOTS = process.env.ONAIR_SHOTS;
/** Least that is recorded before the server is killed. */
const SECONDS = process.env.ONAIR_LONG === '1' ? 60 : 0;
let server: ServedChild;
let port: string;
const browsers: Record<string, WebBrowser> = {};
beforeAll(async () => {
  server = await serveChild(scope, data, { ONAIR_WEBRTC_PORT: '0' });
  port = new URL(server.http).port;
  const flags = ['--use-fake-device-for-media-stream=device-count=2'];
  browsers.chromium = chromiumPages(await launchChromium(scope, { flags }));
  browsers.firefox = await launchFirefox(scope);
}, 120_000);
afterAll(() => scope.close());

const lastLog = (): string =>
  server.log
    .slice(-12)
    .map((line) => JSON.stringify(line))
    .join('\n');
const sees = (page: WebPage, text: string): Promise<void> => seesWords(page, text, lastLog);

/** Plays what is in the address to its end; resolves with the position it came to, or why it did not. */
function watchToEnd(page: WebPage): Promise<{ time: number; width: number; failure: string }> {
  return page.run(async () => {
    const video = document.querySelector('video')!;
    video.muted = true;
    video.playbackRate = 2;
    void video.play().catch(() => undefined);
    for (let i = 0; i < 600 && !video.ended; i++) {
      if (document.querySelector('[role=alert]') !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const failure = document.querySelector('[role=alert]')?.textContent ?? '';
    return { time: video.currentTime, width: video.videoWidth, failure };
  }, null);
}

/** Waits for the player of a page to move; resolves with what it shows and by what. */
function watched(page: WebPage): Promise<{ width: number; time: number; transport: string }> {
  return page.run(async () => {
    let transport = '';
    for (let i = 0; i < 600; i++) {
      const player = document.querySelector('onair-player') as {
        readonly video?: HTMLVideoElement;
        readonly choice?: { readonly transport: string };
      } | null;
      transport = player?.choice?.transport ?? '';
      const { videoWidth: width = 0, currentTime: time = 0 } = player?.video ?? {};
      if (width > 0 && time > 0.5) return { width, time, transport };
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { width: 0, time: 0, transport };
  }, null);
}

describe.each(['chromium', 'firefox'])('the studio in %s', (engine) => {
  it(
    'goes live, outlives a kill of the server, and plays the recording to its end',
    async () => {
      const browser = browsers[engine]!;
      const page = await browser.open(`${server.http}/studio`);
      await press(page, 'Get local stream');
      await press(page, 'Start recording');
      await sees(page, 'you are on air');
      const name = await page.run(() => document.querySelector<HTMLInputElement>('input')!.value, null);
      const stream = `live/${name}`;
      // Not by HLS: to ask for that would have VP8 turned into H.264 beside a browser that needs both cores.
      const codecs = await until(async () => {
        const response = await fetch(`${server.http}/api/v1/streams/${stream}`);
        const { state, tracks = [] } = (await response.json()) as {
          state?: string;
          tracks?: { codec: string }[];
        };
        return state === 'live' && tracks.length === 2 ? tracks.map(({ codec }) => codec).join() : undefined;
      });
      // What Firefox records is VP8, which goes to source buffers as WebM.
      const viewer = await browser.open(`${server.http}/watch/${stream}`);
      const seen = await watched(viewer);
      console.log(`${engine}: ${codecs} by ${seen.transport}, ${seen.width} pixels wide at ${seen.time} s`);
      expect(seen.width).toBeGreaterThan(0);
      expect(seen.transport).toBe('ws');
      await viewer.close();
      if (engine === 'chromium') {
        // Another camera in the midst of it: its recording is joined to what there is.
        const shown = await page.run(async () => {
          const label = (): string => {
            const video = document.querySelector('video')!.srcObject as MediaStream;
            return video.getVideoTracks()[0]!.label;
          };
          const before = label();
          const select = [...document.querySelectorAll('label')]
            .find((one) => one.firstChild?.textContent === 'Camera')!
            .querySelector('select')!;
          select.value = select.options[select.options.length - 1]!.value;
          select.dispatchEvent(new Event('change', { bubbles: true }));
          for (let i = 0; i < 200 && label() === before; i++) {
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          return [before, label()];
        }, null);
        expect(shown[0]).not.toBe(shown[1]);
      }
      const recorded = async (): Promise<number> => {
        const response = await fetch(`${server.http}/${stream}/playlist.m3u8`);
        const lengths = response.status === 200 ? (await response.text()).matchAll(/#EXTINF:([\d.]+)/g) : [];
        return [...lengths].reduce((sum, [, seconds]) => sum + Number(seconds), 0);
      };
      await until(async () => (await recorded()) > SECONDS, { timeoutMs: 30_000 + 3_000 * SECONDS });
      if (SHOTS !== undefined) await page.screenshot?.(join(SHOTS, `studio-live-${engine}.png`));
      server.child.signal('SIGKILL');
      await server.child.exited;
      await sees(page, 'No connection');
      server = await serveChild(scope, data, { ONAIR_HTTP_PORT: port });
      await sees(page, 'you are on air');
      await press(page, 'Stop recording');
      await sees(page, 'Finished');
      if (SHOTS !== undefined) await page.screenshot?.(join(SHOTS, `studio-done-${engine}.png`));
      const [playlist, file] = await page.run(
        () =>
          ['a[href^="/viewer?"]', 'a[download]'].map(
            (one) => document.querySelector<HTMLAnchorElement>(one)!.href,
          ),
        null,
      );
      const movie = join(data, `${engine}.mp4`);
      writeFileSync(movie, Buffer.from(await (await fetch(file!)).arrayBuffer()));
      const { duration, codecs: inFile, packets } = probePackets(movie);
      const recording = await fetchRecording(server.http, `/${stream}/playlist.m3u8`);
      // A recorder that makes no key frame for long leaves nothing to keep: then all of it is recorded again.
      expect(recording.ended).toBe(true);
      // The other camera has pictures of another shape.
      expect(recording.discontinuities).toBeLessThanOrEqual(engine === 'chromium' ? 2 : 1);
      const frame = duration! / packets.filter(({ stream: of }) => of === 0).length;
      expect(Math.abs(recording.seconds - duration!)).toBeLessThan(Math.max(0.1, 2 * frame));
      const played = await browser.open(playlist!);
      const { time, width, failure } = await watchToEnd(played);
      if (SHOTS !== undefined) await played.screenshot?.(join(SHOTS, `viewer-${engine}.png`));
      console.log(
        `${engine}: live as ${codecs}, file ${inFile.join('+')} ${duration!.toFixed(2)} s, ` +
          `playlist ${recording.seconds.toFixed(2)} s, played to ${time.toFixed(2)} s ${failure}`,
      );
      expect(failure).toBe('');
      expect(width).toBeGreaterThan(0);
      expect(time).toBeGreaterThan(duration! - 0.5);
      await page.close();
      await played.close();
    },
    120_000 + 4_000 * SECONDS,
  );
});

describe('the page /live', () => {
  it('casts with Video Start and Live Start, is heard with Speak, and is over with Live Stop', async () => {
    const page = await browsers.chromium!.open(`${server.http}/live`);
    const speaking = (): Promise<(string | boolean | null)[]> =>
      page.run(() => {
        const tracks = (document.querySelector('video')!.srcObject as MediaStream).getAudioTracks();
        const pressed = document.querySelector('#speak')!.getAttribute('aria-pressed');
        return [pressed, ...tracks.map(({ enabled }) => enabled)];
      }, null);
    await press(page, 'Video Start');
    await press(page, 'Live Start');
    await sees(page, 'On air.');
    const user = await page.run(() => document.querySelector<HTMLInputElement>('input')!.value, null);
    const viewer = await browsers.chromium!.open(`${server.http}/watch/${user}`);
    const seen = await watched(viewer);
    expect(seen.width).toBeGreaterThan(0);
    expect(await speaking()).toEqual(['false', false]);
    await press(page, 'Speak');
    expect(await speaking()).toEqual(['true', true]);
    await press(page, 'Live Stop');
    await sees(page, 'Not on air.');
    await until(async () => {
      const response = await fetch(`${server.http}/api/v1/streams/live/${user}`);
      return ((await response.json()) as { state?: string }).state !== 'live';
    });
    await viewer.close();
    await page.close();
  });
});
