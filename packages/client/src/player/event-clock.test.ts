import type { TimedEvent } from '@onair/media';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EventClock, type FiredEvent } from './event-clock.ts';

/** A video whose pictures the test shows. */
class FakeVideo {
  currentTime = 0;
  readonly #callbacks = new Map<number, (now: number, frame: { mediaTime: number }) => void>();
  #last = 0;

  requestVideoFrameCallback(callback: (now: number, frame: { mediaTime: number }) => void): number {
    this.#callbacks.set(++this.#last, callback);
    return this.#last;
  }

  cancelVideoFrameCallback(handle: number): void {
    this.#callbacks.delete(handle);
  }

  get asked(): number {
    return this.#callbacks.size;
  }

  show(mediaTime: number): void {
    this.currentTime = mediaTime;
    const due = [...this.#callbacks.values()];
    this.#callbacks.clear();
    for (const callback of due) callback(0, { mediaTime });
  }
}

const event = (id: string, seconds: number, more: Partial<TimedEvent> = {}): TimedEvent => ({
  id,
  name: id,
  time: seconds * 1e6,
  duration: 0,
  data: null,
  ...more,
});

function rig() {
  const video = new FakeVideo();
  const fired: FiredEvent[] = [];
  const clock = new EventClock(video, (one) => fired.push(one));
  const add = (one: TimedEvent, offset = 0): void => clock.add(one, () => one.time / 1e6 + offset);
  return { video, clock, fired, add, told: () => fired.map(({ id, exactness }) => `${id} ${exactness}`) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('tells each event on the nearest picture, once, in order, and how far off that is', () => {
  const { video, clock, fired, add, told } = rig();
  add(event('c', 1.025));
  add(event('a', 1));
  add(event('a', 1));
  add(event('b', 1.015));
  video.show(0.96);
  expect(told()).toEqual([]);
  video.show(1);
  expect(told()).toEqual(['a frame', 'b frame']);
  video.show(1.04);
  expect(told()).toEqual(['a frame', 'b frame', 'c frame']);
  expect(fired.map(({ skew }) => Math.round(skew * 1000))).toEqual([0, -15, 15]);
  expect([video.asked, vi.getTimerCount()]).toEqual([0, 0]);
  clock.close();
});

it('says so when the picture was not shown, or the event came later', () => {
  const { video, clock, add, told } = rig();
  video.show(1);
  add(event('skipped', 1.2));
  video.show(1.04);
  video.show(1.4);
  add(event('over', 0.5));
  video.show(1.44);
  expect(told()).toEqual(['skipped late', 'over late']);
  clock.close();
});

it('goes by the position where no picture is shown', () => {
  const { video, clock, add, told } = rig();
  add(event('hidden', 1));
  video.currentTime = 1.2;
  vi.advanceTimersByTime(100);
  expect(told()).toEqual([]);
  video.currentTime = 1.35;
  vi.advanceTimersByTime(100);
  expect(told()).toEqual(['hidden position']);
  const plain = { currentTime: 2 };
  const fired: FiredEvent[] = [];
  const old = new EventClock(plain, (one) => fired.push(one));
  old.add(event('x', 2.05), () => 2.05);
  vi.advanceTimersByTime(100);
  expect(fired).toEqual([]);
  plain.currentTime = 2.1;
  vi.advanceTimersByTime(100);
  expect(fired.map(({ exactness }) => exactness)).toEqual(['position']);
  clock.close();
  old.close();
  expect(vi.getTimerCount()).toBe(0);
});

it('tells once across transports, and forgets with the stream', () => {
  const { video, clock, add, told } = rig();
  add(event('told', 1));
  add(event('pending', 9));
  video.show(1);
  clock.restart();
  // The next transport has a clock of its own and says everything again.
  add(event('told', 1), 100);
  add(event('pending', 9), 100);
  video.show(105);
  video.show(109);
  expect(told()).toEqual(['told frame', 'pending frame']);
  clock.reset();
  add(event('told', 1), 200);
  video.show(201);
  expect(told()).toHaveLength(3);
  clock.close();
});

it('takes raw messages of one content at nearly one time for one, for they carry no id', () => {
  const { video, clock, add, told } = rig();
  add(event('x', 1, { raw: true, name: 'onText', data: ['hi'] }));
  add(event('y', 1.02, { raw: true, name: 'onText', data: ['hi'] }));
  add(event('z', 5, { raw: true, name: 'onText', data: ['hi'] }));
  video.show(1);
  video.show(5);
  expect(told()).toEqual(['x frame', 'z frame']);
  clock.close();
});

it('waits for a place that is not known yet', () => {
  const { video, clock, fired } = rig();
  let place: number | undefined;
  clock.add(event('a', 3), () => place);
  video.show(10);
  expect(fired).toEqual([]);
  place = 10.033;
  video.show(10.04);
  expect(fired).toHaveLength(1);
  clock.close();
});
