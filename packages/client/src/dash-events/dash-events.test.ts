import { encodeEvent, type TimedEvent } from '@onair/media';
import { expect, it, vi } from 'vitest';
import { type DashMessage, watchDashEvents } from './dash-events.ts';

const event: TimedEvent = { id: 'a', name: 'cm-in', time: 7_000_000, duration: 0, data: { spot: 7 } };

it('tells what dash.js receives on its picture, once, and nothing that is no event', () => {
  vi.useFakeTimers();
  let told: ((message: DashMessage) => void) | undefined;
  let frame: ((now: number, shown: { mediaTime: number }) => void) | undefined;
  const player = {
    on: vi.fn((_: string, listener: (message: DashMessage) => void) => {
      told = listener;
    }),
    off: vi.fn(),
  };
  const video = {
    currentTime: 0,
    requestVideoFrameCallback: (callback: typeof frame) => {
      frame = callback;
      return 1;
    },
    cancelVideoFrameCallback: () => undefined,
  };
  const fired: unknown[] = [];
  const stop = watchDashEvents(player, video, ({ id, exactness, skew }) => fired.push([id, exactness, skew]));
  expect(player.on.mock.calls[0]?.[3 as never]).toEqual({ mode: 'eventModeOnReceive' });
  // The player's timeline is not the stream's.
  const message = { event: { calculatedPresentationTime: 107, messageData: encodeEvent(event) } };
  told!(message);
  told!(message);
  told!({});
  told!({ event: { calculatedPresentationTime: 107, messageData: Uint8Array.of(1, 2) } });
  told!({ event: { calculatedPresentationTime: 107, messageData: 'text' } });
  frame!(0, { mediaTime: 106.9 });
  expect(fired).toEqual([]);
  frame!(0, { mediaTime: 107 });
  expect(fired).toEqual([['a', 'frame', 0]]);
  stop();
  expect(player.off).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
