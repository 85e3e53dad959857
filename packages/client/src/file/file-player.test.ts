import { encodeFmp4Json, FMP4_TYPE } from '@onair/contracts/fmp4-socket';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeMedia, FakePlatform, fakeMedia } from '../../../../test/kit/fake-media.ts';
import { FakeSocket, fmp4Header, fmp4Message } from '../../../../test/kit/fake-socket.ts';
import { FilePlayer, type WireMessage } from './index.ts';

const VIDEO = { id: 1, kind: 'video', codec: 'h264', codecString: 'avc1.64001f' } as const;
const MIME = 'video/mp4; codecs="avc1.64001f"';
const DURATION = 100;

/** The server of a file. */
class FileSocket extends FakeSocket {
  /** What a server says first. @param size bytes of the file. */
  begin(size = 1_000_000): void {
    const hello = { protocol: 'onair.file.v1', name: 'a.flv', container: 'flv' };
    this.text({ type: 'hello', ...hello, size, duration: DURATION });
    this.bytes(encodeFmp4Json(fmp4Header(FMP4_TYPE.epoch), { epoch: 1, tracks: [{ ...VIDEO, mime: MIME }] }));
    this.bytes(fmp4Message(fmp4Header(FMP4_TYPE.init, { track: 1 }), new Uint8Array(8)));
  }

  chunks(from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const more = { track: 1, independent: true, time: at * 1e6, duration: 1e6 };
      this.bytes(fmp4Message(fmp4Header(FMP4_TYPE.chunk, more), fakeMedia(at, at + 1)));
    }
  }
}

const closers: (() => void)[] = [];
beforeEach(() =>
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] }),
);
afterEach(() => {
  for (const close of closers.splice(0)) close();
  vi.useRealTimers();
});

const settle = async (): Promise<void> => {
  for (let i = 0; i < 80; i++) await Promise.resolve();
};

async function playing(size?: number) {
  const platform = new FakePlatform();
  const media = new FakeMedia(platform);
  const sockets: FileSocket[] = [];
  const wire: WireMessage[] = [];
  const failures: string[] = [];
  const player = new FilePlayer(
    {
      address: 'ws://host/files/media/a.flv',
      media,
      platform,
      open: (address) => {
        const socket = new FileSocket(address);
        sockets.push(socket);
        return socket;
      },
    },
    { wire: (message) => wire.push(message), failed: (error) => failures.push(error.message) },
  );
  closers.push(() => player.close());
  player.start();
  const socket = sockets[0]!;
  socket.begin(size);
  socket.text({ type: 'seeked', id: 0, start: 0 });
  await settle();
  return { player, platform, media, sockets, socket, wire, failures };
}

describe('a file player', () => {
  it('asks for twenty seconds, and for more as it plays', async () => {
    const { socket, media, platform, player } = await playing();
    expect(socket.sent).toEqual([{ type: 'want', until: 20 }]);
    socket.chunks(0, 20);
    await settle();
    expect(platform.source.duration).toBe(DURATION);
    vi.advanceTimersByTime(3000);
    expect(media.currentTime).toBeCloseTo(3, 1);
    expect(socket.sent.at(-1)?.until).toBeGreaterThan(22);
    expect(player.figures.ahead).toBeCloseTo(17, 0);
  });

  it('asks for nothing while paused', async () => {
    const { socket, media } = await playing();
    socket.chunks(0, 20);
    await settle();
    media.paused = true;
    vi.advanceTimersByTime(60_000);
    expect(socket.sent).toHaveLength(1);
  });

  it('asks for less of a file that is large', async () => {
    const { socket } = await playing(400 * 1024 * 1024);
    expect(socket.sent).toEqual([{ type: 'want', until: 4 }]);
  });

  it('stays where it is buffered, and begins anew elsewhere without what was on its way', async () => {
    const { socket, media, platform } = await playing();
    socket.chunks(0, 20);
    await settle();
    media.paused = true;
    media.currentTime = 10;
    expect(socket.sent.map(({ type }) => type)).toEqual(['want', 'want']);
    media.currentTime = 60;
    expect(socket.sent.slice(2)).toEqual([
      { type: 'seek', id: 1, to: 60 },
      { type: 'want', until: 80 },
    ]);
    socket.chunks(20, 30);
    socket.text({ type: 'seeked', id: 1, start: 58 });
    socket.chunks(58, 80);
    await settle();
    const { buffered } = platform.source.buffers[0]!;
    expect([buffered.length, buffered.start(0), buffered.end(0)]).toEqual([1, 58, 80]);
  });

  it('goes there once more where the browser took another picture before the right one had come', async () => {
    const { socket, media } = await playing();
    media.paused = true;
    socket.chunks(0, 20);
    await settle();
    media.currentTime = 60;
    media.emit('seeked');
    let again = 0;
    media.addEventListener('seeking', () => again++);
    socket.text({ type: 'seeked', id: 1, start: 58 });
    socket.chunks(58, 80);
    await settle();
    expect([again, media.currentTime]).toEqual([1, 60]);
    media.emit('seeked');
    vi.advanceTimersByTime(5000);
    expect(again).toBe(1);
    expect(socket.sent.filter(({ type }) => type === 'seek')).toHaveLength(1);
  });

  it('tells the browser once more where to go if it does not get there though the media is there, ever more rarely', async () => {
    const { socket, media } = await playing();
    media.paused = true;
    socket.chunks(0, 20);
    await settle();
    media.seeking = true;
    media.currentTime = 60;
    vi.advanceTimersByTime(10_000);
    expect(media.seeks).toEqual([60]);
    socket.text({ type: 'seeked', id: 1, start: 58 });
    socket.chunks(58, 80);
    await settle();
    vi.advanceTimersByTime(2000);
    expect(media.seeks).toEqual([60]);
    vi.advanceTimersByTime(1000);
    expect(media.seeks).toEqual([60, 60]);
    vi.advanceTimersByTime(4500);
    expect(media.seeks).toEqual([60, 60]);
    vi.advanceTimersByTime(1000);
    expect(media.seeks).toEqual([60, 60, 60]);
    media.seeking = false;
    media.emit('seeked');
    vi.advanceTimersByTime(60_000);
    expect(media.seeks).toEqual([60, 60, 60]);
    expect(socket.sent.filter(({ type }) => type === 'seek')).toHaveLength(1);
  });

  it('steps over a small hole that the browser stays in front of, but not at once', async () => {
    const { socket, media } = await playing();
    socket.bytes(
      fmp4Message(
        fmp4Header(FMP4_TYPE.chunk, { track: 1, independent: true, time: 0.3e6, duration: 1e6 }),
        fakeMedia(0.3, 5),
      ),
    );
    await settle();
    media.readyState = 1;
    vi.advanceTimersByTime(1000);
    expect(media.currentTime).toBe(0);
    media.readyState = 1;
    vi.advanceTimersByTime(1000);
    expect(media.currentTime).toBeGreaterThanOrEqual(0.3);
  });

  it('ends the media source when the file is over, and goes back', async () => {
    const { socket, platform, media } = await playing();
    let ended = 0;
    Object.assign(platform.source, { endOfStream: () => ended++ });
    media.paused = true;
    media.currentTime = 95;
    socket.text({ type: 'seeked', id: 1, start: 95 });
    socket.chunks(95, 100);
    socket.text({ type: 'end' });
    await settle();
    expect(ended).toBeGreaterThan(0);
    media.currentTime = 1;
    expect(socket.sent.slice(-2)).toEqual([
      { type: 'seek', id: 2, to: 1 },
      { type: 'want', until: 21 },
    ]);
  });

  it('goes on where it is after the connection was lost', async () => {
    const { sockets, socket, media } = await playing();
    socket.chunks(0, 20);
    await settle();
    media.currentTime = 12;
    media.paused = true;
    socket.readyState = 3;
    socket.onclose?.({ code: 1006, reason: '' });
    vi.advanceTimersByTime(5000);
    expect(sockets).toHaveLength(2);
    sockets[1]!.begin();
    expect(sockets[1]!.sent).toEqual([
      { type: 'seek', id: 1, to: 12 },
      { type: 'want', until: 32 },
    ]);
  });

  it.each([
    [
      'an error of the server',
      (socket: FileSocket) => socket.text({ type: 'error', code: 'X', detail: 'no' }),
      'no',
    ],
    ['nonsense', (socket: FileSocket) => socket.bytes(new Uint8Array(3)), 'a message of 3 bytes'],
    [
      'a file that cannot be played',
      (socket: FileSocket) => socket.onclose?.({ code: 1003, reason: 'bad' }),
      'bad',
    ],
  ])('gives up on %s', async (_what, happen, why) => {
    const { socket, failures, platform } = await playing();
    happen(socket);
    expect(failures).toEqual([why]);
    expect(platform.attached).toBe(0);
  });

  it('says what goes over the wire', async () => {
    const { wire, socket } = await playing();
    socket.chunks(0, 1);
    expect(wire.map(({ direction, name }) => `${direction} ${name}`)).toEqual([
      'in hello',
      'in epoch',
      'out want',
      'in init',
      'in seeked',
      'in chunk',
    ]);
    expect(wire.at(-1)).toMatchObject({ bytes: 64, detail: 'video 0.00 s + 1.00 s' });
  });
});
