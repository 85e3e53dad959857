import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Canary, expectNoChildren, heldBytes, openHttp, openRaw, type RawHttp, Scope } from '../kit/index.ts';

const HEADERS_MS = 2_000;
const UPGRADE_MS = 2_000;
const LATE_MS = 2_500;
const SECRET_KEY = 'a-stream-key-that-nobody-may-see';

const house = new Scope();
let canary: Canary;
beforeAll(async () => {
  canary = await Canary.start(house, {
    'http.headersTimeoutMs': String(HEADERS_MS),
    'http.requestTimeoutMs': String(HEADERS_MS),
    'http.upgradeTimeoutMs': String(UPGRADE_MS),
    'http.keepAliveTimeoutMs': '3000',
    'hub.reconnectWindowMs': '200',
    'hub.endedLingerMs': '0',
    'hls.maxWaiters': '50',
  });
});
afterAll(async () => {
  await house.close();
  await expectNoChildren();
});

let scope = new Scope();
beforeEach(() => canary.rest());
afterEach(async () => {
  const closing = scope;
  scope = new Scope();
  await closing.close();
  await canary.unharmed();
});

const open = (): RawHttp => openHttp(scope, canary.httpPort);

/** Sends one request and gives the whole answer. */
async function ask(line: string, headers: Readonly<Record<string, string>> = {}): Promise<RawHttp> {
  const http = open().request(line, { Connection: 'close', ...headers });
  await http.gone();
  return http;
}

describe('paths', () => {
  const FILES = ['etc/passwd', 'package.json', 'packages/server/package.json', 'admin-token'];
  const ROOTS = [
    '',
    'assets/',
    'live/',
    'live/canary/',
    'live/canary/hls/',
    'live/canary/hls/video/',
    'hls/',
  ];
  const UPS = ['../', '..%2f', '%2e%2e/', '%2e%2e%2f', '..%5c', '%252e%252e%252f', '....//', './../', '..;/'];

  it('that climb lead nowhere', async () => {
    for (const root of ROOTS) {
      const batch = UPS.flatMap((up) => FILES.map((file) => `/${root}${up.repeat(6)}${file}`));
      await Promise.all(
        batch.map(async (path) => {
          const { heard, status } = await ask(`GET ${path}`);
          expect([400, 404], `${path}: ${status}`).toContain(status);
          expect(heard, path).not.toMatch(/root:|"workspaces"|"dependencies"/);
        }),
      );
    }
  });

  it('with strange bytes are answered with a problem, never echoed as markup', async () => {
    const paths = [
      '/live/%00.flv',
      '/live/a%0d%0aSet-Cookie:x.flv',
      '/live/%E2%80%AE.flv',
      '/live/<script>alert(1)</script>.flv',
      '/live/%3Cscript%3Ealert(1)%3C%2Fscript%3E.flv',
      '/live/%ff%fe.flv',
      `/live/${'x'.repeat(8_000)}.flv`,
      `/${'a/'.repeat(2_000)}`,
      '/live/canary.flv?latency=-1',
      '/live/canary.flv?latency=1e99',
      '/live/canary.flv?latency[]=1&__proto__=1',
      '/api/v1/streams/live/%2e%2e',
      '/api/v1/streams?callback=alert',
      '//live/canary.flv',
    ];
    for (const path of paths) {
      const http = open().request(`GET ${path}`, { Connection: 'close' });
      await http.answered();
      const { heard, status } = http;
      expect([400, 404, 414, 431, 200], path).toContain(status);
      expect(heard.toLowerCase(), path).not.toContain('<script>alert');
      expect(heard, path).not.toMatch(/^set-cookie: *x/im);
      if (status !== 200) expect(heard, path).toMatch(/content-type: application\/problem\+json/i);
      else expect(heard, path).toMatch(/x-content-type-options: nosniff/i);
    }
  });
});

describe('what publishers say', () => {
  it('reaches pages and logs as text only, and keys reach neither', async () => {
    const encoder = openRaw(scope, canary.rtmpPort);
    await encoder.shakeHands();
    const evil = '<img src=x onerror=alert(1)>\r\n\u001b[31m{"level":"fatal"}';
    await encoder.connectApp('live', { flashVer: evil, pageUrl: 'javascript:alert(1)' });
    encoder.command('createStream', 2, [null]);
    await encoder.answer(2);
    encoder.command('publish', 3, [null, `evil?key=${SECRET_KEY}`, 'live'], 1);
    await encoder.status('NetStream.Publish.Start');
    encoder.data(1, '@setDataFrame', ['onMetaData', { title: evil, encoder: evil }]);
    const { heard } = await ask('GET /api/v1/streams');
    expect(heard).toMatch(/content-type: application\/json/i);
    expect(heard).not.toContain('<img');
    for (const page of ['/', '/watch/live/evil', '/dashboard', '/compare/live/evil']) {
      const answer = await ask(`GET ${page}`);
      expect(answer.heard).not.toContain('<img src=x');
      if (answer.status === 200)
        expect(answer.heard).toMatch(/content-security-policy:[^\r]*script-src 'self'/i);
    }
    const told = JSON.stringify(canary.lines) + heard + (await canary.text('/metrics'));
    expect(told).not.toContain(SECRET_KEY);
    const came = canary.lines.find(({ encoder: said }) => said === evil);
    expect(came).toMatchObject({ level: 'info', msg: 'publisher came' });
  });
});

describe('other sites', () => {
  const FOREIGN = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };

  it('change nothing through a browser', async () => {
    for (const [line, headers] of [
      ['DELETE /api/v1/streams/live/canary', FOREIGN],
      ['POST /api/v1/session', { ...FOREIGN, 'Content-Type': 'text/plain', 'Content-Length': '0' }],
      ['DELETE /api/v1/streams/live/canary', { Host: 'evil.example' }],
      ['DELETE /api/v1/streams/live/canary', { Host: 'evil.example', Origin: 'http://evil.example' }],
    ] as const) {
      const { status, heard } = await ask(line, headers);
      expect([401, 403, 421], line).toContain(status);
      expect(heard).not.toMatch(/access-control-allow-origin/i);
    }
    const { status } = await ask('GET /api/v1/sessions', { Host: 'evil.example' });
    expect([401, 403, 421]).toContain(status);
  });

  it('may watch', async () => {
    const http = open().upgrade('/live/canary.fmp4', FOREIGN);
    expect(await http.answered()).toBe(101);
  });
});

describe('WebSockets', () => {
  /** A masked frame header for a payload of `length` bytes, with a mask of zeroes. */
  function header(first: number, length: number): Buffer {
    const out = Buffer.alloc(14);
    out[0] = first;
    out[1] = 0x80 | 127;
    out.writeBigUInt64BE(BigInt(length), 2);
    return out;
  }
  const masked = (first: number, text: string): Buffer =>
    Buffer.concat([Buffer.of(first, 0x80 | text.length, 0, 0, 0, 0), Buffer.from(text)]);

  it.each([
    ['a frame of 1 GB', () => header(0x81, 2 ** 30), 1009],
    ['a frame of 2^62', () => header(0x81, 2 ** 53 - 1), 1009],
    ['binary data', () => masked(0x82, 'hello'), 1002],
    ['no JSON', () => masked(0x81, 'hello'), 1002],
    ['a message that nobody knows', () => masked(0x81, '{"type":"__proto__"}'), 1002],
    ['an unmasked frame', () => Buffer.of(0x81, 2, 0x7b, 0x7d), 1002],
    ['reserved bits', () => masked(0xf1, '{}'), 1002],
    ['broken UTF-8', () => Buffer.of(0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe), 1007],
    ['a fragment of nothing', () => masked(0x80, 'x'), 1002],
  ])('that send %s are closed', async (name, bytes, code) => {
    for (const path of ['/live/canary.fmp4', '/live/canary.flv']) {
      // Text is not looked at where nothing can be said.
      if (path.endsWith('.flv') && /JSON|nobody/.test(name)) continue;
      const http = open().upgrade(path, { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
      expect(await http.answered()).toBe(101);
      expect(http.heard).not.toMatch(/sec-websocket-extensions/i);
      http.send(bytes());
      await http.gone();
      expect(endsWithClose(http.bytes, code), path).toBe(true);
    }
  });

  it('that send fragments without end are closed', async () => {
    const http = open().upgrade('/live/canary.fmp4');
    await http.answered();
    http.send(masked(0x01, '{"type":'));
    const more = masked(0x00, ' '.repeat(100));
    for (let n = 0; n < 50; n++) http.send(more);
    await http.gone();
    expect(endsWithClose(http.bytes, 1009)).toBe(true);
  });

  it('that are not asked for properly are refused', async () => {
    for (const [headers, status] of [
      [{ 'Sec-WebSocket-Version': '8' }, 426],
      [{ 'Sec-WebSocket-Key': 'short' }, 400],
    ] as const) {
      expect(await open().upgrade('/live/canary.fmp4', headers).answered()).toBe(status);
    }
    expect(await open().upgrade('/live/../canary.fmp4').answered()).toBe(404);
    expect(await open().upgrade('/live/%2e%2e.fmp4').answered()).toBe(400);
    expect(await open().upgrade('/live/nobody.flv').answered()).toBe(404);
  });

  it('that ping in floods and read nothing are cut off', async () => {
    const http = open().upgrade('/live/canary.fmp4');
    await http.answered();
    const before = heldBytes();
    http.socket.pause();
    const ping = masked(0x89, 'x'.repeat(100));
    const flood = Buffer.concat(Array.from({ length: 10_000 }, () => ping));
    for (let n = 0; n < 60 && !http.socket.destroyed; n++) {
      await new Promise<void>((resolve) => {
        if (!http.socket.write(flood)) http.socket.once('drain', resolve);
        else resolve();
        setTimeout(resolve, 300);
      });
    }
    expect(heldBytes() - before - http.socket.writableLength).toBeLessThan(16_000_000);
  });
});

/** Whether the bytes end with a close frame of this code, with or without a reason. */
function endsWithClose(bytes: Buffer, code: number): boolean {
  for (let at = Math.max(0, bytes.length - 130); at + 4 <= bytes.length; at++) {
    if (
      bytes[at] === 0x88 &&
      bytes[at + 1] === bytes.length - at - 2 &&
      bytes.readUInt16BE(at + 2) === code
    ) {
      return true;
    }
  }
  return false;
}

describe('HTTP', () => {
  it('heads and bodies that trickle are cut off at an absolute deadline', async () => {
    const heads = Array.from({ length: 30 }, open);
    const bodies = Array.from({ length: 10 }, open);
    for (const http of heads) http.send('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    for (const http of bodies) {
      http.request('POST /api/v1/session', { 'Content-Type': 'application/json', 'Content-Length': '100' });
    }
    let n = 0;
    const drip = setInterval(() => {
      for (const http of heads) http.send(`X-${n}: ${n}\r\n`);
      for (const http of bodies) http.send(' ');
      n++;
    }, 200);
    for (const http of [...heads, ...bodies]) {
      await http.gone(HEADERS_MS + LATE_MS + 5_000);
      expect(http.closedMs).toBeLessThan(HEADERS_MS + LATE_MS);
    }
    clearInterval(drip);
    await canary.told('ERR_HTTP_REQUEST_TIMEOUT');
  });

  it.each([
    ['a head of 64 KB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(65_536)}\r\n\r\n`, 431],
    [
      'two lengths',
      'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', 400],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['RTMP', `\u0003${'\0'.repeat(1_536)}`, 400],
  ])('%s is refused', async (name, text, status) => {
    const http = open();
    http.send(text);
    await http.gone(HEADERS_MS + LATE_MS);
    expect(http.status).toBe(status);
    // A missing Host is seen behind the parser, which has its own answer.
    if (name !== 'no host') expect(canary.lines.map(({ msg }) => msg)).toContain('malformed request');
  });

  it('bodies beyond the limit, and JSON that means harm, are refused', async () => {
    const post = async (body: string): Promise<number> => {
      const http = open().request('POST /api/v1/session', {
        Connection: 'close',
        'Content-Type': 'application/json',
        'Content-Length': String(body.length),
      });
      http.send(body);
      await http.gone();
      return http.status;
    };
    expect(await post(`{"token":"${'x'.repeat(100_000)}"}`)).toBe(413);
    expect(await post('{"__proto__":{"admin":true},"token":"x"}')).toBe(400);
    expect(await post('{"constructor":{"prototype":{"admin":true}},"token":"x"}')).toBe(400);
    expect(await post(`{"token":${'['.repeat(20_000)}`)).toBe(400);
    expect(await post('{"token":1e999}')).toBeGreaterThanOrEqual(400);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('a thousand ranges are answered whole or refused', async () => {
    const playlist = await canary.text('/live/canary/hls/video.m3u8');
    const file = /^[^#\s].*$/m.exec(playlist)![0];
    const ranges = Array.from({ length: 1_000 }, (_, i) => `${i}-${i}`).join(',');
    const { heard, status } = await ask(`GET /live/canary/hls/${file}`, { Range: `bytes=${ranges}` });
    expect([200, 416, 431]).toContain(status);
    expect(heard).not.toMatch(/multipart\/byteranges/i);
  });

  it('idle connections by the hundred are let go', async () => {
    const idle = Array.from({ length: 300 }, () => open().request('GET /healthz'));
    await Promise.all(idle.map((http) => http.answered()));
    for (const http of idle) await http.gone(3_000 + LATE_MS + 5_000);
  });

  it('blocking reloads for the future are refused beyond two segments, and waiters are capped', async () => {
    const playlist = await canary.text('/live/canary/hls/video.m3u8');
    const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(playlist)![1]);
    const next = first + (playlist.match(/#EXTINF/g) ?? []).length;
    const far = await ask(`GET /live/canary/hls/video.m3u8?_HLS_msn=${next + 50}`);
    expect(far.status).toBe(400);
    const waiters = Array.from({ length: 300 }, (_, n) =>
      open().request(`GET /live/canary/hls/video.m3u8?_HLS_msn=${next + 1}&n=${n}`, { Connection: 'close' }),
    );
    await Promise.all(waiters.map((http) => http.gone(20_000)));
    const counts = new Map<number, number>();
    for (const { status } of waiters) counts.set(status, (counts.get(status) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([200, 503]);
    expect(counts.get(200)).toBeLessThanOrEqual(60);
    const refused = waiters.find(({ status }) => status === 503)!;
    expect(refused.heard).toMatch(/retry-after: \d+/i);
  });
});
