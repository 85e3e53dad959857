import {
  decodeHealth,
  decodeKeyList,
  decodeNewKey,
  decodeServerInfo,
  decodeSessionList,
  decodeStreamInfo,
  decodeStreamList,
} from '@onair/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { apiStream, openApi } from '../../../../test/kit/api-server.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
async function open(settings?: Parameters<typeof openApi>[0]) {
  const server = await openApi(settings);
  closers.push(server.close);
  return server;
}

/** A request that the trusted proxy says comes from another machine. */
const remote = { 'x-forwarded-for': '192.0.2.99' };

describe('streams', () => {
  it('are shown to everybody without addresses, to the operator with them', async () => {
    const { ask, bearer } = await open();
    const everybody = await ask('/api/v1/streams', remote);
    expect(decodeStreamList(everybody.body).streams[0]!.publisher).toEqual({
      protocol: 'rtmp',
      encoder: 'OBS',
      since: 5,
    });
    expect(everybody.text).not.toContain('192.0.2.7');
    const operator = await ask('/api/v1/streams', bearer);
    expect(decodeStreamList(operator.body).streams).toEqual([apiStream]);
    expect(decodeStreamInfo((await ask('/api/v1/streams/live/test')).body).name).toBe('live/test');
    expect((await ask('/api/v1/streams/live/other')).body).toMatchObject({ code: 'STREAM_NOT_FOUND' });
    expect((await ask('/api/v1/streams/live/a%2fb')).body).toMatchObject({ code: 'STREAM_NAME_INVALID' });
    expect((await ask('/api/v1/streams?x=1')).body).toMatchObject({ code: 'INVALID_FIELD' });
  });

  it('can be hidden', async () => {
    const { ask, bearer } = await open({ admin: { publicStreamList: false } });
    expect((await ask('/api/v1/streams')).body).toMatchObject({ code: 'AUTH_REQUIRED' });
    expect((await ask('/api/v1/events')).body).toMatchObject({ code: 'AUTH_REQUIRED' });
    expect((await ask('/api/v1/streams', bearer)).status).toBe(200);
  });

  it('are ended by the operator', async () => {
    const { ask, bearer, kicked } = await open();
    expect((await ask('/api/v1/streams/live/test', {}, 'DELETE')).status).toBe(401);
    expect((await ask('/api/v1/streams/live/test', bearer, 'DELETE')).status).toBe(204);
    expect((await ask('/api/v1/streams/live/x', bearer, 'DELETE')).status).toBe(404);
    expect(kicked).toEqual(['live/test']);
  });
});

describe('sessions', () => {
  it('are for the operator, page by page', async () => {
    const { ask, bearer } = await open();
    expect((await ask('/api/v1/sessions')).body).toMatchObject({ code: 'AUTH_REQUIRED', status: 401 });
    const ids: string[] = [];
    let after = '';
    for (let pages = 0; pages < 5; pages++) {
      const list = decodeSessionList((await ask(`/api/v1/sessions?limit=1${after}`, bearer)).body);
      ids.push(...list.sessions.map(({ id }) => id));
      if (list.next === undefined) break;
      after = `&after=${list.next}`;
    }
    expect(ids).toEqual(['a', 'b', 'c']);
    const publishers = await ask('/api/v1/sessions?kind=publisher&stream=live/test', bearer);
    expect(decodeSessionList(publishers.body).sessions.map(({ id }) => id)).toEqual(['b']);
    for (const query of ['limit=0', 'limit=x', 'limit=1001', 'kind=both', 'stream=a&stream=b', 'x=1']) {
      expect((await ask(`/api/v1/sessions?${query}`, bearer)).body).toMatchObject({
        code: 'INVALID_FIELD',
        errors: [{ path: query.split('=')[0] }],
      });
    }
    expect((await ask('/api/v1/sessions/b', bearer)).body).toMatchObject({ id: 'b' });
    expect((await ask('/api/v1/sessions/zz', bearer)).body).toMatchObject({ code: 'SESSION_NOT_FOUND' });
  });

  it('are ended by the operator', async () => {
    const { ask, bearer, kicked } = await open();
    expect((await ask('/api/v1/sessions/a', bearer, 'DELETE')).status).toBe(204);
    expect((await ask('/api/v1/sessions/zz', bearer, 'DELETE')).status).toBe(404);
    expect(kicked).toEqual(['a']);
  });
});

describe('the operator', () => {
  it('signs in for a cookie that scripts and other sites never see', async () => {
    const { ask, token, port } = await open();
    expect((await ask('/api/v1/session')).body).toEqual({ admin: false });
    const signed = await ask('/api/v1/session', {}, 'POST', { token });
    expect(signed.body).toEqual({ admin: true });
    const header = String(signed.headers['set-cookie']);
    expect(header).toMatch(/^onair_session=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
    const cookie = { cookie: header.split(';')[0]! };
    expect((await ask('/api/v1/session', cookie)).body).toEqual({ admin: true });
    expect((await ask('/api/v1/sessions', cookie)).status).toBe(200);
    const foreign = { ...cookie, origin: 'https://evil.example' };
    expect((await ask('/api/v1/streams/live/test', foreign, 'DELETE')).body).toMatchObject({
      code: 'ORIGIN_REFUSED',
    });
    const own = { ...cookie, origin: `http://localhost:${port}`, host: `localhost:${port}` };
    expect((await ask('/api/v1/streams/live/test', own, 'DELETE')).status).toBe(204);
    expect((await ask('/api/v1/session', cookie, 'DELETE')).status).toBe(204);
    expect((await ask('/api/v1/sessions', cookie)).body).toMatchObject({ code: 'AUTH_FAILED' });
  });

  it('has ten guesses', async () => {
    const { ask, bearer, token } = await open();
    for (let i = 0; i < 10; i++) {
      expect((await ask('/api/v1/session', {}, 'POST', { token: `wrong${i}` })).body).toMatchObject({
        code: 'AUTH_FAILED',
      });
    }
    const limited = await ask('/api/v1/session', {}, 'POST', { token });
    expect(limited.body).toMatchObject({ code: 'TOO_MANY_ATTEMPTS', status: 429 });
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('/api/v1/sessions', bearer)).status).toBe(429);
  });

  it('is served on this machine only, unless told otherwise', async () => {
    const { ask, bearer, token, config } = await open();
    const far = { ...bearer, ...remote };
    for (const path of ['/sessions', '/keys']) {
      expect((await ask(`/api/v1${path}`, far)).body).toMatchObject({ code: 'ADMIN_LOCAL_ONLY' });
    }
    expect((await ask('/metrics', far)).body).toMatchObject({ code: 'ADMIN_LOCAL_ONLY' });
    expect((await ask('/api/v1/session', remote, 'POST', { token })).body).toMatchObject({
      code: 'ADMIN_LOCAL_ONLY',
    });
    expect((await ask('/api/v1/session', far)).body).toEqual({ admin: false });
    (config.admin as { remote: boolean }).remote = true;
    expect((await ask('/api/v1/sessions', far)).status).toBe(200);
    expect((await ask('/api/v1/sessions', { ...far, host: 'evil.example' })).body).toMatchObject({
      code: 'HOST_REFUSED',
    });
    expect((await ask('/metrics', remote)).status).toBe(401);
    expect((await ask('/metrics', far)).status).toBe(200);
    const secure = await ask('/api/v1/session', { ...remote, 'x-forwarded-proto': 'https' }, 'POST', {
      token,
    });
    expect(String(secure.headers['set-cookie'])).toMatch(/; Secure$/);
  });

  it('may call from listed origins', async () => {
    const { ask, bearer } = await open({ http: { allowedOrigins: ['https://studio.example'] } });
    const origin = { origin: 'https://studio.example' };
    const preflight = await ask('/api/v1/keys', origin, 'OPTIONS');
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': 'https://studio.example',
      'access-control-allow-headers': 'authorization, content-type',
    });
    expect((await ask('/api/v1/keys', { ...origin, ...bearer })).headers).toMatchObject({
      'access-control-allow-origin': 'https://studio.example',
    });
    const other = await ask('/api/v1/keys', { origin: 'https://evil.example' }, 'OPTIONS');
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
  });
});

it('stream keys are made, listed and removed; the secret is shown once', async () => {
  const { ask, bearer } = await open();
  const made = await ask('/api/v1/keys', bearer, 'POST', { app: 'live', name: 'test', label: 'カメラ 🎥' });
  expect(made.status).toBe(201);
  const key = decodeNewKey(made.body);
  expect(made.headers.location).toBe(`/api/v1/keys/${key.id}`);
  const list = await ask('/api/v1/keys', bearer);
  expect(decodeKeyList(list.body).keys).toEqual([
    { id: key.id, app: 'live', name: 'test', label: 'カメラ 🎥', created: key.created },
  ]);
  expect(list.text).not.toContain(key.key);
  expect((await ask(`/api/v1/keys/${key.id}`, bearer, 'DELETE')).status).toBe(204);
  expect((await ask(`/api/v1/keys/${key.id}`, bearer, 'DELETE')).body).toMatchObject({
    code: 'KEY_NOT_FOUND',
  });
  for (const [body, path] of [
    [{}, 'app'],
    [{ app: '../x' }, 'app'],
    [{ app: 'live', name: 5 }, 'name'],
    [{ app: 'live', colour: 'red' }, 'colour'],
    [{ app: 'live', label: 'x'.repeat(201) }, 'label'],
    [[], ''],
    [null, ''],
  ] as const) {
    expect((await ask('/api/v1/keys', bearer, 'POST', body)).body).toMatchObject({
      code: 'INVALID_FIELD',
      errors: [{ path }],
    });
  }
});

describe('the server', () => {
  it('tells its health and itself', async () => {
    const { ask, state } = await open();
    expect(decodeHealth((await ask('/api/v1/health')).body)).toMatchObject({
      status: 'ok',
      live: 1,
      publishers: 1,
      viewers: 2,
    });
    const info = decodeServerInfo((await ask('/api/v1/info', { host: '[::1]:8080' })).body);
    expect(info).toMatchObject({
      version: '9.9.9',
      publishUrl: 'rtmp://[::1]:1936/live',
      admin: false,
      keyNeeded: false,
      demoAccount: false,
    });
    expect(decodeServerInfo((await ask('/api/v1/info', remote)).body).keyNeeded).toBe(true);
    expect((await ask('/healthz')).status).toBe(200);
    state.stopping = true;
    const stopping = await ask('/healthz');
    expect([stopping.status, stopping.body.status]).toEqual([503, 'stopping']);
  });

  it('shows figures to this machine', async () => {
    const { ask } = await open();
    const local = await ask('/metrics');
    expect(local.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(local.text).toContain('onair_info{version="9.9.9"} 1');
    expect((await ask('/metrics', { host: 'rebound.example' })).body).toMatchObject({ code: 'HOST_REFUSED' });
  });

  it('explains its error codes', async () => {
    const { ask } = await open();
    const missing = await ask('/api/v1/streams/live/other');
    expect((await ask(String(missing.body.type))).body).toMatchObject({
      code: 'STREAM_NOT_FOUND',
      status: 404,
    });
    expect((await ask('/api/v1/errors/__proto__')).status).toBe(404);
  });

  it('answers other methods and addresses with a problem', async () => {
    const { ask } = await open();
    const put = await ask('/api/v1/streams', {}, 'PUT', {});
    expect([put.status, put.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect((await ask('/api/v1/none')).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await ask('/api/v1/streams', {}, 'HEAD')).status).toBe(200);
  });
});
