import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { launchChromium, openPage } from '../../test/kit/chromium.ts';
import { nodePeer } from '../../test/kit/relay/node-peer.ts';
import { Scope } from '../../test/kit/scope.ts';
import { startTestServer } from '../../test/kit/server.ts';
import { until } from '../../test/kit/until.ts';

const scope = new Scope();
afterAll(() => scope.close());

it('shoots', async () => {
  const server = await startTestServer(scope, { demo: 'true', 'relay.enabled': 'true', 'relay.maxChildren': '3' });
  const browser = await launchChromium(scope);
  const live = await openPage(browser, { viewport: { width: 390, height: 844 }, permissions: ['camera', 'microphone'] });
  await live.page.goto(`${server.http}/live`);
  await live.page.fill('input[type=text]', 'hoge');
  await live.page.click('#video-start');
  await until(() => live.page.isEnabled('#live-start'));
  await live.page.click('#live-start');
  await live.page.click('#speak');
  await until(() => live.page.isVisible('#live-stop'));
  await sleep(3000);
  await live.page.screenshot({ path: '/tmp/relay-live.png', fullPage: true });
  const watch = await openPage(browser, { viewport: { width: 800, height: 600 } });
  await watch.page.goto(`${server.http}/watch/hoge`);
  await sleep(4000);
  await watch.page.screenshot({ path: '/tmp/relay-watch.png' });
  const state = await watch.page.evaluate(() => {
    const player = document.querySelector('onair-player') as unknown as { choice: object; status: object };
    return JSON.stringify([player?.choice, player?.status]);
  });
  console.log('watch', state, watch.errors);
  await live.page.click('#live-stop');
  await live.context.close();
  await watch.context.close();
  for (let n = 0; n < 12; n++) nodePeer(scope, `${server.ws}/live/demo.relay`, { relayable: n % 4 !== 3, uploadBits: 0 });
  const tree = await openPage(browser, { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' });
  await tree.page.goto(`${server.http}/signin?next=/relay/live/demo#token=${server.freshToken}`);
  await sleep(9000);
  await tree.page.screenshot({ path: '/tmp/relay-tree.png', fullPage: true });
  await tree.page.setViewportSize({ width: 360, height: 700 });
  await sleep(500);
  await tree.page.screenshot({ path: '/tmp/relay-tree-phone.png', fullPage: true });
  const wide = await tree.page.evaluate(() => document.documentElement.scrollWidth);
  console.log('errors', tree.errors, live.errors, 'width', wide);
  expect(wide).toBeLessThanOrEqual(360);
});
