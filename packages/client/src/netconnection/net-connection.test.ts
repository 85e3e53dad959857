import type { AmfValue } from '@onair/media/amf';
import { RtmpServerSession } from '@onair/media/rtmp';
import { describe, expect, it, vi } from 'vitest';
import { doorOf } from './address.ts';
import type { CarrierListener } from './carrier.ts';
import {
  AsyncErrorEvent,
  NetConnection,
  NetStatusEvent,
  NetStream,
  type OpenCarrier,
  Responder,
  SharedObject,
  type SyncEvent,
} from './index.ts';

/** Waits as a busy machine needs it. */
const waitFor = (check: () => void): Promise<void> => vi.waitFor(check, 15_000);

const page = { protocol: 'http:', hostname: 'h', host: 'h:8080' };

describe('addresses', () => {
  it.each([
    ['rtmp://h/live', 'socket', 'ws://h:8080/rtmp', 'live'],
    ['rtmp:/live', 'socket', 'ws://h:8080/rtmp', 'live'],
    ['rtmpt://h/live', 'tunnel', 'http://h:8080', 'live'],
    ['rtmp://h:1935/live', 'socket', 'ws://h:1935/rtmp', 'live'],
    ['rtmp://other/live/', 'socket', 'ws://other:1935/rtmp', 'live'],
    ['rtmps://other/live', 'socket', 'wss://other:443/rtmp', 'live'],
    ['rtmpt://other/live', 'tunnel', 'http://other:80', 'live'],
    ['rtmpts://other:8443/live?k=1', 'tunnel', 'https://other:8443', 'live?k=1'],
    ['ws://other/live/room', 'socket', 'ws://other/rtmp', 'live/room'],
    ['wss://[::1]:9/live', 'socket', 'wss://[::1]:9/rtmp', 'live'],
  ])('%s', (command, kind, url, app) => {
    expect(doorOf(command, page)).toMatchObject({ kind, url, app });
  });

  it('is encrypted as the page is, where the server is the page’s', () => {
    const secure = { ...page, protocol: 'https:' };
    expect(doorOf('rtmp://h/live', secure)?.url).toBe('wss://h:8080/rtmp');
    expect(doorOf('rtmpt://h/live', secure)?.url).toBe('https://h:8080');
  });

  it.each(['', 'http://h/live', 'rtmp://h', 'rtmp://h/', 'rtmp://h:99999/live', 'rtmp://a b/live'])(
    'refuses %j',
    (command) => {
      expect(doorOf(command, page)).toBeUndefined();
    },
  );

  it('needs a host where there is no page', () => {
    expect(doorOf('rtmp:/live', undefined)).toBeUndefined();
  });
});

/** A server at the other end of a connection, within the test. */
function serve(act: (server: RtmpServerSession) => void = () => undefined) {
  const server = new RtmpServerSession({ nowMs: () => 0 });
  const heard: string[] = [];
  const args: AmfValue[] = [];
  let listener: CarrierListener | undefined;
  const flush = (): void => {
    const bytes = server.takeOutput();
    if (bytes !== undefined) queueMicrotask(() => listener?.received(bytes));
  };
  const advance = (): void => {
    for (let event = server.next(); event !== undefined; event = server.next()) {
      heard.push(event.kind === 'call' ? `call ${event.name}` : event.kind);
      if (event.kind === 'connect') {
        args.push(...event.request.args);
        if (event.request.app === 'closed') server.rejectConnect('NetConnection.Connect.Rejected', 'no');
        else server.acceptConnect();
      } else if (event.kind === 'publish') server.acceptPublish();
      else if (event.kind === 'play') server.acceptPlay();
      else if (event.kind === 'call') server.answerCall(event.transactionId, event.name !== 'bad', 'value');
      else if (event.kind === 'result') heard.push(JSON.stringify(event.values));
      else if (event.kind === 'sharedObject') {
        const kinds = event.events.map(({ kind }) => kind);
        heard.push(kinds.join());
        if (kinds[0] === 'use')
          server.sendSharedObject({
            ...event,
            version: 1,
            events: [{ kind: 'useSuccess' }, { kind: 'clear' }, { kind: 'change', values: [['x', 1]] }],
          });
      } else if (event.kind === 'data') heard.push(`${event.name} ${event.values}`);
    }
    flush();
  };
  const open: OpenCarrier = (_, made) => {
    listener = made;
    queueMicrotask(() => made.opened());
    return {
      waiting: 0,
      close: () => {
        listener = undefined;
      },
      send: (bytes) =>
        queueMicrotask(() => {
          server.push(bytes);
          advance();
        }),
    };
  };
  const connection = new NetConnection({ open, page });
  const codes: string[] = [];
  connection.addEventListener(NetStatusEvent.NET_STATUS, (event) =>
    codes.push((event as NetStatusEvent).info.code),
  );
  const say = (): void => {
    act(server);
    flush();
  };
  return { connection, codes, heard, args, say, lose: () => listener?.closed('gone') };
}

const connected = async (made: ReturnType<typeof serve>, app = 'live') => {
  made.connection.connect(`rtmp://h/${app}`, 'a', 1);
  await waitFor(() => expect(made.codes).not.toEqual([]));
  return made;
};

describe('NetConnection', () => {
  it('connects with arguments, calls, and closes', async () => {
    const { connection, codes, args } = await connected(serve());
    expect(codes).toEqual(['NetConnection.Connect.Success']);
    expect([connection.connected, args]).toEqual([true, ['a', 1]]);
    const answers: unknown[] = [];
    const responder = new Responder(
      (value) => answers.push(value),
      (status) => answers.push((status as { code: string }).code),
    );
    connection.call('good', responder, 1);
    connection.call('bad', responder);
    connection.call('nothing', null);
    await waitFor(() => expect(answers).toEqual(['value', 'NetConnection.Call.Failed']));
    connection.close();
    connection.close();
    expect(codes.slice(1)).toEqual(['NetConnection.Connect.Closed']);
    expect(connection.connected).toBe(false);
    expect(() => new NetStream(connection)).toThrow('#2126');
  });

  it('tells refusal, failure and loss', async () => {
    const refused = await connected(serve(), 'closed');
    expect(refused.codes).toEqual(['NetConnection.Connect.Rejected', 'NetConnection.Connect.Closed']);
    const failed = serve();
    failed.connection.connect('rtmp://h/live');
    failed.lose();
    expect(failed.codes).toEqual(['NetConnection.Connect.Failed']);
    const lost = await connected(serve());
    lost.lose();
    expect(lost.codes.at(-1)).toBe('NetConnection.Connect.Closed');
    expect(() => lost.connection.connect('http://h/')).toThrow(TypeError);
  });

  it('lets the server call the client, and nothing that is not the page’s', async () => {
    const made = await connected(
      serve((server) => {
        for (const name of ['onGood', 'onBad', 'none', 'constructor', 'toString']) server.call(name, 7);
      }),
    );
    const { connection, heard, say } = made;
    const errors: string[] = [];
    connection.addEventListener(AsyncErrorEvent.ASYNC_ERROR, (event) =>
      errors.push((event as AsyncErrorEvent).text),
    );
    connection.client = {
      onGood: async (value: number) => value + 1,
      onBad: () => {
        throw new Error('on purpose');
      },
    };
    say();
    await waitFor(() => expect(heard.filter((one) => one === 'result')).toHaveLength(5));
    expect(heard).toContain('[8]');
    expect(errors.sort()).toEqual([
      'Error #2095: unable to invoke callback constructor.',
      'Error #2095: unable to invoke callback none.',
      'Error #2095: unable to invoke callback toString.',
      'on purpose',
    ]);
    // What the connection itself can do is not for servers.
    const own = await connected(serve((server) => void server.call('connect')));
    own.say();
    await waitFor(() => expect(own.heard).toContain('result'));
    expect(own.connection.connected).toBe(true);
  });
});

describe('NetStream', () => {
  it('plays, and hands on what the server says', async () => {
    const made = await connected(
      serve((server) => server.sendData(1, 0, 'onCuePoint', [{ name: 'cm', time: 3 }])),
    );
    const stream = new NetStream(made.connection);
    const codes: string[] = [];
    const cues: unknown[] = [];
    stream.addEventListener('netStatus', (event) => codes.push((event as NetStatusEvent).info.code));
    stream.client = { onCuePoint: (info: unknown) => cues.push(info) };
    stream.play('test', 2);
    stream.pause();
    stream.togglePause();
    stream.seek(3);
    stream.receiveAudio(false);
    await waitFor(() => expect(made.heard).toContain('receive'));
    expect(made.heard.filter((one) => one !== 'connect')).toEqual([
      'play',
      'bufferLength',
      'pause',
      'pause',
      'seek',
      'receive',
    ]);
    await waitFor(() =>
      expect(codes).toEqual([
        'NetStream.Play.Reset',
        'NetStream.Play.Start',
        'NetStream.Data.Start',
        'NetStream.Pause.Notify',
        'NetStream.Unpause.Notify',
      ]),
    );
    made.say();
    await waitFor(() => expect(cues).toEqual([{ name: 'cm', time: 3 }]));
    stream.dispose();
    await waitFor(() => expect(made.heard.at(-1)).toBe('stop'));
  });

  it('publishes what was coded, and data', async () => {
    const made = await connected(serve());
    const stream = new NetStream(made.connection);
    stream.publish('cam');
    const chunk = (type: 'key' | 'delta', timestamp: number) =>
      ({
        type,
        timestamp,
        byteLength: 2,
        copyTo: (out: Uint8Array) => out.set([1, 2]),
      }) as unknown as EncodedVideoChunk;
    const decoderConfig = { codec: 'avc1.42e01f', description: Uint8Array.of(1, 0x42, 0xe0, 0x1f, 0xff) };
    stream.appendVideo(chunk('delta', 0)); // before it is told what this is, nothing is sent
    stream.appendVideo(chunk('key', 40_000), { decoderConfig });
    const sound = { codec: 'opus', numberOfChannels: 2, sampleRate: 48_000 };
    stream.appendAudio(chunk('key', 40_000) as unknown as EncodedAudioChunk, { decoderConfig: sound });
    stream.send('say', 'hi');
    await waitFor(() => expect(made.heard).toContain('say hi'));
    expect(made.heard.filter((one) => one === 'media')).toHaveLength(4);
    stream.close();
    await waitFor(() => expect(made.heard.at(-1)).toBe('unpublish'));
  });
});

it('SharedObject tells what changes', async () => {
  const made = await connected(
    serve((server) => {
      const common = { name: 'chat', version: 2, persistent: false, encoding: 0 } as const;
      server.sendSharedObject({
        ...common,
        events: [
          { kind: 'change', values: [['x', 2]] },
          { kind: 'success', names: ['y'] },
          { kind: 'remove', names: ['x'] },
          { kind: 'sendMessage', method: 'say', args: ['hi'] },
          { kind: 'status', code: 'SharedObject.NoWriteAccess', level: 'error' },
        ],
      });
    }),
  );
  const object = SharedObject.getRemote('chat', made.connection.uri);
  const changes: unknown[] = [];
  const said: unknown[] = [];
  object.client = { say: (text: unknown) => said.push(text) };
  object.addEventListener('sync', (event) => changes.push(...(event as SyncEvent).changeList));
  object.addEventListener('netStatus', (event) => said.push((event as NetStatusEvent).info.code));
  object.connect(made.connection);
  await waitFor(() => expect(changes).toEqual([{ code: 'clear' }, { code: 'change', name: 'x' }]));
  object.setProperty('y', 'mine');
  expect(object.data).toEqual({ x: 1, y: 'mine' });
  made.say();
  await waitFor(() => expect(changes).toHaveLength(6));
  expect(changes.slice(2)).toEqual([
    { code: 'change', name: 'x', oldValue: 1 },
    { code: 'success', name: 'y' },
    { code: 'delete', name: 'x', oldValue: 2 },
    { code: 'reject' },
  ]);
  expect(said).toEqual(['hi', 'SharedObject.NoWriteAccess']);
  object.setProperty('y', null);
  object.send('say', 1);
  object.close();
  await waitFor(() => expect(made.heard).toContain('release'));
  expect(made.heard.filter((one) => /^[a-z]+$/i.test(one) && one !== 'sharedObject')).toEqual(
    expect.arrayContaining(['use', 'requestChange', 'requestRemove', 'sendMessage', 'release']),
  );
});
