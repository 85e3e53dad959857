import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { Desks } from './desks.ts';
import { PlaylistBody } from './playlist-body.ts';
import { Waiters } from './waiters.ts';

function setUp() {
  const clock = new FakeClock();
  const desks = new Desks(() => new Waiters(clock, () => 10));
  const calls = { state: 0, render: 0 };
  const ask = (shows: string, kind = 'no') =>
    desks.of('video').text(
      kind,
      desks.changes,
      () => {
        calls.state++;
        return shows;
      },
      () => {
        calls.render++;
        return new PlaylistBody(shows, shows);
      },
    ).text;
  return { desks, calls, ask };
}

describe('Desks', () => {
  it('render a text once for what it shows, and look at that once per change', () => {
    const { desks, calls, ask } = setUp();
    for (let i = 0; i < 100; i++) expect(ask('1')).toBe('1');
    expect(calls).toEqual({ state: 1, render: 1 });
    desks.changed('audio');
    for (let i = 0; i < 100; i++) expect(ask('1')).toBe('1');
    expect(calls).toEqual({ state: 2, render: 1 });
    desks.replaced();
    for (let i = 0; i < 100; i++) expect(ask('2')).toBe('2');
    expect(calls).toEqual({ state: 3, render: 2 });
    expect([ask('3', 'v2'), ask('2'), ask('3', 'v2')]).toEqual(['3', '2', '3']);
    expect(calls).toEqual({ state: 4, render: 3 });
  });

  it('let go who waits for a rendition, for any, and everybody at the end', () => {
    const { desks } = setUp();
    const results: string[] = [];
    let there = false;
    const hold = (name: string) =>
      desks.of(name).waiters.hold(
        () => there,
        1000,
        (result) => results.push(`${name} ${result}`),
      );
    hold('video');
    hold('audio');
    desks.lobby.hold(
      () => there,
      1000,
      (result) => results.push(`lobby ${result}`),
    );
    expect(desks.waiting).toBe(3);
    there = true;
    desks.changed('video');
    expect(results).toEqual(['video ready', 'lobby ready']);
    expect(desks.waiting).toBe(1);
    desks.close();
    expect(results.at(-1)).toBe('audio late');
    expect(desks.waiting).toBe(0);
  });
});
