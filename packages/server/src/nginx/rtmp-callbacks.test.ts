import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { streamName } from '@onair/media';
import type { PlayRequest, PublishRequest } from '@onair/media/rtmp';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RtmpHandlers, RtmpInlet, RtmpPeer } from '../net/rtmp-handlers.ts';
import type { CallbackRule } from './callbacks.ts';
import { RtmpCallbacks } from './rtmp-callbacks.ts';

interface Call {
  readonly path: string;
  readonly form: URLSearchParams;
}

const calls: Call[] = [];
/** What the other end says, by the first part of the path; silence if it is 0. */
const answers = new Map<string, readonly [status: number, location?: string]>();
let url = '';
let stop: () => void;
const callbacks: RtmpCallbacks[] = [];

beforeEach(async () => {
  calls.length = 0;
  answers.clear();
  const server = createServer(async (request, response) => {
    const [path = '', query = ''] = request.url!.split('?');
    const body = request.method === 'POST' ? await textOf(request) : query;
    calls.push({ path, form: new URLSearchParams(body) });
    const [status, location] = answers.get(path) ?? [200];
    if (status === 0) return;
    response.writeHead(status, location === undefined ? {} : { location });
    response.end('x'.repeat(100_000));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stop = () => {
    server.closeAllConnections();
    server.close();
  };
});
afterEach(() => {
  for (const one of callbacks.splice(0)) one.close();
  stop();
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) text += part;
  return text;
}

const peer = (closed: string[] = []): RtmpPeer =>
  ({
    id: 'c',
    address: '192.0.2.1',
    connect: { app: 'live', query: '', flashVer: 'FMLE', swfUrl: '', tcUrl: 'rtmp://h/live', pageUrl: '' },
    close: (reason: string) => closed.push(reason),
  }) as unknown as RtmpPeer;
const publish: PublishRequest = {
  kind: 'publish',
  streamId: 1,
  app: 'live',
  name: 'test',
  query: 'token=a&app=evil',
  mode: 'live',
};
const play = {
  ...publish,
  kind: 'play',
  start: 'any',
  durationMs: undefined,
  reset: true,
} as unknown as PlayRequest;

function setUp(rule: Partial<CallbackRule>) {
  const names: string[] = [];
  const take = async (_: RtmpPeer, { name }: { readonly name: string }) => {
    names.push(name);
    return {
      media() {},
      data() {},
      closed() {},
      started() {},
      paused() {},
      receive() {},
      drained() {},
    };
  };
  const full = {
    method: 'post',
    timeoutMs: 2000,
    updateMs: 1000,
    updateStrict: false,
    admits: false,
    relays: false,
    redirects: false,
    ...rule,
  };
  const relayed: string[] = [];
  const join = (way: string) => (stream: string, to: string) => {
    relayed.push(`${way} ${stream} ${to}`);
    return () => void relayed.push(`end of ${way}`);
  };
  const one = new RtmpCallbacks({
    rules: () => [full as CallbackRule],
    log: () => undefined,
    relays: { push: join('push'), pull: join('pull') },
  });
  callbacks.push(one);
  const handlers = one.around({ publish: take, play: take } as RtmpHandlers);
  return { handlers, names, relayed, callbacks: one };
}

it('sends the form of nginx-rtmp, which the client cannot change', async () => {
  const { handlers, names } = setUp({ onPublish: `${url}/p`, onPlay: `${url}/w`, onDone: `${url}/d` });
  const inlet = (await handlers.publish(peer(), publish)) as RtmpInlet;
  expect(names).toEqual(['test']);
  expect(Object.fromEntries(calls[0]!.form)).toEqual({
    call: 'publish',
    app: 'live',
    flashver: 'FMLE',
    swfurl: '',
    tcurl: 'rtmp://h/live',
    pageurl: '',
    addr: '192.0.2.1',
    clientid: '1',
    name: 'test',
    type: 'live',
    token: 'a',
  });
  await handlers.play(peer(), play);
  expect(Object.fromEntries(calls[1]!.form)).toMatchObject({ call: 'play', start: '-2000', reset: '1' });
  inlet.closed('gone');
  await vi.waitFor(() => expect(calls).toHaveLength(3));
  expect(calls[2]).toMatchObject({ path: '/d' });
  expect(calls[2]!.form.get('call')).toBe('done');
});

it('allows by 2xx, renames by 3xx, refuses by everything else', async () => {
  const { handlers, names } = setUp({ onPublish: `${url}/p` });
  const ask = () => handlers.publish(peer(), publish);
  answers.set('/p', [204]);
  expect(await ask()).not.toHaveProperty('refused');
  answers.set('/p', [302, 'other']);
  expect(await ask()).not.toHaveProperty('refused');
  expect(names).toEqual(['test', 'other']);
  for (const answer of [
    [403],
    [404],
    [500],
    [302],
    [302, 'rtmp://h/x'],
    [302, '../x'],
    [302, `${url}/p2`],
  ] as const) {
    answers.set('/p', answer);
    expect(await ask(), String(answer)).toMatchObject({ refused: 'NetStream.Publish.Denied' });
  }
  // A redirect is never followed.
  expect(calls.every(({ path }) => path === '/p')).toBe(true);
});

it('relays by 3xx with an address where it says so, for as long as the session lasts', async () => {
  const { handlers, names, relayed } = setUp({ onPublish: `${url}/p`, onPlay: `${url}/w`, relays: true });
  answers.set('/p', [302, 'rtmp://away.example/in']);
  answers.set('/w', [302, 'RTMP://home.example:1936/live/other?k=1']);
  const inlet = (await handlers.publish(peer(), publish)) as RtmpInlet;
  await handlers.play(peer(), play);
  expect(names).toEqual(['test', 'test']);
  expect(relayed).toEqual([
    'push live/test rtmp://away.example/in/test',
    'pull live/test rtmp://home.example:1936/live/other?k=1',
  ]);
  inlet.closed('gone');
  expect(relayed.at(-1)).toBe('end of push');
  for (const location of ['rtmp://', 'rtmp:///x', 'http://h/x', 'rtmps://h/x']) {
    answers.set('/p', [302, location]);
    expect(await handlers.publish(peer(), publish), location).toHaveProperty('refused');
  }
});

it('refuses where nobody answers, in time', async () => {
  const { handlers } = setUp({ onPublish: `${url}/p`, onConnect: `${url}/c`, timeoutMs: 100 });
  answers.set('/p', [0]);
  answers.set('/c', [0]);
  expect(await handlers.publish(peer(), publish)).toMatchObject({ reason: 'no answer in time' });
  expect(await handlers.admit!(peer())).toMatchObject({ reason: 'no answer in time' });
  answers.set('/c', [200]);
  expect(await handlers.admit!(peer())).toBeUndefined();
  const away = setUp({ onPlay: 'http://127.0.0.1:1/' });
  expect(await away.handlers.play(peer(), play)).toMatchObject({ refused: 'NetStream.Play.Failed' });
});

it('sends connections elsewhere where it says so', async () => {
  answers.set('/c', [302, 'rtmp://away.example/live']);
  const { handlers } = setUp({ onConnect: `${url}/c`, redirects: true });
  expect(await handlers.admit!(peer())).toMatchObject({ redirect: 'rtmp://away.example/live' });
  const refusing = setUp({ onConnect: `${url}/c` });
  expect(await refusing.handlers.admit!(peer())).not.toHaveProperty('redirect');
  for (const location of ['other', 'http://h/x', 'rtmp://h', 'rtmp://h/a b']) {
    answers.set('/c', [302, location]);
    expect(await handlers.admit!(peer())).not.toHaveProperty('redirect');
    expect(await handlers.admit!(peer())).toHaveProperty('reason');
  }
});

it('tells of what goes on, and ends it when it is told to', async () => {
  const { handlers } = setUp({ onUpdate: `${url}/u`, updateMs: 20 });
  const closed: string[] = [];
  await handlers.publish(peer(closed), publish);
  await vi.waitFor(() => expect(calls.length).toBeGreaterThan(2));
  expect(calls[0]!.form.get('call')).toBe('update_publish');
  expect(closed).toEqual([]);
  answers.set('/u', [403]);
  await vi.waitFor(() => expect(closed.length).toBeGreaterThan(0));
});

it('lets publishers in without a key only where it says so, and sends the form in the address', async () => {
  const strict = setUp({ onPublish: `${url}/p?a=1`, method: 'get' });
  await strict.handlers.publish(peer(), publish);
  expect([calls[0]!.path, calls[0]!.form.get('a'), calls[0]!.form.get('name')]).toEqual(['/p', '1', 'test']);
  expect(strict.callbacks.admitted(publish)).toBe(false);
  let seen: PublishRequest | undefined;
  const open = setUp({ onPublish: `${url}/p`, admits: true });
  const inlet: RtmpInlet = { media() {}, data() {}, closed() {} };
  await open.callbacks
    .around({
      publish: async (_, request) => {
        seen = request;
        return inlet;
      },
      play: async () => ({ refused: 'NetStream.Play.Failed', reason: '' }),
    })
    .publish(peer(), publish);
  expect(open.callbacks.admitted(seen!)).toBe(true);
  expect(open.callbacks.admitted(publish)).toBe(false);
});

it('tells of a recording that begins, with and without an RTMP publisher', async () => {
  const { handlers, callbacks: one } = setUp({ onRecordStarted: `${url}/s` });
  await handlers.publish(peer(), publish);
  one.recording(streamName('live', 'test'), '/data/a/1.mp4');
  await vi.waitFor(() => expect(calls).toHaveLength(1));
  one.recording(streamName('live', 'other'), '/data/b/1.mp4');
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  const common = { call: 'record_started', app: 'live', recorder: '' };
  expect(calls.map(({ form }) => Object.fromEntries(form))).toMatchObject([
    { ...common, name: 'test', path: '/data/a/1.mp4', addr: '192.0.2.1', token: 'a' },
    { ...common, name: 'other', path: '/data/b/1.mp4', addr: '' },
  ]);
  one.recorded(streamName('live', 'test'), ['/data/a/1.mp4']);
});

it('tells of each file of a recording, with what is known of its publisher', async () => {
  const { handlers, callbacks: one } = setUp({ onRecordDone: `${url}/r` });
  const inlet = (await handlers.publish(peer(), publish)) as RtmpInlet;
  inlet.closed('gone');
  one.recorded(streamName('live', 'test'), ['/data/a/1.mp4', '/data/a/2.mp4']);
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  const forms = calls.map(({ form }) => Object.fromEntries(form));
  expect(forms.map(({ path }) => path).sort()).toEqual(['/data/a/1.mp4', '/data/a/2.mp4']);
  expect(forms[0]).toMatchObject({
    call: 'record_done',
    recorder: '',
    name: 'test',
    addr: '192.0.2.1',
    token: 'a',
  });
  one.recorded(streamName('live', 'test'), ['/data/b/1.mp4']);
  await vi.waitFor(() => expect(calls).toHaveLength(3));
  expect(Object.fromEntries(calls[2]!.form)).toMatchObject({
    app: 'live',
    name: 'test',
    addr: '',
    path: '/data/b/1.mp4',
  });
});

it('tells of playlists where that is wanted, with what is known of the publisher', async () => {
  const { handlers, callbacks: one } = setUp({ onPlaylist: `${url}/l` });
  const [stream, other] = [streamName('live', 'test'), streamName('live', 'other')];
  expect([one.wantsPlaylists(stream), setUp({}).callbacks.wantsPlaylists(stream)]).toEqual([true, false]);
  await handlers.publish(peer(), publish);
  one.recorded(stream, []);
  one.playlist(stream);
  await vi.waitFor(() => expect(calls).toHaveLength(1));
  one.playlist(other);
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  const common = { call: 'playlist', module: 'hls', app: 'live' };
  expect(calls.map(({ form }) => Object.fromEntries(form))).toMatchObject([
    { ...common, name: 'test', path: '/live/test/index.m3u8', addr: '192.0.2.1', token: 'a' },
    { ...common, name: 'other', path: '/live/other/index.m3u8', addr: '' },
  ]);
});
