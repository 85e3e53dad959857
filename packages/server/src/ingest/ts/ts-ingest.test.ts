import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { streamName } from '@onair/media';
import { afterEach, expect, it, vi } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { tsFilm } from '../../../../../test/kit/ts-film.ts';
import { type Config, loadConfig } from '../../config/index.ts';
import { SessionTable, StreamRegistry } from '../../hub/index.ts';
import { createHttpServer } from '../../net/index.ts';
import { createLog } from '../../observe/index.ts';
import { registerTsIngest, type TsIngestDeps } from './index.ts';

const NAME = streamName('live', 'test');
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function setUp(http: Partial<Config['http']> = {}) {
  const clock = new FakeClock();
  const sessions = new SessionTable(
    () => clock.wall(),
    () => String(Math.random()),
  );
  const base = loadConfig({});
  const config: Config = { ...base, http: { ...base.http, host: '127.0.0.1', port: 0, ...http } };
  const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });
  const server = createHttpServer({ config: () => config, logger, pagesFolder: '/nowhere' });
  const registry = new StreamRegistry({ clock });
  const gate: TsIngestDeps['gate'] = {
    authorize: async ({ name, query, protocol }) => {
      expect(protocol).toBe('http-ts');
      const key = new URLSearchParams(query).get('key');
      if (name === 'barred') return { ok: false, code: 'PUBLISH_REFUSED', reason: 'listed', barred: true };
      if (key === 'good') return { ok: true, identity: 'good' };
      return { ok: false, code: 'PUBLISH_REFUSED', reason: 'a wrong key' };
    },
  };
  registerTsIngest(server, { registry, sessions, clock, gate, log: () => {} });
  const port = await server.listen();
  open.push(async () => {
    registry.close('test over');
    await server.close(0);
  });
  /** Begins a request; its body is written by the test. */
  const begin = (path: string, headers: Record<string, string> = {}, method = 'POST') => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false });
    request.on('error', () => undefined);
    const answer = new Promise<{ status: number; body: Record<string, unknown> }>((resolve) => {
      request.once('response', (response: IncomingMessage) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.once('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) }));
      });
    });
    return { request, answer };
  };
  return { begin, registry, sessions, clock, port };
}

const FILM = tsFilm({ seconds: 3 });

it('takes a body that ends, by POST with a key in the address and by PUT with a bearer token', async () => {
  const { begin, registry, sessions } = await setUp();
  for (const [path, headers, method] of [
    ['/live/test.ts?key=good', {}, 'POST'],
    ['/live/test.ts', { authorization: 'Bearer good', 'content-type': 'video/mp2t' }, 'PUT'],
  ] as const) {
    const { request, answer } = begin(path, headers, method);
    request.write(FILM[0]);
    request.write(FILM[1]);
    await vi.waitFor(() => expect(registry.find(NAME)?.state).toBe('live'));
    expect(sessions.list()).toMatchObject([{ protocol: 'http-ts', stream: NAME, kind: 'publisher' }]);
    request.end(FILM[2]);
    const bytes = FILM.reduce((sum, part) => sum + part.length, 0);
    expect(await answer).toEqual({ status: 200, body: { stream: NAME, bytes } });
    expect(registry.find(NAME)?.state).toBe('waiting');
    expect(sessions.list()).toEqual([]);
  }
});

it('outlives the deadline for whole requests, which counts for others', async () => {
  const { begin, registry, port } = await setUp({ requestTimeoutMs: 200, headersTimeoutMs: 200 });
  const { request, answer } = begin('/live/test.ts?key=good');
  for (const part of FILM) request.write(part);
  await vi.waitFor(() => expect(registry.find(NAME)?.state).toBe('live'));
  // Heads that never end, one behind the other, show that the deadline has passed.
  for (let i = 0; i < 3; i++) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('POST / HTTP/1.1\r\n'));
      socket.resume().once('close', () => resolve());
    });
  }
  request.end(FILM[0]);
  expect((await answer).status).toBe(200);
});

it('refuses with problems: no key, a wrong one, a bad name, one on air, what is no transport stream', async () => {
  const { begin, registry, sessions } = await setUp();
  const coded = async (path: string, body: Uint8Array = FILM[0]!): Promise<[number, unknown]> => {
    const { request, answer } = begin(path);
    request.write(body);
    const { status, body: problem } = await answer;
    request.destroy();
    return [status, problem.code];
  };
  expect(await coded('/live/test.ts')).toEqual([401, 'STREAM_KEY_REQUIRED']);
  expect(await coded('/live/test.ts?key=bad')).toEqual([403, 'PUBLISH_REFUSED']);
  expect(await coded('/live/barred.ts')).toEqual([403, 'PUBLISH_REFUSED']);
  expect(await coded('/live/a%20b.ts?key=good')).toEqual([400, 'STREAM_NAME_INVALID']);
  const garbage = new Uint8Array(9 * 1024 * 1024).fill(0x33);
  expect(await coded('/live/test.ts?key=good', garbage)).toEqual([422, 'UPLOAD_MEDIA']);
  registry.publish(NAME, { protocol: 'rtmp', identity: 'another', revoked: () => undefined });
  expect(await coded('/live/test.ts?key=good')).toEqual([409, 'STREAM_NAME_IN_USE']);
  expect(sessions.list()).toEqual([]);
});

it('ends with the connection, a silence, or the operator, and waits for who comes back', async () => {
  const { begin, registry, sessions, clock } = await setUp();
  const live = async () => {
    const call = begin('/live/test.ts?key=good');
    for (const part of FILM) call.request.write(part);
    await vi.waitFor(() => expect(registry.find(NAME)?.state).toBe('live'));
    return call;
  };
  const cut = await live();
  cut.request.destroy();
  await vi.waitFor(() => expect(registry.find(NAME)?.state).toBe('waiting'));

  const kicked = await live();
  sessions.list()[0]!.close('kicked by the operator');
  expect(await kicked.answer).toMatchObject({
    status: 410,
    body: { code: 'GONE', detail: 'kicked by the operator' },
  });
  kicked.request.destroy();

  const silent = await live();
  clock.advance(15_001);
  expect(await silent.answer).toMatchObject({ status: 408, body: { code: 'REQUEST_TIMEOUT' } });
  expect(sessions.list()).toEqual([]);
});
