import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseMediaPlaylist } from '@onair/media/hls';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { parse, stringify } from 'yaml';
import { importConf } from '../../packages/server/src/cli/import-nginx-work.ts';
import { Scope, startPublisher, until } from '../kit/index.ts';
import { RtmpTestClient } from '../kit/rtmp-client.ts';
import { startTestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

it('an nginx.conf with HLS is imported and serves /hls/test.m3u8, statistics and control', async () => {
  const conf = fileURLToPath(new URL('../kit/nginx/rtmp-hls.conf', import.meta.url));
  const file = join(scope.tempDir('onair-import'), 'onair.yaml');
  writeFileSync(file, importConf(conf));
  const asked: URLSearchParams[] = [];
  const judge = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const form = new URLSearchParams(text);
    asked.push(form);
    if (form.get('name') === 'old') response.writeHead(302, { location: 'renamed' }).end();
    else response.writeHead(form.get('token') === 'wrong' ? 403 : 200).end();
  });
  await new Promise<void>((resolve) => judge.listen(0, '127.0.0.1', resolve));
  scope.defer(() => judge.close());
  const url = `http://127.0.0.1:${(judge.address() as AddressInfo).port}/`;
  const callbacks = JSON.stringify([
    {
      app: 'live',
      onPublish: url,
      onPublishDone: url,
      onRecordStarted: url,
      onRecordDone: url,
      onPlaylist: url,
    },
  ]);
  const server = await startTestServer(scope, { callbacks }, file);

  await startPublisher(scope, { url: `${server.rtmp}/live/test`, gopSeconds: 1 });
  const list = async () => {
    const answer = await fetch(`${server.http}/hls/test.m3u8`);
    const variant = answer.ok ? /^[^#\s].*$/m.exec(await answer.text())?.[0] : undefined;
    if (variant === undefined) return undefined;
    return parseMediaPlaylist(await (await fetch(new URL(variant, answer.url))).text());
  };
  await until(async () => ((await list())?.segments.length ?? 0) >= 3, { timeoutMs: 30_000 });
  for (const { duration } of (await list())!.segments) expect(duration).toBeCloseTo(1, 1);
  const [told] = asked.filter((form) => form.get('call') === 'playlist');
  expect(Object.fromEntries(told!)).toMatchObject({ module: 'hls', name: 'test', app: 'live' });
  expect((await fetch(new URL(told!.get('path')!, server.http))).ok).toBe(true);

  await pulledOnDemand(server.rtmp);

  const stat = await (await fetch(`${server.http}/stat`)).text();
  expect(stat).toContain('<application><name>live</name><live><stream><name>test</name>');
  expect(stat).toMatch(/<video><width>320<\/width>.*<codec>H264<\/codec>/);
  expect(stat).toMatch(/<client><id>\d+<\/id><address>127\.0\.0\.1<\/address>.*<publishing\/>/);
  const control = (path: string, headers = {}) => fetch(`${server.http}/control/${path}`, { headers });
  const foreign = await control('drop/client?app=live', { 'sec-fetch-site': 'cross-site' });
  expect(foreign.status).toBe(403);
  const begun = await (await control('record/start?app=live&name=test&rec=any')).text();
  expect(begun).toMatch(/\/recordings\/live\/test\/[^/]+\/1\.mp4$/);
  await until(() =>
    asked.some((form) => form.get('call') === 'record_started' && form.get('path') === begun),
  );
  expect(await (await control('record/start?app=live&name=test')).text()).toBe('');
  await until(() => existsSync(begun) && statSync(begun).size > 20_000);
  expect(await (await control('record/stop?app=live&name=test')).text()).toBe(begun);
  await until(() => asked.some((form) => form.get('call') === 'record_done' && form.get('path') === begun));
  expect((await control('record/start?app=live&name=nobody')).status).toBe(400);
  expect((await control('redirect/publisher?app=live&name=test')).status).toBe(400);
  expect(await (await control('redirect/publisher?app=live&name=test&newname=moved')).text()).toBe('1');
  await until(async () => (await fetch(`${server.http}/hls/moved.m3u8`)).ok, { timeoutMs: 20_000 });
  expect(await (await control('redirect/publisher?app=live&name=moved&newname=test')).text()).toBe('1');
  expect(await (await control('drop/publisher?app=live&name=nobody')).text()).toBe('0');
  expect(await (await control('drop/publisher?app=live&name=test')).text()).toBe('1');
  await until(() => asked.some((form) => form.get('call') === 'publish_done'));
  expect(asked[0]!.get('call')).toBe('publish');

  const publish = (name: string): RtmpTestClient => {
    const client = new RtmpTestClient(server.ports.rtmp!, { intent: 'publish', name });
    scope.defer(() => client.stop());
    return client;
  };
  const refused = publish('cam?token=wrong');
  const renamed = publish('old');
  await until(() => refused.closed && renamed.ready);
  expect(refused.codes).toContain('NetStream.Publish.Denied');
  await until(() => server.registry.list().some(({ name }) => name === 'live/renamed'));
}, 90_000);

/** A server that fetches `live/test` from another once somebody asks, keeps an address out, and takes no publisher. */
async function pulledOnDemand(origin: string): Promise<void> {
  const conf = join(scope.tempDir('onair-import'), 'nginx.conf');
  writeFileSync(
    conf,
    `rtmp { server { application live { pull ${origin}; deny publish all; deny play 192.0.2.0/24; } } }`,
  );
  const file = join(scope.tempDir('onair-import'), 'onair.yaml');
  const config = parse(importConf(conf));
  config.pulls[0].idleMs = 1000;
  writeFileSync(file, stringify(config));
  const edge = await startTestServer(scope, { 'http.trustedProxies': '["127.0.0.1"]' }, file);
  const told = (message: string) => edge.log.filter(({ msg }) => msg === message);

  const headers = { 'x-forwarded-for': '192.0.2.9' };
  for (const path of [
    'test.flv',
    'test/index.m3u8',
    'test/manifest.mpd',
    'test/ts.m3u8',
    'test/playlist.m3u8',
  ])
    expect((await fetch(`${edge.http}/live/${path}`, { headers })).status, path).toBe(403);
  expect((await fetch(`${edge.http}/live/test/whep`, { method: 'POST', headers })).status).toBe(403);
  const socket = new WebSocket(`${edge.ws}/live/test.fmp4`, { headers });
  expect(String(await new Promise((resolve) => socket.on('error', resolve)))).toContain('403');
  const publisher = new RtmpTestClient(edge.ports.rtmp!, { intent: 'publish', name: 'cam' });
  scope.defer(() => publisher.stop());
  await until(() => publisher.closed);
  expect(publisher.codes).toContain('NetStream.Publish.Denied');
  expect(told('publisher came')).toEqual([]);

  const player = new RtmpTestClient(edge.ports.rtmp!, { intent: 'play', name: 'test' });
  scope.defer(() => player.stop());
  await until(() => player.ready);
  const gone = new AbortController();
  expect((await fetch(`${edge.http}/live/test.flv`, { signal: gone.signal })).status).toBe(200);
  expect(told('publisher came')).toHaveLength(1);
  gone.abort();
  player.stop();
  await until(() => told('publisher left').length === 1);
  expect(told('publisher left')[0]).toMatchObject({ protocol: 'rtmp-pull', reason: 'nobody watches' });
  expect(await (await fetch(`${edge.http}/live/test/index.m3u8`)).text()).toContain('#EXT-X-STREAM-INF');
  expect((await fetch(`${edge.http}/live/nobody/index.m3u8`)).status).toBe(404);
  expect(told('publisher came')).toHaveLength(2);
}
