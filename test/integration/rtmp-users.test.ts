import { parseRtmpUrl } from '@onair/media/rtmp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RtmpClient } from '../../packages/server/src/net/rtmp-client.ts';
import { Child, publisherArguments, Scope, until } from '../kit/index.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';

const SECRET = 'a-right-secret';
const scope = new Scope();
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(scope, {
    'auth.users': JSON.stringify([
      { app: 'live', user: 'me', password: SECRET },
      { app: 'live', name: 'only', user: 'other', password: 'another-secret' },
    ]),
    'auth.failuresPerMinute': '100',
  });
});
afterAll(() => scope.close());

const address = (name: string, user: string, password: string): string =>
  `${server.rtmp.replace('//', `//${user}:${password}@`)}/live/${name}`;

async function ffmpeg(url: string): Promise<{ readonly live: boolean; readonly said: string }> {
  const name = new URL(url).pathname.slice(1);
  const child = scope.own(new Child('ffmpeg', 'ffmpeg', publisherArguments({ url, seconds: 60 })));
  child.stdout.resume();
  const live = (): boolean => server.registry.list().some((one) => one.name === name && one.state === 'live');
  await until(() => live() || child.exit !== undefined, { timeoutMs: 20_000 });
  const result = { live: live(), said: child.errorLines.join('\n') };
  await child.stop();
  await until(() => !live());
  return result;
}

it('lets FFmpeg publish with name and password, and not with wrong ones', async () => {
  expect(await ffmpeg(address('test', 'me', SECRET))).toMatchObject({ live: true });
  const wrong = await ffmpeg(address('wrong', 'me', 'not-the-secret'));
  expect(wrong.live).toBe(false);
  expect(wrong.said).toMatch(/Incorrect username\/password/);
  const none = await ffmpeg(`${server.rtmp}/live/none`);
  expect(none.live).toBe(false);
  expect(none.said).toMatch(/authmod=adobe/);
  expect(await ffmpeg(`${server.rtmp}/free/none`)).toMatchObject({ live: true });
});

it.each(['adobe', 'llnw'])('answers %s as a client, too', async (mode) => {
  const open = (name: string, user: string, password: string): RtmpClient => {
    const url = parseRtmpUrl(address(name, user, password));
    // The mode is the client's choice if it names one.
    const chosen = { ...url, app: `live?authmod=${mode}`, tcUrl: url.tcUrl };
    const client = new RtmpClient({ url: mode === 'adobe' ? url : chosen, intent: 'publish' });
    scope.defer(() => client.close());
    return client;
  };
  const right = open(`right-${mode}`, 'me', SECRET);
  await right.ready;
  await right.close();
  await expect(open('wrong', 'me', 'not-the-secret').ready).rejects.toThrow(/authfailed/);
  await expect(open('not-his', 'other', 'another-secret').ready).rejects.toThrow(/may not publish/);
});

it('tells passwords to nobody', () => {
  const lines = JSON.stringify(server.log);
  expect(lines).toContain('publisher came');
  for (const word of [SECRET, 'not-the-secret', 'another-secret']) expect(lines).not.toContain(word);
});
