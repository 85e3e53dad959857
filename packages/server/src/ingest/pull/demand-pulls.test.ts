import { streamName } from '@onair/media';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { AUDIO } from '../../../../../test/kit/hls-source.ts';
import { sampleAt } from '../../../../../test/kit/samples.ts';
import { DEFAULT_POLICY, SessionTable, StreamRegistry } from '../../hub/index.ts';
import { DEMAND_WAIT_MS, DemandPulls, type PullSink } from './index.ts';

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

const CAM = streamName('live', 'cam');
const NOTHING = { bytes: 0, skips: 0, dropped: 0, backlog: 0 };
const ONE = { url: 'rtmp://a.example/app/x', stream: 'live/cam', onDemand: true, idleMs: 5000 };

function setUp(wishes: readonly object[] = [ONE]) {
  const clock = new FakeClock();
  const registry = new StreamRegistry({ clock, policy: DEFAULT_POLICY });
  let ids = 0;
  const sessions = new SessionTable(
    () => 0,
    () => String(++ids),
  );
  const sinks: PullSink[] = [];
  const [opened, closed]: [string[], string[]] = [[], []];
  const pulls = new DemandPulls({
    registry,
    sessions,
    clock,
    log: () => undefined,
    open: (url, sink) => {
      opened.push(url);
      sinks.push(sink);
      return { close: () => closed.push(url) };
    },
  });
  pulls.set(wishes as (typeof ONE)[]);
  closers.push(() => {
    pulls.close('test over');
    registry.close('test over');
  });
  /** Puts the stream on air as the source would. */
  const deliver = () => {
    const publication = registry.publish(CAM, { protocol: 'test', revoked: () => {} });
    publication.promise({ audio: true, video: false });
    publication.setTrack(AUDIO);
    publication.push(sampleAt(AUDIO, 0));
    clock.advance(200);
    return publication;
  };
  return { pulls, clock, registry, sessions, opened, closed, sinks, deliver };
}

describe('pulls on demand', () => {
  it('begin with the first who asks, are joined by others, and end some time after the last', async () => {
    const { pulls, clock, sessions, opened, closed, deliver } = setUp();
    clock.advance(60_000);
    expect(opened).toEqual([]);
    const asked = [pulls.wanted(CAM), pulls.wanted(CAM)];
    expect(opened).toEqual([ONE.url]);
    deliver();
    expect(await Promise.all(asked)).toEqual([true, true]);
    expect(pulls.wanted(CAM)).toBeUndefined();
    const viewer = sessions.add({
      kind: 'viewer',
      protocol: 'flv',
      stream: CAM,
      address: '',
      figures: () => NOTHING,
      close: () => undefined,
    });
    clock.advance(60_000);
    expect(closed).toEqual([]);
    viewer.remove();
    clock.advance(4_500);
    expect(closed).toEqual([]);
    clock.advance(1_000);
    expect(closed).toEqual([ONE.url]);
  });

  it('tell who waits that a source fails, or is silent for too long', async () => {
    const { pulls, clock, opened, sinks, closed } = setUp();
    const failed = pulls.wanted(CAM);
    sinks[0]!.ended('no route');
    clock.advance(200);
    expect(await failed).toBe(false);
    clock.advance(30_000);
    expect(closed.length).toBeLessThanOrEqual(opened.length);
    const silent = pulls.wanted(CAM);
    clock.advance(DEMAND_WAIT_MS + 200);
    expect(await silent).toBe(false);
    clock.advance(10_000);
    const times = opened.length;
    clock.advance(120_000);
    expect(opened).toHaveLength(times);
  });

  it('take any stream of an application, with its name in the address', () => {
    const { pulls, opened } = setUp([{ ...ONE, url: 'rtmp://a.example/{app}/{name}', stream: 'live/*' }]);
    void pulls.wanted(streamName('live', 'one'));
    void pulls.wanted(streamName('live', 'two'));
    expect(pulls.wanted(streamName('other', 'one'))).toBeUndefined();
    expect(opened).toEqual(['rtmp://a.example/live/one', 'rtmp://a.example/live/two']);
  });

  it('leave streams alone that somebody publishes, and pulls that are always on', () => {
    const { pulls, opened, deliver } = setUp([ONE, { ...ONE, stream: 'live/always', onDemand: false }]);
    deliver();
    expect(pulls.wanted(CAM)).toBeUndefined();
    expect(pulls.wanted(streamName('live', 'always'))).toBeUndefined();
    expect(opened).toEqual([]);
  });

  it('end with the configuration, and are bounded in number', async () => {
    const { pulls, opened, closed } = setUp([{ ...ONE, stream: 'live/*', url: 'rtmp://a.example/a/{name}' }]);
    const asked = Array.from({ length: 300 }, (_, i) => pulls.wanted(streamName('live', `s${i}`)));
    expect(asked.filter((one) => one === undefined)).toHaveLength(300 - 256);
    expect(opened).toHaveLength(256);
    pulls.set([]);
    expect(closed).toHaveLength(256);
    pulls.close('over');
    expect(await Promise.all(asked.filter((one) => one !== undefined))).not.toContain(true);
  });
});
