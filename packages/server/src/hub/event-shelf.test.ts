import { streamName, type TimedEvent } from '@onair/media';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../test/kit/fake-clock.ts';
import { audioTrack, programme, videoTrack } from '../../../../test/kit/samples.ts';
import { EVENTS_PER_SECOND, EventShelf, MAX_EVENT_AHEAD_US, MAX_EVENTS_STANDING } from './event-shelf.ts';
import { StreamRegistry } from './registry.ts';

const draft = (id: string, more: Partial<TimedEvent> = {}) => ({ id, name: 'n', data: null, ...more });
const codeOf = (action: () => unknown): unknown => {
  try {
    action();
    return 'none';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

describe('event shelf', () => {
  it('keeps events by time, those that stand, and moves what is long past to now', () => {
    const shelf = new EventShelf();
    shelf.add(draft('b', { time: 9_000_000 }), 5_000_000);
    shelf.add(draft('a', { time: 4_500_000, duration: 2_000_000 }), 5_000_000);
    expect(shelf.add(draft('past', { time: 1 }), 5_000_000).time).toBe(5_000_000);
    expect(shelf.standing(6_000_000).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(shelf.between(4_500_000, 9_000_000).map(({ id }) => id)).toEqual(['a', 'past']);
    expect(shelf.find('b')?.time).toBe(9_000_000);
  });

  it('refuses what is too far, too long, too large, too much', () => {
    const shelf = new EventShelf();
    expect(codeOf(() => shelf.add(draft('x', { time: MAX_EVENT_AHEAD_US + 1 }), 0))).toBe('EVENT_TIME');
    expect(codeOf(() => shelf.add(draft('x', { duration: 1e12 }), 0))).toBe('EVENT_TIME');
    expect(codeOf(() => shelf.add(draft('x', { data: '文'.repeat(30_000) }), 0))).toBe('EVENT_LIMIT');
    for (let i = 0; i < MAX_EVENTS_STANDING; i++) shelf.add(draft(`e${i}`, { time: 10 }), 0);
    expect(codeOf(() => shelf.add(draft('one more'), 0))).toBe('EVENT_LIMIT');
    // Once they are over there is room again, and memory stays bounded.
    for (let i = 0; i < 2000; i++) shelf.add(draft(`f${i}`), 1_000_000 + 1000 * i);
    expect(shelf.between(0, 1e12).length).toBeLessThan(600);
  });

  it('lets twenty a second through for each source', () => {
    const shelf = new EventShelf();
    let passed = 0;
    const send = (source: string, ms: number): void => {
      if (codeOf(() => shelf.spend(source, ms)) === 'none') passed++;
    };
    for (let i = 0; i < 100; i++) send('a', 0);
    expect(passed).toBe(EVENTS_PER_SECOND);
    for (let i = 0; i < 100; i++) send('b', 0);
    expect(passed).toBe(2 * EVENTS_PER_SECOND);
    for (let ms = 1; ms <= 10_000; ms++) send('a', ms);
    expect(passed).toBe(2 * EVENTS_PER_SECOND + 10 * EVENTS_PER_SECOND);
  });
});

describe('events of a stream', () => {
  function onAir() {
    const registry = new StreamRegistry({ clock: new FakeClock() });
    const publication = registry.publish(streamName('live', 'test'), {
      protocol: 'test',
      revoked: () => undefined,
    });
    const tracks = [videoTrack(), audioTrack()] as const;
    for (const track of tracks) publication.setTrack(track);
    for (const sample of programme(...tracks, 2, 25, 7000)) publication.push(sample);
    const stream = registry.find(streamName('live', 'test'))!;
    return { stream, publication };
  }

  it('reach every sink once; one that comes later gets those that stand in front of the media', () => {
    const { stream } = onAir();
    const heard: string[] = [];
    const sink = (label: string) => ({
      cut: () => undefined,
      state: () => undefined,
      sample: ({ track, data }: { track: { id: number }; data: Uint8Array }) => {
        if (track.id === 255) heard.push(`${label} ${JSON.parse(String(Buffer.from(data))).id}`);
        else if (heard.at(-1) !== `${label} media`) heard.push(`${label} media`);
      },
    });
    stream.subscribe(sink('first'));
    heard.length = 0;
    const now = stream.announce(draft('now'), 's');
    expect(now.time).toBe(stream.now);
    expect(stream.announce(draft('now', { name: 'again' }), 's')).toBe(now);
    stream.announce(draft('ahead', { time: stream.now + 5_000_000 }), 's');
    expect(heard).toEqual(['first now', 'first ahead']);
    heard.length = 0;
    stream.subscribe(sink('late'));
    expect(heard).toEqual(['late now', 'late ahead', 'late media']);
  });

  it('are placed by the publisher’s clock, and refused off air', () => {
    const { stream, publication } = onAir();
    expect(publication.announce({ id: 'p', name: 'n', data: 1 }, 8_500_000)?.time).toBe(1_500_000);
    publication.close('gone');
    expect(publication.announce({ id: 'q', name: 'n', data: 1 }, 8_000_000)).toBeUndefined();
    expect(stream.state).toBe('waiting');
    expect(stream.announce(draft('w'), 's').time).toBe(stream.now);
    stream.end('over');
    expect(codeOf(() => stream.announce(draft('e'), 's'))).toBe('EVENT_OFF_AIR');
    stream.close('test over');
  });
});
