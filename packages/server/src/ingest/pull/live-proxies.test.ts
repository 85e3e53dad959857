import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { DEFAULT_POLICY, SessionTable, StreamRegistry } from '../../hub/index.ts';
import { LiveProxies, type OpenSource } from './index.ts';

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

const NOTHING = { bytes: 0, skips: 0, dropped: 0, backlog: 0 };

function setUp(limits = { private: true, maxSources: 2, idleMs: 5000 }, open?: OpenSource) {
  const clock = new FakeClock();
  const registry = new StreamRegistry({ policy: DEFAULT_POLICY });
  const sessions = new SessionTable(
    () => 0,
    () => String(Math.random()),
  );
  const opened: string[] = [];
  const closed: string[] = [];
  const fake: OpenSource = (url) => {
    opened.push(url);
    return { close: () => closed.push(url) };
  };
  const proxies = new LiveProxies({
    registry,
    sessions,
    clock,
    log: () => undefined,
    limits: () => limits,
    allow: async () => undefined,
    open: open ?? fake,
  });
  closers.push(() => {
    proxies.close('test over');
    registry.close('test over');
  });
  return { proxies, clock, sessions, opened, closed };
}

describe('live proxies', () => {
  it('fetch the same address once, and as many as may be', () => {
    const { proxies, opened } = setUp();
    const one = proxies.start('http://a.example/live/x.flv?secret=1');
    expect(one.stream).toMatch(/^proxy\/[\w-]{12}$/);
    expect(proxies.start('http://a.example/live/x.flv?secret=1')).toEqual(one);
    expect(opened).toEqual(['http://a.example/live/x.flv?secret=1']);
    proxies.start('rtmp://a.example/live/x');
    expect(() => proxies.start('http://b.example/x.flv')).toThrow(
      expect.objectContaining({ code: 'OVERLOADED' }),
    );
  });

  it('let a source go that nobody watches, and no other', () => {
    const { proxies, clock, sessions, closed } = setUp();
    const watched = proxies.start('http://a.example/live/x.flv').stream;
    const left = proxies.start('http://a.example/live/y.flv').stream;
    const entry = { kind: 'viewer', protocol: 'ws-fmp4', address: '', close: () => undefined } as const;
    sessions.add({ ...entry, stream: watched, figures: () => NOTHING });
    for (let second = 0; second < 7; second++) clock.advance(1000);
    expect(closed).toEqual(['http://a.example/live/y.flv']);
    expect(proxies.state(left)).toBeUndefined();
    expect(proxies.state(watched)).toEqual({ stream: watched, live: false });
  });

  it.each([
    'file:///etc/passwd',
    'http://',
    'gopher://a/b',
    'javascript:alert(1)',
    `http://a/${'x'.repeat(3000)}`,
    'http:///x',
  ])('refuse %.40s', (url) => {
    expect(() => setUp().proxies.start(url)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });

  it('say at once why an address is refused', async () => {
    const { proxies } = setUp({ private: false, maxSources: 2, idleMs: 5000 });
    for (const url of [
      'http://127.0.0.1/x.flv',
      'rtmp://10.1.2.3/live/x',
      'http://[::1]/x',
      'http://localhost/x',
    ]) {
      await expect(proxies.check(url)).rejects.toMatchObject({ code: 'ADDRESS_NOT_PUBLIC' });
    }
    await expect(proxies.check('file:///etc/passwd')).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(proxies.check('http://8.8.8.8/x.flv')).resolves.toBeUndefined();
    await expect(setUp().proxies.check('http://127.0.0.1/x.flv')).resolves.toBeUndefined();
  });

  it.each(['http://127.0.0.1/x.flv', 'http://[::1]:80/x', 'http://10.1.2.3/x', 'http://169.254.1.1/latest'])(
    'do not reach %s unless private addresses are allowed',
    (url) => {
      const clock = new FakeClock();
      const registry = new StreamRegistry({ policy: DEFAULT_POLICY });
      const proxies = new LiveProxies({
        registry,
        sessions: new SessionTable(
          () => 0,
          () => 'id',
        ),
        clock,
        log: () => undefined,
        limits: () => ({ private: false, maxSources: 1, idleMs: 1000 }),
        allow: async () => undefined,
      });
      closers.push(() => proxies.close('test over'));
      const { stream } = proxies.start(url);
      expect(proxies.state(stream)?.failure).toContain('is not an address of the public network');
    },
  );
});
