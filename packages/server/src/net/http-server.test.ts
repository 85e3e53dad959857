import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Config, loadConfig } from '../config/index.ts';
import { createLog } from '../observe/index.ts';
import { createHttpServer, HttpProblem, type HttpServer } from './index.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close(100);
});

const lines: string[] = [];
const { logger } = createLog({ level: 'warn', format: 'json', write: (line) => lines.push(line) });

async function open(
  settings: Partial<Config['http']> = {},
  prepare?: (server: HttpServer) => void,
): Promise<{ server: HttpServer; port: number; pages: string }> {
  const pages = mkdtempSync(join(tmpdir(), 'onair-pages-'));
  const base = loadConfig({});
  const config: Config = { ...base, host: '127.0.0.1', http: { ...base.http, port: 0, ...settings } };
  const server = createHttpServer({ config: () => config, logger, pagesFolder: pages });
  servers.push(server);
  prepare?.(server);
  return { server, port: await server.listen(), pages };
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  json(): Record<string, unknown>;
}

/** Sends the path as it stands, which `fetch` would tidy up. */
function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body?: string,
) {
  return new Promise<Answer>((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', path, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const whole = Buffer.concat(parts);
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: whole,
          json: () => JSON.parse(whole.toString()) as Record<string, unknown>,
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Writes bytes and collects what comes until the server closes. */
function raw(port: number, bytes: string): Promise<{ text: string; ms: number }> {
  return new Promise((resolve) => {
    const began = performance.now();
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (part) => {
      text += part.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve({ text, ms: performance.now() - began }));
  });
}

function routes({ fastify }: HttpServer): void {
  fastify.get('/ok', async () => ({ ok: true }));
  fastify.post('/change', async (request) => ({ got: request.body }));
  fastify.get('/problem', async () => {
    throw new HttpProblem('STREAM_NOT_FOUND', { detail: 'live/x' });
  });
  fastify.get('/broken', async () => {
    throw new Error('secret detail');
  });
}

describe('problem documents', () => {
  it('are the answer to every error', async () => {
    const { port } = await open({}, routes);
    const missing = await ask(port, '/problem');
    expect(missing.status).toBe(404);
    expect(missing.headers['content-type']).toBe('application/problem+json');
    expect(missing.json()).toMatchObject({ code: 'STREAM_NOT_FOUND', status: 404, detail: 'live/x' });
    const broken = await ask(port, '/broken?key=s3cret');
    expect(broken.json()).toMatchObject({ code: 'INTERNAL', status: 500 });
    expect(broken.body.toString()).not.toContain('secret detail');
    const id = String(broken.json().instance).replace('urn:onair:request:', '');
    const line = lines.find((one) => one.includes(id));
    expect(line).toContain('secret detail');
    expect(line).not.toContain('s3cret');
    expect((await ask(port, '/nothing')).json()).toMatchObject({ code: 'NOT_FOUND' });
    expect((await ask(port, `/watch/live/${'x'.repeat(500)}`)).json()).toMatchObject({
      code: 'URI_TOO_LONG',
    });
    expect((await ask(port, '/watch/%zz/a')).json()).toMatchObject({ code: 'BAD_REQUEST' });
    expect((await ask(port, '/%')).json()).toMatchObject({ status: expect.any(Number) });
  });

  it.each([
    ['{"a":1', 'application/json', 'BAD_REQUEST'],
    ['{"__proto__":{"a":1}}', 'application/json', 'BAD_REQUEST'],
    ['{"constructor":{"prototype":{"a":1}}}', 'application/json', 'BAD_REQUEST'],
    ['a=b', 'application/x-www-form-urlencoded', 'UNSUPPORTED_MEDIA_TYPE'],
    ['text', 'text/plain', 'UNSUPPORTED_MEDIA_TYPE'],
    [`"${'x'.repeat(70_000)}"`, 'application/json', 'BODY_TOO_LARGE'],
  ])('refuse the body %.30s as %s', async (body, type, code) => {
    const { port } = await open({}, routes);
    const answer = await ask(port, '/change', { 'content-type': type }, 'POST', body);
    expect(answer.json()).toMatchObject({ code });
  });

  it('answer malformed and oversized requests, too', async () => {
    const { port } = await open({}, routes);
    expect((await raw(port, 'NONSENSE\r\n\r\n')).text).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"BAD_REQUEST"/);
    const huge = `GET /ok HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect((await raw(port, huge)).text).toMatch(/^HTTP\/1\.1 431 [\s\S]*"code":"HEADERS_TOO_LARGE"/);
    expect((await raw(port, `GET /ok HTTP/1.1\r\n${'A: b\r\n'.repeat(5000)}\r\n`)).text).toMatch(
      /^HTTP\/1\.1 4/,
    );
  });
});

describe('deadlines', () => {
  it.each([
    ['nothing at all', ''],
    ['half a head', 'GET /ok HTTP/1.1\r\nHost: a\r\n'],
  ])('close a connection that sends %s', async (_what, bytes) => {
    const { port } = await open({ headersTimeoutMs: 300, requestTimeoutMs: 400 }, routes);
    const { ms } = await raw(port, bytes);
    expect(ms).toBeGreaterThan(250);
    expect(ms).toBeLessThan(3000);
  });

  it('are absolute, so that one byte at a time does not help', async () => {
    const { port } = await open({ headersTimeoutMs: 400, requestTimeoutMs: 400 }, routes);
    const began = performance.now();
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      const drip = setInterval(() => socket.write('X'), 50);
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(drip);
        resolve();
      });
      socket.write('GET /ok HTTP/1.1\r\nHost: ');
    });
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('hold for bodies', async () => {
    const { port } = await open({ headersTimeoutMs: 300, requestTimeoutMs: 400 }, routes);
    const head =
      'POST /change HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
    const { text, ms } = await raw(port, head);
    expect(ms).toBeLessThan(3000);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('state-changing requests', () => {
  const json = { 'content-type': 'application/json' };
  it.each([
    [{}, 200],
    [{ origin: 'http://127.0.0.1:PORT' }, 200],
    [{ origin: 'https://studio.example' }, 200],
    [{ origin: 'http://evil.example' }, 'ORIGIN_REFUSED'],
    [{ origin: 'http://127.0.0.1:1' }, 'ORIGIN_REFUSED'],
    [{ origin: 'null' }, 'ORIGIN_REFUSED'],
    [{ 'sec-fetch-site': 'cross-site' }, 'ORIGIN_REFUSED'],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ host: 'localhost:5' }, 200],
    [{ host: '[::1]:5' }, 200],
    [{ host: 'tv.example' }, 200],
    [{ host: 'rebound.evil.example', origin: 'http://rebound.evil.example' }, 'HOST_REFUSED'],
    [{ host: '127.0.0.1.evil.example' }, 'HOST_REFUSED'],
    [{ host: 'a b' }, 'HOST_REFUSED'],
  ])('with %o', async (headers, expected) => {
    const settings = { allowedOrigins: ['https://studio.example'], allowedHosts: ['TV.example'] };
    const { port } = await open(settings, routes);
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, String(value).replace('PORT', String(port))]),
    );
    const answer = await ask(port, '/change', { ...json, ...sent }, 'POST', '{}');
    if (expected === 200) expect(answer.status).toBe(200);
    else expect(answer.json()).toMatchObject({ code: expected });
  });
});

describe('headers', () => {
  it('guard every answer', async () => {
    const { port, pages } = await open({}, (server) => {
      routes(server);
      server.registerMedia((scope) => {
        scope.get('/:app/:file', async (_request, reply) => reply.type('video/mp4').send('x'));
      });
    });
    writeFileSync(join(pages, 'index.html'), '<!doctype html>');
    writeFileSync(join(pages, 'embed.html'), '<!doctype html>');
    const api = await ask(port, '/ok');
    expect(api.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(api.headers['access-control-allow-origin']).toBeUndefined();
    const media = await ask(port, '/live/test.mp4', { origin: 'https://other.example' });
    expect(media.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'cross-origin',
    });
    const preflight = await ask(port, '/live/test.mp4', { origin: 'https://o.example' }, 'OPTIONS');
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, '*']);
    const page = await ask(port, '/');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${port} wss://127.0.0.1:${port}`);
    expect(policy).toContain("frame-ancestors 'self'");
    expect(page.headers['x-frame-options']).toBe('SAMEORIGIN');
    const embed = await ask(port, '/embed/live/test');
    expect(String(embed.headers['content-security-policy'])).toContain('frame-ancestors *');
    expect(embed.headers['x-frame-options']).toBeUndefined();
    const injected = await ask(port, '/', { host: "x;script-src 'unsafe-inline'" });
    expect(String(injected.headers['content-security-policy'])).not.toContain("unsafe-inline' ws");
    expect(String(injected.headers['content-security-policy'])).toContain("connect-src 'self';");
  });
});

describe('pages', () => {
  async function built() {
    const opened = await open();
    const { pages } = opened;
    mkdirSync(join(pages, 'assets'));
    for (const name of ['index', 'watch', '404'])
      writeFileSync(join(pages, `${name}.html`), `<!doctype html>${name}`);
    writeFileSync(join(pages, 'assets/app-abc123.js'), 'let a = 1;\n'.repeat(500));
    writeFileSync(join(pages, 'onair-player.js'), 'export {};');
    writeFileSync(join(pages, '.hidden'), 'hidden');
    writeFileSync(join(pages, '../outside.txt'), 'outside');
    symlinkSync('/etc/passwd', join(pages, 'assets/link.txt'));
    return opened;
  }

  it('are found by the first part of the address', async () => {
    const { port, pages } = await built();
    expect((await ask(port, '/')).body.toString()).toBe('<!doctype html>index');
    const watch = await ask(port, '/watch/live/test?x=1');
    expect([watch.status, watch.body.toString()]).toEqual([200, '<!doctype html>watch']);
    expect(watch.headers['cache-control']).toBe('no-cache');
    const again = await ask(port, '/watch/live/test', { 'if-none-match': String(watch.headers.etag) });
    expect(again.status).toBe(304);
    writeFileSync(join(pages, 'watch.html'), '<!doctype html>new');
    expect((await ask(port, '/watch/live/test')).body.toString()).toBe('<!doctype html>new');
    const lost = await ask(port, '/no/such/page', { accept: 'text/html,*/*' });
    expect([lost.status, lost.body.toString()]).toEqual([404, '<!doctype html>404']);
    expect((await ask(port, '/dashboard', { accept: 'text/html' })).status).toBe(404);
    expect((await ask(port, '/watch/live/a%20b', { accept: 'text/html' })).status).toBe(404);
    expect((await ask(port, '/no/such/page')).json()).toMatchObject({ code: 'NOT_FOUND' });
    expect((await ask(port, '/no', {}, 'DELETE')).json()).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('have assets that are compressed and never change', async () => {
    const { port } = await built();
    const plain = await ask(port, '/assets/app-abc123.js');
    expect(plain.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'access-control-allow-origin': '*',
    });
    const zipped = await ask(port, '/assets/app-abc123.js', { 'accept-encoding': 'gzip, br;q=0' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.body)).toEqual(plain.body);
    expect(
      (await ask(port, '/assets/app-abc123.js', { 'accept-encoding': 'br' })).headers['content-encoding'],
    ).toBe('br');
    expect((await ask(port, '/onair-player.js')).headers['cache-control']).toBe('no-cache');
    expect(
      (await ask(port, '/assets/app-abc123.js', { range: `bytes=${'0-1,'.repeat(1000)}0-1` })).status,
    ).toBe(200);
  });

  it.each([
    '/../outside.txt',
    '/assets/../../outside.txt',
    '/assets/%2e%2e/%2e%2e/outside.txt',
    '/assets/..%2f..%2foutside.txt',
    '/assets/%252e%252e%252foutside.txt',
    '/assets/..\\..\\outside.txt',
    '//etc/passwd',
    '/assets//etc/passwd',
    '/assets/link.txt',
    '/assets/',
    '/assets',
    '/.hidden',
    '/index.html%00.js',
    '/assets/app-abc123.js%00',
    '/assets/app-abc123.js/',
    '/watch/../index.html',
  ])('give 404 for %s', async (path) => {
    const { port } = await built();
    const answer = await ask(port, path);
    expect(answer.status).toBe(404);
    expect(answer.body.toString()).not.toMatch(/outside$|root:|hidden$/);
  });

  it('say when they are not built', async () => {
    const { port } = await open();
    expect((await ask(port, '/')).json()).toMatchObject({ code: 'PAGES_MISSING', status: 503 });
  });
});

it('connections from one address are capped, loopback is not', async () => {
  const { port } = await open({ maxConnectionsPerAddress: 1 }, routes);
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port, '/ok')));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
});

it('closing lets answers finish, then cuts', async () => {
  const held: (() => void)[] = [];
  const { port, server } = await open({}, ({ fastify }) => {
    fastify.get('/slow', () => new Promise((resolve) => held.push(() => resolve({ done: true }))));
  });
  const finishing = ask(port, '/slow');
  await vi.waitFor(() => expect(held).toHaveLength(1));
  const closed = server.close(5000);
  held[0]!();
  expect((await finishing).json()).toEqual({ done: true });
  await closed;
  const second = await open({}, ({ fastify }) => {
    fastify.get('/never', () => new Promise(() => {}));
  });
  const cut = ask(second.port, '/never').catch((error: Error) => error);
  await vi.waitFor(async () => expect(await getConnections(second.server)).toBe(1));
  const began = performance.now();
  await second.server.close(100);
  expect(performance.now() - began).toBeLessThan(2000);
  expect(await cut).toBeInstanceOf(Error);
});

function getConnections(server: HttpServer): Promise<number> {
  return new Promise((resolve) => server.fastify.server.getConnections((_error, count) => resolve(count)));
}
