import { encodeFmp4Json, FMP4_TYPE, type Fmp4State } from '@onair/contracts/fmp4-socket';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeMedia, FakePlatform, fakeMedia } from '../../../../test/kit/fake-media.ts';
import { FakeSocket, fmp4Header, fmp4Message } from '../../../../test/kit/fake-socket.ts';
import { Fmp4Source } from './fmp4-source.ts';
import type { SourceFailure, SourceState } from './source.ts';

/** The server of a stream. */
class StreamSocket extends FakeSocket {
  hello(state: Fmp4State = { state: 'live' }): void {
    this.text({
      type: 'hello',
      protocol: 'onair.fmp4.v1',
      stream: 'live/test',
      now: Date.now() + 500,
      ...state,
    });
  }

  state(state: Fmp4State): void {
    this.bytes(encodeFmp4Json(fmp4Header(FMP4_TYPE.state, {}), state));
  }

  epoch(epoch: number): void {
    const video = { id: 1, kind: 'video' as const, codec: 'h264', codecString: 'avc1.64001f' };
    const tracks = [{ ...video, mime: 'video/mp4; codecs="avc1.64001f"' }];
    this.bytes(encodeFmp4Json(fmp4Header(FMP4_TYPE.epoch, { epoch }), { epoch, tracks }));
    this.bytes(fmp4Message(fmp4Header(FMP4_TYPE.init, { epoch, track: 1 }), new Uint8Array(8)));
  }

  chunk(sequence: number, seconds: number, epoch = 1): void {
    const more = { epoch, sequence, track: 1, independent: true, time: seconds * 1e6, duration: 100_000 };
    const wallClock = (Date.now() + 500) * 1000;
    this.bytes(
      fmp4Message(fmp4Header(FMP4_TYPE.chunk, { ...more, wallClock }), fakeMedia(seconds, seconds + 0.1)),
    );
  }
}

function rig(): {
  source: Fmp4Source;
  sockets: StreamSocket[];
  states: SourceState[];
  failures: SourceFailure[];
  events: unknown[];
  media: FakeMedia;
  newest: () => StreamSocket;
} {
  const platform = new FakePlatform();
  const media = new FakeMedia(platform);
  const sockets: StreamSocket[] = [];
  const states: SourceState[] = [];
  const failures: SourceFailure[] = [];
  const events: unknown[] = [];
  const source = new Fmp4Source(
    {
      address: 'ws://h/live/test.fmp4?token=t',
      media,
      platform,
      latency: 'lowest',
      open: (address) => {
        const socket = new StreamSocket(address);
        sockets.push(socket);
        return socket;
      },
    },
    {
      state: (state) => states.push(state),
      event: (event) => events.push(event),
      replaced: () => {},
      failed: (failure) => failures.push(failure),
    },
  );
  return { source, sockets, states, failures, events, media, newest: () => sockets.at(-1)! };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('fMP4 source', () => {
  it('tells the stream’s states, with the end of the wait by this machine’s clock', async () => {
    const { source, newest, states } = rig();
    source.start();
    newest().hello({ state: 'idle' });
    newest().state({ state: 'live' });
    newest().state({ state: 'waiting', until: Date.now() + 500 + 30_000 });
    newest().state({ state: 'ended' });
    expect(states.map((state) => state.kind)).toEqual(['connecting', 'waiting', 'live', 'absent', 'ended']);
    expect(states[3]).toEqual({ kind: 'absent', until: Date.now() + 30_000 });
    source.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('measures latency by the server’s clock', async () => {
    const { source, newest, media } = rig();
    source.start();
    const socket = newest();
    socket.hello();
    await vi.advanceTimersByTimeAsync(0);
    expect(socket.sent[0]).toEqual({ type: 'ping', id: 1 });
    await vi.advanceTimersByTimeAsync(20);
    socket.text({ type: 'pong', id: 1, now: Date.now() + 490 });
    socket.epoch(1);
    for (let i = 0; i < 20; i++) {
      socket.chunk(i + 1, 10 + i / 10);
      await vi.advanceTimersByTimeAsync(100);
    }
    const { latency, clockOffset, codecs, bitrate } = source.figures();
    expect(clockOffset).toBe(500);
    expect(latency).toBeCloseTo(12 - media.currentTime, 1);
    expect(codecs).toBe('avc1.64001f');
    expect(bitrate).toBeGreaterThan(0);
    source.close();
  });

  it('goes on after the last block when the connection breaks', async () => {
    const { source, newest, sockets, states } = rig();
    source.start();
    newest().hello();
    newest().epoch(3);
    newest().chunk(41, 1, 3);
    newest().chunk(42, 1.1, 3);
    newest().onclose?.({ code: 1006, reason: '' });
    expect(states.at(-1)).toEqual({ kind: 'reconnecting', reason: 'no connection by WebSocket' });
    await vi.advanceTimersByTimeAsync(300);
    expect(sockets).toHaveLength(2);
    expect(newest().url).toBe('ws://h/live/test.fmp4?token=t&after=42&epoch=3');
    newest().hello();
    newest().chunk(43, 1.2, 3);
    expect(states.at(-1)).toEqual({ kind: 'live' });
    expect(source.figures().reconnects).toBe(1);
    source.close();
  });

  it('joins anew when the log behind the connection is another one', async () => {
    const { source, newest, sockets } = rig();
    source.start();
    newest().hello();
    newest().epoch(1);
    newest().chunk(500, 100);
    newest().onclose?.({ code: 1012, reason: 'restart' });
    await vi.advanceTimersByTimeAsync(300);
    newest().hello();
    newest().chunk(3, 0.2);
    expect(sockets).toHaveLength(3);
    expect(newest().url).toBe('ws://h/live/test.fmp4?token=t');
    source.close();
  });

  it('gives up soon where no answer ever came', async () => {
    const { source, newest, failures, sockets } = rig();
    source.start();
    for (let i = 0; i < 6; i++) {
      newest().onclose?.({ code: 1006, reason: '' });
      await vi.advanceTimersByTimeAsync(2500);
    }
    expect(sockets).toHaveLength(3);
    expect(failures).toHaveLength(1);
    source.close();
  });

  it('gives up after four attempts without an answer where it worked before', async () => {
    const { source, newest, failures, sockets } = rig();
    source.start();
    newest().hello();
    for (let i = 0; i < 6; i++) {
      newest().onclose?.({ code: 1006, reason: '' });
      await vi.advanceTimersByTimeAsync(2500);
    }
    expect(sockets).toHaveLength(5);
    expect(failures).toEqual([{ code: 'unreachable', detail: 'no connection by WebSocket' }]);
    source.close();
  });

  it('does not try again where it is not allowed, and passes on the server’s words', () => {
    const { source, newest, failures } = rig();
    source.start();
    newest().text({ type: 'error', code: 'VIEWER_TOKEN_EXPIRED', detail: 'the token expired' });
    newest().onclose?.({ code: 1008, reason: '' });
    expect(failures).toEqual([{ code: 'denied', detail: 'the token expired' }]);
    source.close();
  });

  it('asks again for a stream that ended', async () => {
    const { source, newest, sockets, states } = rig();
    source.start();
    newest().hello({ state: 'ended' });
    newest().onclose?.({ code: 1000, reason: '' });
    await vi.advanceTimersByTimeAsync(2500);
    expect(sockets).toHaveLength(2);
    newest().hello({ state: 'idle' });
    expect(states.at(-1)).toEqual({ kind: 'waiting' });
    source.close();
  });

  it('closes a connection that says nothing, and one that says nonsense', async () => {
    const { source, newest, sockets } = rig();
    source.start();
    await vi.advanceTimersByTimeAsync(5100);
    expect(sockets[0]!.closedWith).toBe(4000);
    await vi.advanceTimersByTimeAsync(300);
    newest().hello();
    newest().bytes(new Uint8Array(3));
    expect(sockets[1]!.closedWith).toBe(4002);
    await vi.advanceTimersByTimeAsync(1000);
    newest().hello();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(sockets[2]!.closedWith).toBe(4000);
    source.close();
  });

  it('pauses the flow, and begins anew after a long pause', async () => {
    const { source, newest, sockets } = rig();
    source.start();
    newest().hello();
    newest().epoch(1);
    newest().chunk(1, 0);
    source.setPaused(true);
    source.setPaused(false);
    expect(
      newest()
        .sent.slice(-2)
        .map(({ type }) => type),
    ).toEqual(['pause', 'play']);
    source.setPaused(true);
    for (let i = 0; i < 10; i++) {
      newest().text({ type: 'pong', id: 1, now: Date.now() });
      await vi.advanceTimersByTimeAsync(1000);
    }
    source.setPaused(false);
    expect(sockets).toHaveLength(2);
    expect(newest().url).not.toContain('after');
    source.close();
  });

  it('asks for a merge window that suits the latency class, going on where it was', () => {
    const { source, newest } = rig();
    source.start();
    newest().hello();
    newest().epoch(1);
    newest().chunk(9, 0);
    source.setLatency('smoothest');
    expect(newest().url).toContain('after=9&epoch=1&latency=200');
    source.close();
  });

  it('counts skipped blocks and passes on events', () => {
    const { source, newest, events } = rig();
    source.start();
    newest().hello();
    newest().text({ type: 'skip', blocks: 12 });
    newest().bytes(
      encodeFmp4Json(fmp4Header(FMP4_TYPE.event, {}), { id: '1', name: 'cue', time: 2e6, data: '拍手' }),
    );
    newest().bytes(encodeFmp4Json(fmp4Header(FMP4_TYPE.event, {}), { name: 'no event' }));
    newest().bytes(fmp4Message(fmp4Header(99, {}), new Uint8Array(2)));
    expect(source.figures().skipped).toBe(12);
    expect(events).toEqual([{ id: '1', name: 'cue', time: 2e6, duration: 0, data: '拍手' }]);
    source.close();
    source.close();
    expect(newest().closedWith).toBe(1000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
