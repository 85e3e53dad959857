import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  addressGroup,
  channels,
  createLog,
  createMetrics,
  isLoopback,
  LoopDelay,
  type LoopWindow,
  newSessionId,
  normalizeAddress,
  RepeatedWarnings,
  redactUrl,
} from './index.ts';

afterEach(() => void vi.useRealTimers());

function log(format: 'json' | 'pretty' = 'json') {
  const lines: string[] = [];
  const made = createLog({ level: 'info', format, write: (line) => lines.push(line) });
  return { ...made, lines, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('redaction', () => {
  it.each([
    ['rtmp://h/live/a?key=s3cret', 'rtmp://h/live/a?key=***'],
    ['a?b=1&token=s3cret&c=2', 'a?b=1&token=***&c=2'],
    ['http://h/signin#token=s3cret', 'http://h/signin#token=***'],
    ['rtmp://user:s3cret@h/live', 'rtmp://***@h/live'],
    ['x?%6Bey=s3cret', 'x?%6Bey=***'],
    ['x?KEY=s3cret;Access_Token=s3cret', 'x?KEY=***;Access_Token=***'],
    ['Authorization: Bearer s3cret.s3cret', 'Authorization: Bearer ***'],
    ['x?monkey=banana&%=1', 'x?monkey=banana&%=1'],
  ])('of %s', (text, expected) => expect(redactUrl(text)).toBe(expected));

  it('stays linear on hostile text', () => {
    const hostile = ['?', '&a', 'a://', 'bearer ', '?key', '%'].map((part) => part.repeat(50_000));
    const start = performance.now();
    for (const text of hostile) redactUrl(text);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('reaches fields, bindings, messages, errors and nested records', () => {
    const { logger, lines } = log();
    const child = logger.child({ token: 's3cret', address: '::1' }).child({ key: 's3cret' });
    child.info(
      { key: 's3cret', url: '/a?key=s3cret', deep: { password: 's3cret', list: [{ cookie: 's3cret' }] } },
      'x?key=s3cret',
    );
    child.error({ err: new Error('failed at rtmp://h/a?key=s3cret') }, 'went wrong');
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('s3cret');
    expect(lines.join('')).toContain('***');
    expect(JSON.parse(lines[1]!)).toMatchObject({ level: 'error', address: '::1', msg: 'went wrong' });
  });
});

describe('log lines', () => {
  it.each(['json', 'pretty'] as const)('%s: a record is one line whatever is in it', (format) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
        const { logger, lines } = log(format);
        logger.info({ [name]: value, value }, value);
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\u202e]*\n$/u);
        if (format === 'json') JSON.parse(lines[0]!);
      }),
      { numRuns: 300 },
    );
  });

  it('keep what is readable', () => {
    const { logger, records } = log();
    logger.info({ stream: 'live/テスト🎥' }, 'begun');
    expect(records()[0]).toMatchObject({ level: 'info', msg: 'begun', stream: 'live/テスト🎥' });
    expect(records()[0]!.time).toMatch(/^\d{4}-\d\d-\d\dT/);
    const pretty = log('pretty');
    pretty.logger.warn({ stream: 'live/a', why: 'two words' }, 'publisher gone');
    expect(pretty.lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}publisher gone stream=live\/a why="two words"\n$/,
    );
  });

  it('cut long strings, deep nestings and cycles', () => {
    const { logger, lines } = log();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    logger.info({ name: 'x'.repeat(65_000), cycle }, 'y'.repeat(65_000));
    expect(lines[0]!.length).toBeLessThan(5000);
  });

  it('follow a change of the level, in children too', () => {
    const { logger, lines, setLevel } = log();
    const child = logger.child({ part: 'a' });
    child.debug('unheard');
    setLevel('debug');
    child.debug('heard');
    expect(lines).toHaveLength(1);
  });
});

it('repeated warnings are counted', () => {
  vi.useFakeTimers();
  const { logger, records } = log();
  const warnings = new RepeatedWarnings(logger, 1000);
  for (let i = 0; i < 50; i++) warnings.warn('bad tag', { at: i });
  expect(records()).toHaveLength(1);
  vi.advanceTimersByTime(1000);
  expect(records()[1]).toMatchObject({ msg: 'bad tag', repeats: 49, at: 49 });
  vi.advanceTimersByTime(1000);
  warnings.warn('bad tag', { at: 50 });
  warnings.warn('bad tag', { at: 51 });
  expect(records()).toHaveLength(3);
  warnings.close();
  expect(records()[3]).toMatchObject({ repeats: 1, at: 51 });
  for (const kind of ['a', 'b', 'a', 'b']) warnings.warn('closed', { kind }, kind);
  expect(records().slice(4)).toMatchObject([
    { msg: 'closed', kind: 'a' },
    { msg: 'closed', kind: 'b' },
  ]);
  for (let i = 0; i < 2000; i++) warnings.warn(`text ${i}`);
  expect(vi.getTimerCount()).toBeLessThanOrEqual(500);
  warnings.close();
  expect(vi.getTimerCount()).toBe(0);
});

it.each([
  ['::ffff:127.0.0.1', '127.0.0.1', true, '127.0.0.1'],
  ['127.8.8.8', '127.8.8.8', true, '127.8.8.8'],
  ['::1', '::1', true, '::1'],
  ['fe80::1%eth0', 'fe80::1', false, 'fe80:0:0:0::/64'],
  ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6', false, '2001:db8:1:2::/64'],
  ['10.0.0.1', '10.0.0.1', false, '10.0.0.1'],
  ['127.evil.example', '127.evil.example', false, '127.evil.example'],
])('address %s', (address, plain, loopback, group) => {
  expect([normalizeAddress(address), isLoopback(address), addressGroup(address)]).toEqual([
    plain,
    loopback,
    group,
  ]);
});

it('session ids differ and are plain', () => {
  const ids = new Set(Array.from({ length: 1000 }, newSessionId));
  expect(ids.size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[\w-]{16}$/);
});

it('tells of each window of the event loop: a lasting delay moves both percentiles', async () => {
  const loop = new LoopDelay(300, 5);
  const busy = setInterval(() => {
    const until = performance.now() + 25;
    while (performance.now() < until);
  }, 1);
  try {
    const window = await new Promise<LoopWindow>((resolve) => loop.follow(resolve));
    expect(window.p90Ms).toBeGreaterThan(15);
    expect(window.p99Ms).toBeGreaterThanOrEqual(window.p90Ms);
    expect(loop).toMatchObject({ p99Ms: window.p99Ms, meanMs: window.meanMs });
  } finally {
    clearInterval(busy);
    loop.close();
  }
});

it('metrics are collected at the scrape, per stream and transport', async () => {
  const loop = new LoopDelay();
  let reads = 0;
  const streams = [
    {
      name: 'live/a',
      live: true,
      bytesIn: 1000,
      samplesIn: 10,
      droppedIn: 1,
      epoch: 2,
      bitrateIn: 8000,
      transports: [{ transport: 'rtmp', viewers: 3, bytesOut: 3000, skips: 1, dropped: 4 }],
    },
  ];
  const read = () => {
    reads++;
    return streams;
  };
  const metrics = createMetrics({ streams: read }, loop, '1.2.3');
  channels.sessionOpened.publish({ session: 's', protocol: 'rtmp', address: '::1' });
  channels.sessionClosed.publish({ session: 's', protocol: 'rtmp', address: '::1', code: 'closed' });
  expect(reads).toBe(0);
  for (let scrape = 0; scrape < 2; scrape++) {
    const text = await metrics.text();
    expect(text).not.toContain('nodejs_eventloop_lag');
    expect(text).toContain('onair_info{version="1.2.3"} 1');
    expect(text).toContain('onair_stream_live{stream="live/a"} 1');
    expect(text).toContain('onair_stream_bytes_in_total{stream="live/a"} 1000');
    expect(text).toContain('onair_stream_viewers{stream="live/a",transport="rtmp"} 3');
    expect(text).toContain('onair_stream_bytes_out_total{stream="live/a",transport="rtmp"} 3000');
    expect(text).toContain('onair_sessions_opened_total{protocol="rtmp"} 1');
    expect(text).toContain('onair_sessions_closed_total{protocol="rtmp",code="closed"} 1');
    expect(text).toMatch(/onair_event_loop_delay_seconds \d/);
    expect(text).toContain('process_resident_memory_bytes');
  }
  streams.pop();
  await new Promise(setImmediate);
  expect(await metrics.text()).not.toContain('live/a');
  metrics.close();
  expect(channels.sessionOpened.heard).toBe(false);
  loop.close();
});
