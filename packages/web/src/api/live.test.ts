import { expect, it, vi } from 'vitest';
import { followStreams } from './live.ts';

class FakeEvents extends EventTarget {
  readyState = 0;
  closed = false;

  close(): void {
    this.closed = true;
  }

  tell(names: readonly string[]): void {
    const streams = names.map((name) => ({
      name,
      state: 'live',
      since: 1,
      tracks: [],
      viewers: 0,
      viewersByTransport: {},
      bytesIn: 0,
      bytesOut: 0,
      bitrateIn: 0,
      bitrateHistory: [],
      epoch: 0,
    }));
    this.dispatchEvent(new MessageEvent('streams', { data: JSON.stringify({ streams }) }));
  }

  fail(readyState: number): void {
    this.readyState = readyState;
    this.dispatchEvent(new Event('error'));
  }
}

function setUp() {
  const opened: FakeEvents[] = [];
  const page = { seen: true, changed: () => {} };
  const ask = vi.fn(async () => []);
  const live = followStreams({
    api: { streams: ask },
    open: () => {
      const events = new FakeEvents();
      opened.push(events);
      return events as unknown as EventSource;
    },
    visible: {
      now: () => page.seen,
      onChange: (listener) => {
        page.changed = listener;
      },
    },
  });
  const see = (seen: boolean): void => {
    page.seen = seen;
    page.changed();
  };
  const names = (): string[] | undefined => live.streams.value?.map((stream) => stream.name);
  return { live, opened, ask, see, names };
}

it('takes the list from events and tells when they stop', () => {
  const { live, opened, names } = setUp();
  expect(live.link.value).toBe('connecting');
  expect(names()).toBeUndefined();
  opened[0]!.tell(['live/a', 'live/b']);
  expect(names()).toEqual(['live/a', 'live/b']);
  expect(live.link.value).toBe('events');
  opened[0]!.fail(0);
  expect(live.link.value).toBe('lost');
  expect(names()).toEqual(['live/a', 'live/b']);
  opened[0]!.tell([]);
  expect(live.link.value).toBe('events');
  live.close();
  expect(opened[0]!.closed).toBe(true);
});

it('asks where there are no events', async () => {
  vi.useFakeTimers();
  try {
    const { live, opened, ask } = setUp();
    opened[0]!.fail(2);
    await vi.advanceTimersByTimeAsync(0);
    expect(live.link.value).toBe('polling');
    ask.mockRejectedValueOnce(new Error('away'));
    await vi.advanceTimersByTimeAsync(2000);
    expect(live.link.value).toBe('lost');
    await vi.advanceTimersByTimeAsync(2000);
    expect(live.link.value).toBe('polling');
    live.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ask).toHaveBeenCalledTimes(3);
  } finally {
    vi.useRealTimers();
  }
});

it('holds no connection while nobody sees the page', () => {
  const { live, opened, see, names } = setUp();
  opened[0]!.tell(['live/a']);
  see(false);
  expect(opened[0]!.closed).toBe(true);
  opened[0]!.fail(2);
  expect(live.link.value).toBe('events');
  see(true);
  expect(opened).toHaveLength(2);
  opened[1]!.tell([]);
  expect(names()).toEqual([]);
});

it('takes a list that it cannot read for a lost link', () => {
  const { live, opened } = setUp();
  opened[0]!.dispatchEvent(new MessageEvent('streams', { data: '{"streams":[{"name":5}]}' }));
  expect(live.link.value).toBe('lost');
});
