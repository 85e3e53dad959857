import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../kit/chromium.ts';
import { probePackets } from '../kit/packets.ts';
import { press, sees } from '../kit/page-words.ts';
import { Scope } from '../kit/scope.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { fetchRecording } from '../kit/upload-client.ts';
import { chromiumPages, type WebBrowser, type WebPage } from '../kit/web-page.ts';

const scope = new Scope();
const SHOTS = process.env.ONAIR_SHOTS;
let server: TestServer;
let browser: WebBrowser;
beforeAll(async () => {
  server = await startTestServer(scope);
  browser = chromiumPages(await launchChromium(scope));
}, 60_000);
afterAll(() => scope.close());

const shoot = async (page: WebPage, name: string): Promise<void> => {
  if (SHOTS !== undefined) await page.screenshot?.(join(SHOTS, `${name}.png`));
};
const field = (page: WebPage, label: string): Promise<string> =>
  page.run((wanted) => {
    const labels = [...document.querySelectorAll('label')];
    const found = labels.find((one) => one.textContent?.includes(wanted));
    return (found?.control as HTMLInputElement | null)?.value ?? '';
  }, label);

describe('a reporter', () => {
  it('is called by the recorder, which records two of them as streams of their own', async () => {
    const recorder = await browser.open(`${server.http}/recorder`);
    await press(recorder, 'Get remote stream');
    await sees(recorder, 'Waiting for a reporter.');
    await until(() =>
      recorder.run(() => document.querySelector('.studio-qr path')?.getAttribute('d') != null, null),
    );
    await shoot(recorder, 'recorder-pairing');
    const link = await field(recorder, 'Link for reporters');
    expect(link).toMatch(/\/reporter#[\w-]{36}$/);

    const [first, second] = [await browser.open(link), await browser.open(link)];
    await sees(first!, 'Only the recorder of this link gets your picture');
    await press(first!, 'Get local stream');
    await sees(first!, 'The recorder has your picture.');
    await sees(recorder, 'Connected: 1');
    await press(recorder, 'Start recording');
    await sees(recorder, 'you are on air');
    // Who comes later is recorded too.
    await press(second!, 'Get local stream');
    await sees(recorder, 'Connected: 2');
    await shoot(first!, 'reporter');
    const name = await field(recorder, 'Name of the stream');
    const names = [name, `${name}-2`];
    for (const one of names) {
      const lively = async (): Promise<boolean> => {
        const response = await fetch(`${server.http}/live/${one}/index.m3u8`);
        return response.status === 200 && (await response.text()).includes('CODECS=');
      };
      await until(lively, { timeoutMs: 40_000, message: () => `${one} is live as HLS` });
    }
    await shoot(recorder, 'recorder-live');
    const seconds = async (one: string): Promise<number> => {
      const response = await fetch(`${server.http}/live/${one}/playlist.m3u8`);
      return response.status === 200
        ? [...(await response.text()).matchAll(/#EXTINF:([\d.]+)/g)].reduce(
            (sum, [, s]) => sum + Number(s),
            0,
          )
        : 0;
    };
    await until(async () => (await seconds(names[1]!)) > 1, { timeoutMs: 40_000 });

    await press(second!, 'Stop showing');
    await sees(recorder, 'Finished');
    await sees(recorder, 'Connected: 1');
    await press(recorder, 'Stop recording');
    await until(
      async () => (await recorder.run(() => document.querySelectorAll('a[download]').length, null)) === 2,
      { timeoutMs: 30_000 },
    );
    await shoot(recorder, 'recorder-done');
    const files = await recorder.run(
      () => [...document.querySelectorAll<HTMLAnchorElement>('a[download]')].map(({ href }) => href),
      null,
    );
    for (const [i, one] of names.entries()) {
      const recording = await fetchRecording(server.http, `/live/${one}/playlist.m3u8`);
      const movie = join(server.data, `${one}.mp4`);
      writeFileSync(movie, Buffer.from(await (await fetch(files[i]!)).arrayBuffer()));
      const { duration, codecs, packets } = probePackets(movie);
      console.log(
        `${one}: ${codecs.join('+')}, playlist ${recording.seconds.toFixed(2)} s, file ${duration?.toFixed(2)} s, ` +
          `${packets.filter(({ stream }) => stream === 0).length} packets of stream 0, ${recording.discontinuities} discontinuities`,
      );
      expect(recording.ended).toBe(true);
      expect(codecs).toHaveLength(2);
      expect(recording.seconds).toBeGreaterThan(1);
      // Sound may go on after the last picture: how long depends on how busy the recorder's encoder is.
      expect(recording.seconds - duration!).toBeLessThan(0.1);
    }
    for (const page of [recorder, first, second]) await page!.close();
  }, 120_000);
});
