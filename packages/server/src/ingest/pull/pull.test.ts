import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Sample, streamName } from '@onair/media';
import { configTag, encodeFlvTag, encodeSampleAsFlvTag, flvFileHeader } from '@onair/media/flv';
import { askForName, askForProof, proofFailed } from '@onair/media/rtmp';
import { afterEach, expect, it, vi } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { audioTrack, programme, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import { SPLICE_EVENT, SPLICE_OUT, tsFilm } from '../../../../../test/kit/ts-film.ts';
import { DEFAULT_POLICY, SessionTable, StreamRegistry } from '../../hub/index.ts';
import type { RtmpHandlers } from '../../net/rtmp-handlers.ts';
import { RtmpListener } from '../../net/rtmp-listener.ts';
import { createLog } from '../../observe/index.ts';
import { RTMP_MESSAGES } from '../../packager/tags/index.ts';
import { FIRST_RETRY_MS, MAX_RETRY_MS, type PullSink, StreamPull } from './index.ts';

const NAME = streamName('live', 'pulled');
const AVCC = Uint8Array.from(
  Buffer.from(
    '0164000bffe100196764000bacd9428df93011000003000100000300320f14299601000568ebecb22cfdf8f800',
    'hex',
  ),
);
const video = videoTrack({ ...videoParameters(160, 90), codecString: 'avc1.64000b', description: AVCC });
const audio = audioTrack();

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function setUp(url: string, open?: (url: string, sink: PullSink) => { close(): void }) {
  const clock = new FakeClock();
  const registry = new StreamRegistry({ policy: DEFAULT_POLICY });
  const sessions = new SessionTable(
    () => Date.now(),
    () => 'id',
  );
  const lines: { message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const samples: Sample[] = [];
  const states: string[] = [];
  const stream = registry.open(NAME);
  stream.attach();
  stream.subscribe({
    cut: () => undefined,
    sample: (sample) => samples.push(sample),
    state: (state) => states.push(state),
  });
  const pull = new StreamPull(
    { url, stream: NAME },
    {
      registry,
      sessions,
      clock,
      random: () => 1,
      log: (message, fields) => lines.push({ message, fields }),
      ...(open === undefined ? {} : { open }),
    },
  );
  closers.push(() => {
    pull.close('test over');
    registry.close('test over');
  });
  return { pull, clock, registry, sessions, lines, samples, states };
}

const flvFile = (): Buffer =>
  Buffer.concat([
    flvFileHeader({ audio: true, video: true }),
    ...[video, audio].map((track) => encodeFlvTag({ timestampMs: 0, ...configTag(track)! })),
    ...programme(video, audio, 1, 25).map(encodeSampleAsFlvTag),
  ]);

async function httpServer(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer as never);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('pulls HTTP-FLV through a redirect, and again after the source has gone', async () => {
  let requests = 0;
  const base = await httpServer(((request: { url: string }, response: import('node:http').ServerResponse) => {
    if (request.url === '/old.flv') {
      response.writeHead(302, { location: '/new.flv' }).end();
      return;
    }
    requests++;
    response.writeHead(200, { 'content-type': 'video/x-flv' });
    response.write(flvFile());
    if (requests === 1) response.end();
  }) as never);
  const { pull, clock, samples, states, sessions, lines } = setUp(`${base}/old.flv`);
  pull.start();
  await vi.waitFor(() => expect(states.at(-1)).toBe('waiting'));
  expect(samples.filter(({ track }) => track.id === 1)).toHaveLength(25);
  expect(pull.live).toBe(false);
  clock.advance(FIRST_RETRY_MS);
  await vi.waitFor(() => expect(samples.filter(({ track }) => track.id === 1)).toHaveLength(50));
  expect(pull.live).toBe(true);
  expect(sessions.list()[0]).toMatchObject({ protocol: 'http-flv-pull', address: '127.0.0.1' });
  pull.close('enough');
  expect(sessions.list()).toEqual([]);
  expect(lines.map(({ message }) => message)).toEqual([
    'publisher came',
    'publisher left',
    'source failed',
    'publisher came',
    'publisher left',
  ]);
});

it('pulls a transport stream with its cues, by what comes and not by the address', async () => {
  let requests = 0;
  const film = Buffer.concat(tsFilm({ seconds: 2, splices: [{ section: SPLICE_OUT, at: 1 }] }));
  const base = await httpServer(((_: unknown, response: import('node:http').ServerResponse) => {
    requests++;
    response.writeHead(200, { 'content-type': 'video/mp2t' });
    // Cut within a packet; the first time the source ends.
    response.write(film.subarray(0, 1000), () => response.write(film.subarray(1000)));
    if (requests === 1) setTimeout(() => response.end(), 50);
  }) as never);
  const { pull, clock, registry, samples, states, sessions, lines } = setUp(`${base}/tv`);
  pull.start();
  await vi.waitFor(() => expect(states.at(-1)).toBe('waiting'));
  expect(samples.filter(({ track }) => track.id === 1)).toHaveLength(50);
  expect(samples.filter(({ track }) => track.id === 2).length).toBeGreaterThan(80);
  const { events } = registry.find(NAME)!;
  const [cue] = events.between(0, Number.MAX_SAFE_INTEGER);
  expect(cue).toMatchObject({ splice: { kind: 'out' } });
  expect(cue!.id).toContain(String(SPLICE_EVENT));
  clock.advance(FIRST_RETRY_MS);
  await vi.waitFor(() => expect(pull.live).toBe(true));
  await vi.waitFor(() =>
    expect(sessions.list()[0]).toMatchObject({ protocol: 'http-ts-pull', address: '127.0.0.1' }),
  );
  pull.close('enough');
  expect(sessions.list()).toEqual([]);
  expect(lines.map(({ message }) => message)).toEqual([
    'publisher came',
    'publisher left',
    'source failed',
    'publisher came',
    'publisher left',
  ]);
});

it('gives up a transport stream with nothing in it', async () => {
  const base = await httpServer(((_: unknown, response: import('node:http').ServerResponse) => {
    response.writeHead(200).end(Buffer.alloc(188 * 50_000, Buffer.from([0x47, 0x1f, 0xff, 0x10])));
  }) as never);
  const { pull, lines, sessions } = setUp(`${base}/x.ts`);
  pull.start();
  await vi.waitFor(() => expect(lines.at(-1)?.message).toBe('source failed'));
  expect(lines.at(-1)!.fields.reason).toMatch(/without a program|faults in a row/);
  expect(sessions.list()).toEqual([]);
});

it.each([
  ['404', 404, '', /HTTP 404/],
  ['what is no FLV', 200, 'hello world', /do not begin with FLV/],
])('tells of %s', async (_, status, body, reason) => {
  const base = await httpServer(((__: unknown, response: import('node:http').ServerResponse) =>
    response.writeHead(status).end(body)) as never);
  const { pull, lines } = setUp(`${base}/x.flv`);
  pull.start();
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  expect(lines[0]!.fields.reason).toMatch(reason);
});

it.each([
  ['another name of this machine', 'http://localhost:PORT/new.flv'],
  ['an address of this machine', 'http://[::1]:PORT/new.flv'],
  ['the address where clouds tell secrets', 'http://169.254.169.254/latest/meta-data'],
])('does not follow to %s', async (_, target) => {
  let inside = 0;
  const base = await httpServer(((request: { url: string }, response: import('node:http').ServerResponse) => {
    if (request.url === '/old.flv') {
      response.writeHead(302, { location: target.replace('PORT', base.split(':')[2]!) }).end();
    } else {
      inside++;
      response.end();
    }
  }) as never);
  const { pull, lines } = setUp(`${base}/old.flv`);
  pull.start();
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  expect(lines[0]!.fields.reason).toMatch(/not an address of the public network/);
  expect(inside).toBe(0);
});

/** A server that plays a second to everybody whom `connect` lets in. */
async function rtmpServer(connect: RtmpHandlers['connect'] = () => undefined) {
  const listener = new RtmpListener({
    handlers: {
      connect,
      publish: async () => ({ refused: 'NetStream.Publish.Denied', reason: 'none here' }),
      play: async (peer) => ({
        started: () => {
          for (const track of [video, audio]) {
            const { type, body } = configTag(track)!;
            peer.socket.write(RTMP_MESSAGES.body(type, 0, body));
          }
          for (const sample of programme(video, audio, 1, 25))
            peer.socket.write(RTMP_MESSAGES.sample(sample));
        },
        paused: () => undefined,
        receive: () => undefined,
        drained: () => undefined,
        closed: () => undefined,
      }),
    },
    logger: createLog({ level: 'silent', format: 'json', write: () => undefined }).logger,
    policy: () => ({
      phaseTimeoutMs: 10_000,
      pingMs: 30_000,
      maxConnections: 10,
      maxConnectionsPerAddress: 10,
    }),
  });
  const port = await listener.listen(0, '127.0.0.1');
  closers.push(() => listener.close('test over'));
  return { port, listener };
}

it('pulls RTMP', async () => {
  const { port, listener } = await rtmpServer();
  const { pull, samples, states, sessions } = setUp(`rtmp://127.0.0.1:${port}/live/test`);
  pull.start();
  await vi.waitFor(() => expect(samples.filter(({ track }) => track.id === 1)).toHaveLength(25));
  expect(sessions.list()[0]).toMatchObject({ protocol: 'rtmp-pull' });
  for (const connection of listener.connections) connection.close('gone');
  await vi.waitFor(() => expect(states.at(-1)).toBe('waiting'));
});

it('answers a server that asks for name and password, and tells the password to nobody', async () => {
  const asked: string[] = [];
  const { port } = await rtmpServer(({ query }) => {
    asked.push(query.replace(/=[^&]{20,}/g, '=…').replace(/challenge=\w+/, 'challenge=…'));
    if (query.includes('response=')) {
      if (query.startsWith('authmod=adobe&user=me&')) return undefined;
      return { refused: 'NetConnection.Connect.Rejected', reason: proofFailed('adobe') };
    }
    const named = query.includes('user=');
    const reason = named ? askForProof('adobe', 'me', 'salt', 'token') : askForName('adobe');
    return { refused: 'NetConnection.Connect.Rejected', reason };
  });
  const { pull, samples } = setUp(`rtmp://me:secret@127.0.0.1:${port}/live/test`);
  pull.start();
  await vi.waitFor(() => expect(samples.filter(({ track }) => track.id === 1)).toHaveLength(25));
  expect(asked).toEqual([
    '',
    'authmod=adobe&user=me',
    'authmod=adobe&user=me&challenge=…&response=…&opaque=token',
  ]);
  const other = setUp(`rtmp://other:secret@127.0.0.1:${port}/live/test`);
  other.pull.start();
  await vi.waitFor(() => expect(other.lines.at(-1)?.fields.reason).toMatch(/authfailed/));
  const nobody = setUp(`rtmp://127.0.0.1:${port}/live/test`);
  nobody.pull.start();
  await vi.waitFor(() => expect(nobody.lines.at(-1)?.fields.reason).toMatch(/code=403 need auth/));
});

it('waits longer after each failure, up to a bound, and not again after close', () => {
  const sinks: PullSink[] = [];
  const { pull, clock, lines } = setUp('rtmp://host/app/name', (_, sink) => {
    sinks.push(sink);
    return { close: () => undefined };
  });
  pull.start();
  const waits: number[] = [];
  for (let attempts = 1; attempts < 9; attempts++) {
    const since = clock.now();
    sinks.at(-1)!.ended('no answer');
    while (sinks.length === attempts) clock.advance(250);
    waits.push(clock.now() - since);
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, MAX_RETRY_MS, MAX_RETRY_MS, MAX_RETRY_MS]);
  expect(lines).toHaveLength(1);
  sinks.at(-1)!.ended('no answer');
  pull.close('enough');
  expect(clock.waiting).toBe(0);
});

it.each([
  ['so many redirects', 'rtmp://host/app/other', 4, 'too many redirects'],
  ['no redirect to another protocol', 'http://host/x.flv', 1, 'redirected to another protocol'],
])('follows %s', async (_, target, attempts, reason) => {
  const urls: string[] = [];
  const { pull, lines } = setUp('rtmp://host/app/name', (url, sink) => {
    urls.push(url);
    queueMicrotask(() => sink.redirected(target));
    return { close: () => undefined };
  });
  pull.start();
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  expect(urls).toHaveLength(attempts);
  expect(lines[0]!.fields.reason).toBe(reason);
});

it('gives up a name that is taken and tries again', async () => {
  const base = await httpServer(((_: unknown, response: import('node:http').ServerResponse) => {
    response.writeHead(200).write(flvFile());
  }) as never);
  const { pull, registry, clock, lines, samples } = setUp(`${base}/x.flv`);
  const other = registry.publish(NAME, { protocol: 'test', revoked: () => undefined });
  pull.start();
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  expect(lines[0]!.fields.reason).toMatch(/on air/);
  other.close('done');
  clock.advance(FIRST_RETRY_MS);
  await vi.waitFor(() => expect(samples.length).toBeGreaterThan(20));
});
