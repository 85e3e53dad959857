import { ParseError } from '@onair/media';
import type { DateRange } from '@onair/media/hls';
import { describe, expect, it } from 'vitest';
import { DateRanges } from './date-ranges.ts';

const START = Date.UTC(2026, 0, 1);

function setUp() {
  const time = { now: 1000 };
  return { time, ranges: new DateRanges(() => time.now) };
}

const range = (id: string, more: Partial<DateRange> = {}): DateRange => ({
  id,
  startDate: START,
  client: new Map(),
  ...more,
});

describe('DateRanges', () => {
  it('keeps what was told and adds what was not', () => {
    const { ranges } = setUp();
    ranges.set(range('a', { class: 'ad', client: new Map([['X-URL', '"one"']]) }));
    ranges.set(
      range('a', {
        class: 'other',
        duration: 5,
        client: new Map([
          ['X-URL', '"two"'],
          ['X-N', '7'],
        ]),
      }),
    );
    expect(ranges.all()).toEqual([
      range('a', {
        class: 'ad',
        duration: 5,
        client: new Map([
          ['X-N', '7'],
          ['X-URL', '"one"'],
        ]),
      }),
    ]);
  });

  it('takes the end of what it knows without its start, and keeps what it knows when that is wrong', () => {
    const { ranges } = setUp();
    const end = { startDate: undefined, endDate: START + 1000 };
    ranges.set(range('a'));
    ranges.set(range('a', end));
    ranges.set(range('b'));
    expect(() => ranges.set(range('b', { ...end, endDate: START - 1 }))).toThrow(ParseError);
    expect(ranges.all()).toEqual([range('a', { endDate: START + 1000 }), range('b')]);
  });

  it('drops what has ended, keeps what goes on, and remembers what left', () => {
    const { ranges, time } = setUp();
    ranges.set(range('ended', { duration: 5 }));
    ranges.set(range('dated', { endDate: START + 5000 }));
    ranges.set(range('planned', { plannedDuration: 60 }));
    ranges.set(range('open'));
    ranges.expire(START + 5000);
    expect(ranges.all()).toHaveLength(4);
    time.now += 1000;
    ranges.expire(START + 5001);
    expect(ranges.all().map(({ id }) => id)).toEqual(['planned', 'open']);
    expect(ranges.recent(10_000).removed).toEqual(['ended', 'dated']);
    time.now += 20_000;
    expect(ranges.recent(10_000)).toEqual({ listed: [], removed: [] });
    ranges.set(range('open', { endDate: START + 1 }));
    expect(ranges.recent(10_000).listed.map(({ id }) => id)).toEqual(['open']);
    ranges.remove('open');
    ranges.set(range('open'));
    expect(ranges.recent(10_000)).toMatchObject({ listed: [range('open')], removed: [] });
  });

  it('is bounded', () => {
    const { ranges } = setUp();
    for (let i = 0; i < 5000; i++) ranges.set(range(`r${i}`));
    expect(ranges.all()).toHaveLength(256);
    expect(ranges.recent(1).removed.length).toBeLessThanOrEqual(1024);
  });

  it.each<[string, Partial<DateRange>]>([
    ['an empty id', { id: '' }],
    ['a quote', { id: 'a"b' }],
    ['a line end', { class: 'a\nb' }],
    ['a tab', { id: 'a\tb' }],
    ['no start', { startDate: undefined }],
    ['an end before the start', { endDate: START - 1 }],
    ['an end on the next of nothing', { endOnNext: true }],
    ['an attribute of another kind', { client: new Map([['Y-A', '1']]) }],
    ['a bare word', { client: new Map([['X-A', 'word,EVIL=1']]) }],
    ['a line end in a value', { client: new Map([['X-A', '"a\nb"']]) }],
    ['endless text', { client: new Map([['X-A', `"${'x'.repeat(5000)}"`]]) }],
  ])('refuses %s', (_, more) => {
    const { ranges } = setUp();
    expect(() => ranges.set(range('a', more))).toThrow(ParseError);
    expect(ranges.all()).toEqual([]);
  });
});
