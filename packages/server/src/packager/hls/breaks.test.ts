import type { TimedEvent } from '@onair/media';
import { parseMediaPlaylist } from '@onair/media/hls';
import { expect, it } from 'vitest';
import { setUp, source } from '../../../../../test/kit/hls-source.ts';

const SECTION = 'fc3000';

it('the end of a break is told on the range that began it', () => {
  const { packager, publish, faults, stream } = setUp();
  publish(source({ seconds: 6 }));
  const at = (id: string, time: number, splice: TimedEvent['splice']): TimedEvent => ({
    id,
    name: 'break',
    time: time * 1_000_000,
    duration: 0,
    data: {},
    ...(splice === undefined ? {} : { splice }),
  });
  const ranges = () => parseMediaPlaylist(packager().playlist('video')!.text).dateRanges;
  stream.announce(at('out', 5.1, { kind: 'out', section: SECTION }), 'test');
  stream.announce(at('in', 5.9, { kind: 'in', section: SECTION, of: 'out' }), 'test');
  // One whose beginning nobody saw.
  stream.announce(at('in-2', 5.9, { kind: 'in', section: SECTION, of: 'unseen' }), 'test');
  // One that is longer than a line of a playlist may be.
  stream.announce(at('long', 5.9, { kind: 'command', section: SECTION.repeat(1000) }), 'test');
  expect(faults).toEqual([]);
  const [range, ...others] = ranges();
  expect(range).toMatchObject({ id: 'out', class: 'onair.event' });
  expect(range!.endDate! - range!.startDate!).toBe(800);
  expect([...range!.client.keys()]).toEqual(expect.arrayContaining(['SCTE35-OUT', 'SCTE35-IN']));
  expect(others).toEqual([]);
});
