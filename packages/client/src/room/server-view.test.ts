import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ServerView } from './server-view.ts';

class FakeConnection extends EventTarget {
  iceGatheringState = 'complete';
  localDescription = { sdp: 'v=0' };
  closed = false;
  addTransceiver(): void {}
  async setLocalDescription(): Promise<void> {}
  close(): void {
    this.closed = true;
  }
}

let made: FakeConnection[];
let refusals: number;

function open(): ServerView {
  return new ServerView({
    stream: 'http://host/rooms/r',
    ice: { iceServers: [], iceTransportPolicy: 'all' },
    peers: () => {
      made.push(new FakeConnection());
      return made.at(-1)! as never;
    },
    arrived: () => undefined,
    refused: () => void refusals++,
  });
}

const answer = (status: number, code: string): void =>
  void vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ code }), { status }));

beforeEach(() => {
  [made, refusals] = [[], 0];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it('asks again for a picture that is not there yet, until it is closed', async () => {
  answer(404, 'STREAM_NOT_FOUND');
  const view = open();
  await vi.advanceTimersByTimeAsync(2000);
  expect(made.length).toBeGreaterThan(2);
  view.close();
  const asked = made.length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect([made.length, refusals, made.every(({ closed }) => closed)]).toEqual([asked, 0, true]);
});

it('ends where the browser has no codec that the server sends', async () => {
  answer(422, 'OFFER_REFUSED');
  open();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([made.length, refusals, made[0]!.closed]).toEqual([1, 1, true]);
});
