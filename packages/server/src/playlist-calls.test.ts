import { streamName } from '@onair/media';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../test/kit/fake-clock.ts';
import { audioTrack, programme, videoTrack } from '../../../test/kit/samples.ts';
import { StreamRegistry } from './hub/index.ts';
import { cmafPackagerKind } from './packager/cmaf/index.ts';
import { DEFAULT_HLS_OPTIONS, hlsPackagerKind } from './packager/hls/index.ts';
import { tellOfPlaylists } from './playlist-calls.ts';

const tracks = [videoTrack(), audioTrack()] as const;

function setUp() {
  const clock = new FakeClock();
  const kind = hlsPackagerKind(cmafPackagerKind(), clock, () => ({
    ...DEFAULT_HLS_OPTIONS,
    segmentMs: 1000,
  }));
  const registry = new StreamRegistry({ clock });
  const told: string[] = [];
  const stop = tellOfPlaylists({
    registry,
    clock,
    kind,
    callbacks: {
      wantsPlaylists: (stream) => stream !== 'live/other',
      playlist: (stream) => void told.push(stream),
    },
  });
  /** Publishes whole seconds and goes. */
  const publish = (name: string, seconds: number): void => {
    const publication = registry.publish(streamName('live', name), {
      protocol: 'test',
      revoked: () => undefined,
    });
    for (const track of tracks) publication.setTrack(track);
    for (let second = 0; second < seconds; second++) {
      for (const sample of programme(...tracks, 1, 25, second * 1000)) publication.push(sample);
      clock.advance(1000);
    }
    publication.close('gone');
  };
  return { clock, registry, told, stop, publish };
}

it('tells of each segment once, of the streams that are wanted, also of those that come back', () => {
  const { clock, registry, told, stop, publish } = setUp();
  publish('test', 4);
  publish('other', 2);
  // The last one is whole when the publisher has gone.
  expect(told).toEqual(Array(4).fill('live/test'));
  clock.advance(3_600_000);
  expect(told).toHaveLength(4);
  publish('test', 3);
  expect(told).toHaveLength(7);
  stop();
  publish('test', 2);
  expect(told).toHaveLength(7);
  registry.close('test over');
  clock.advance(10_000);
  expect(clock.waiting).toBe(0);
});
