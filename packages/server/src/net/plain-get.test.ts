import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_PLAIN_HEAD, readPlainGet } from './plain-get.ts';

const read = (text: string) => readPlainGet(text, undefined);
const head = (...lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`;
const LINE = 'GET /live/a/hls/video.m3u8?_HLS_msn=3 HTTP/1.1';
const HOST = 'Host: tv.example:8080';

describe('a plain GET', () => {
  it('is read', () => {
    const text = head(LINE, HOST, 'User-Agent:  a b\tc ', 'Accept:', 'accept-encoding: gzip, br');
    const { url, block } = read(text)!;
    expect(url).toBe('/live/a/hls/video.m3u8?_HLS_msn=3');
    expect({ ...block.headers }).toEqual({
      host: 'tv.example:8080',
      'user-agent': 'a b\tc',
      accept: '',
      'accept-encoding': 'gzip, br',
    });
    expect(block.closes).toBe(false);
    expect(readPlainGet(text.replace('=3', '=4'), block)!.block).toBe(block);
    expect(read(text)).toBe(read(text));
    expect(read(head('GET / HTTP/1.1', HOST, 'Connection: Close'))!.block.closes).toBe(true);
    expect(read(head('GET / HTTP/1.1', HOST, 'connection: keep-alive'))!.block.closes).toBe(false);
    expect(read(head('GET / HTTP/1.1', HOST, '__proto__: x', 'constructor: y'))).toBeDefined();
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it.each([
    ['another method', head('HEAD / HTTP/1.1', HOST)],
    ['a method in lower case', head('get / HTTP/1.1', HOST)],
    ['another version', head('GET / HTTP/1.0', HOST)],
    ['no version', head('GET /', HOST)],
    ['two blanks', head('GET  / HTTP/1.1', HOST)],
    ['a blank in the target', head('GET /a b HTTP/1.1', HOST)],
    ['a tab in the target', head('GET /a\tb HTTP/1.1', HOST)],
    ['a byte in the target', head('GET /\u00e9 HTTP/1.1', HOST)],
    ['an absolute target', head('GET http://x/ HTTP/1.1', HOST)],
    ['an authority in front', head('GET //x/ HTTP/1.1', HOST)],
    ['an asterisk', head('GET * HTTP/1.1', HOST)],
    ['no host', head('GET / HTTP/1.1', 'Accept: x')],
    ['no header at all', 'GET / HTTP/1.1\r\n\r\n'],
    ['an empty host', head('GET / HTTP/1.1', 'Host:')],
    ['two hosts', head('GET / HTTP/1.1', HOST, 'host: other')],
    ['a header twice', head('GET / HTTP/1.1', HOST, 'Range: bytes=0-1', 'range: bytes=2-3')],
    ['a length', head('GET / HTTP/1.1', HOST, 'Content-Length: 0')],
    ['chunks', head('GET / HTTP/1.1', HOST, 'Transfer-Encoding: chunked')],
    ['chunks with a blank', head('GET / HTTP/1.1', HOST, 'Transfer-Encoding : chunked')],
    ['an upgrade', head('GET / HTTP/1.1', HOST, 'Connection: Upgrade', 'Upgrade: websocket')],
    ['an expectation', head('GET / HTTP/1.1', HOST, 'Expect: 100-continue')],
    ['an unusual connection', head('GET / HTTP/1.1', HOST, 'Connection: close, x')],
    ['a folded line', head('GET / HTTP/1.1', HOST, 'A: b', ' c')],
    ['a bare line feed', 'GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n'],
    ['a bare carriage return', 'GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n'],
    ['a zero byte', head('GET / HTTP/1.1', HOST, 'A: b\0')],
    ['a high byte', head('GET / HTTP/1.1', HOST, 'A: \u00ff')],
    ['a name that is no token', head('GET / HTTP/1.1', HOST, 'A(): b')],
    ['a line without colon', head('GET / HTTP/1.1', HOST, 'nothing')],
    ['half a head', 'GET / HTTP/1.1\r\nHost: x\r\n'],
    ['bytes behind it', `${head('GET / HTTP/1.1', HOST)}x`],
    ['another request behind it', head(LINE, HOST).repeat(2)],
    ['an empty line in front', `\r\n${head(LINE, HOST)}`],
    ['too many headers', head(LINE, HOST, ...Array.from({ length: 60 }, (_, i) => `A${i}: x`))],
    ['too long a head', head(LINE, HOST, `A: ${'x'.repeat(MAX_PLAIN_HEAD)}`)],
  ])('is not one with %s', (_what, text) => {
    expect(read(text)).toBeUndefined();
  });

  it('is not one that is cut anywhere', () => {
    const text = head(LINE, HOST, 'Accept: */*');
    for (let end = 0; end < text.length; end++) expect(read(text.slice(0, end))).toBeUndefined();
  });

  it('forgets blocks when there are many, and keeps what it knows apart', () => {
    for (let i = 0; i < 2000; i++) {
      expect(read(head('GET / HTTP/1.1', HOST, `A: ${i}`))!.block.headers.a).toBe(String(i));
    }
  });
});

describe('beside the parser of Node', () => {
  const server = createServer((request, response) => {
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers }));
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** What Node makes of the bytes: as many bodies as it saw requests. */
  function node(text: string): Promise<string> {
    return new Promise((resolve) => {
      let heard = '';
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
        socket.end(text, 'latin1');
      });
      socket.on('data', (bytes) => {
        heard += bytes.toString('latin1');
      });
      socket.on('error', () => resolve(heard));
      socket.on('close', () => resolve(heard));
    });
  }

  it('whatever is read here means the same there, and is one request', async () => {
    const scrap = fc.constantFrom(
      ...['GET ', '/', 'a', ' HTTP/1.1', '\r\n', '\r', '\n', ' ', '\t', ':', 'Host: x\r\n', 'A: b\r\n', '\0'],
      ...['Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', 'é', '%00', '?q=1', 'X:\r\n', 'x'],
    );
    const wild = fc.array(scrap, { maxLength: 3 }).map((list) => list.join(''));
    const tame = fc.constantFrom('', 'a', '?q=1', '%00', 'x/y', '..;/');
    const lines = fc.constantFrom('', 'A: b\r\n', 'X:\r\n', 'A:b \t c \r\nX-y: 1\r\n');
    const near = fc
      .tuple(fc.oneof(tame, wild), fc.oneof(lines, wild), fc.oneof(fc.constant(''), wild))
      .map(([target, more, end]) => `GET /${target} HTTP/1.1\r\nHost: x\r\n${more}\r\n${end}`);
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(near, async (text) => {
        const mine = read(text);
        if (mine === undefined) return;
        plain++;
        const heard = await node(text);
        expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
        const theirs = JSON.parse(heard.slice(heard.indexOf('{'), heard.lastIndexOf('}') + 1));
        expect(theirs).toEqual(
          JSON.parse(JSON.stringify({ method: 'GET', url: mine.url, headers: mine.block.headers })),
        );
      }),
      { numRuns: 400 },
    );
    expect(plain).toBeGreaterThan(20);
  });
});
