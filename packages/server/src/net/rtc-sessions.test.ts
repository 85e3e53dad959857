import { afterEach, expect, it } from 'vitest';
import { type Config, loadConfig } from '../config/index.ts';
import { createLog } from '../observe/index.ts';
import { createHttpServer } from './http-server.ts';
import { type RtcOfferCall, type RtcProtocol, registerRtcProtocol } from './rtc-sessions.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function setUp(name: 'whip' | 'whep' = 'whip') {
  const base = loadConfig({});
  const config: Config = { ...base, http: { ...base.http, host: '127.0.0.1', port: 0 } };
  const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });
  const server = createHttpServer({ config: () => config, logger, pagesFolder: '/nowhere' });
  const calls: RtcOfferCall[] = [];
  const ends: string[] = [];
  const listeners: (() => void)[] = [];
  const protocol: RtcProtocol = {
    name,
    answers: name === 'whep' ? 'media' : 'api',
    maxSessions: () => 3,
    accept: async (call) => {
      calls.push(call);
      const n = listeners.length;
      return {
        answer: 'v=0\r\n',
        remoteUfrag: 'abcd',
        close: (reason) => {
          ends.push(reason);
          listeners[n]?.();
        },
        onEnd: (listener) => void listeners.push(listener),
      };
    },
  };
  const close = registerRtcProtocol(server, protocol, () => [{ urls: ['stun:stun.example.org'] }]);
  const port = await server.listen();
  open.push(() => server.close(0));
  const ask = (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const post = (headers: Record<string, string> = {}): Promise<Response> =>
    ask('POST', `/live/cam/${name}`, { 'content-type': 'application/sdp', ...headers }, 'v=0\r\n');
  return { ask, post, calls, ends, close, listeners };
}

const FRAGMENT = 'application/trickle-ice-sdpfrag';
const code = async (answer: Response): Promise<unknown> => [
  answer.status,
  ((await answer.json()) as { code: string }).code,
];

it('answers an offer with a resource that nobody can guess', async () => {
  const { post, calls } = await setUp();
  const answer = await post({ authorization: 'Bearer s3cret' });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('content-type')).toContain('application/sdp');
  expect(answer.headers.get('location')).toMatch(/^\/live\/cam\/whip\/[\w-]{22}$/);
  expect(answer.headers.get('etag')).toMatch(/^"[0-9a-f]{16}"$/);
  expect(answer.headers.get('link')).toBe('<stun:stun.example.org>; rel="ice-server"');
  expect(await answer.text()).toBe('v=0\r\n');
  expect(calls[0]).toMatchObject({
    stream: 'live/cam',
    query: 'key=s3cret',
    address: '127.0.0.1',
    local: true,
  });
});

it('takes candidates for the right state of the right session, and refuses ICE restarts', async () => {
  const { post, ask } = await setUp();
  const made = await post();
  const path = made.headers.get('location')!;
  const etag = made.headers.get('etag')!;
  const headers = { 'content-type': FRAGMENT, 'if-match': etag };
  const body = 'a=ice-ufrag:abcd\r\na=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\n';
  expect((await ask('PATCH', path, headers, body)).status).toBe(204);
  expect(await code(await ask('PATCH', path, { 'content-type': FRAGMENT }, body))).toEqual([
    428,
    'IF_MATCH_REQUIRED',
  ]);
  expect(await code(await ask('PATCH', path, { ...headers, 'if-match': '"x"' }, body))).toEqual([
    412,
    'SESSION_CHANGED',
  ]);
  expect(await code(await ask('PATCH', path, headers, body.replace('abcd', 'efgh')))).toEqual([
    422,
    'ICE_RESTART_REFUSED',
  ]);
  expect(await code(await ask('PATCH', path, headers, 'hello'))).toEqual([400, 'BAD_REQUEST']);
  expect(
    await code(await ask('PATCH', path, { ...headers, 'content-type': 'application/sdp' }, body)),
  ).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
});

it('lets only who showed the same bearer end a session', async () => {
  const { post, ask, ends } = await setUp();
  const path = (await post({ authorization: 'Bearer s3cret' })).headers.get('location')!;
  expect(await code(await ask('DELETE', path))).toEqual([401, 'STREAM_KEY_REQUIRED']);
  expect(await code(await ask('DELETE', path, { authorization: 'Bearer other' }))).toEqual([
    403,
    'PUBLISH_REFUSED',
  ]);
  expect(
    await code(await ask('DELETE', path.replace('/cam/', '/dog/'), { authorization: 'Bearer s3cret' })),
  ).toEqual([404, 'SESSION_NOT_FOUND']);
  expect(await code(await ask('DELETE', '/live/cam/whip/AAAAAAAAAAAAAAAAAAAAAA'))).toEqual([
    404,
    'SESSION_NOT_FOUND',
  ]);
  expect(ends).toEqual([]);
  expect((await ask('DELETE', path, { authorization: 'Bearer s3cret' })).status).toBe(200);
  expect(ends).toEqual(['ended by the client']);
  expect(await code(await ask('DELETE', path, { authorization: 'Bearer s3cret' }))).toEqual([
    404,
    'SESSION_NOT_FOUND',
  ]);
});

it('refuses other methods, other types, other names, and more than there is room for', async () => {
  const { ask, post, calls, close, ends } = await setUp();
  const options = await ask('OPTIONS', '/live/cam/whip');
  expect([options.status, options.headers.get('accept-post'), options.headers.get('allow')]).toEqual([
    204,
    'application/sdp',
    'POST, OPTIONS',
  ]);
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    const answer = await ask(method, '/live/cam/whip');
    expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'POST, OPTIONS']);
  }
  expect(
    await code(await ask('POST', '/live/cam/whip', { 'content-type': 'application/json' }, '{}')),
  ).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  expect(
    await code(await ask('POST', '/live/c.m/whip', { 'content-type': 'application/sdp' }, 'v=0')),
  ).toEqual([400, 'STREAM_NAME_INVALID']);
  const long = 'v=0'.padEnd(70_000, ' ');
  expect(
    await code(await ask('POST', '/live/cam/whip', { 'content-type': 'application/sdp' }, long)),
  ).toEqual([413, 'BODY_TOO_LARGE']);
  expect(calls).toEqual([]);
  for (let i = 0; i < 3; i++) expect((await post()).status).toBe(201);
  expect(await code(await post())).toEqual([503, 'OVERLOADED']);
  close('server stopping');
  expect(ends).toEqual(Array(3).fill('server stopping'));
});

it('lets pages of other origins watch, but not publish', async () => {
  const foreign = { origin: 'https://elsewhere.example' };
  const whip = await setUp('whip');
  expect(await code(await whip.post(foreign))).toEqual([403, 'ORIGIN_REFUSED']);
  const whep = await setUp('whep');
  const answer = await whep.post(foreign);
  expect(answer.status).toBe(201);
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(answer.headers.get('access-control-expose-headers')).toContain('Location');
  const preflight = await whep.ask('OPTIONS', '/live/cam/whep', foreign);
  expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
});
