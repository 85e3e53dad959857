import { type Sample, streamName } from '@onair/media';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../test/kit/fake-clock.ts';
import {
  audioParameters,
  audioTrack,
  programme,
  sampleAt,
  videoParameters,
  videoTrack,
} from '../../../../test/kit/samples.ts';
import { HubError } from './errors.ts';
import { DEFAULT_POLICY, type HubPolicy } from './policy.ts';
import type { Publication, Publisher } from './publication.ts';
import { StreamRegistry } from './registry.ts';
import type { Cut, StreamSink, StreamState } from './sink.ts';

const NAME = streamName('live', 'test');

class Recorder implements StreamSink {
  readonly cuts: Cut[] = [];
  readonly samples: Sample[] = [];
  readonly states: StreamState[] = [];
  cut(cut: Cut): void {
    this.cuts.push(cut);
  }
  sample(sample: Sample): void {
    this.samples.push(sample);
  }
  state(state: StreamState): void {
    this.states.push(state);
  }
}

function setUp(policy: Partial<HubPolicy> = {}) {
  const clock = new FakeClock();
  const faults: unknown[] = [];
  const registry = new StreamRegistry({
    clock,
    policy: { ...DEFAULT_POLICY, ...policy },
    onFault: (_, error) => faults.push(error),
  });
  return { clock, registry, faults };
}

function publisher(identity?: string): Publisher & { reasons: string[] } {
  const reasons: string[] = [];
  return {
    protocol: 'test',
    ...(identity === undefined ? {} : { identity }),
    reasons,
    revoked: (reason) => {
      reasons.push(reason);
    },
  };
}

function send(publication: Publication, samples: readonly Sample[]): void {
  for (const sample of samples) publication.push(sample);
}

describe('stream', () => {
  it('begins one epoch with both tracks at a keyframe, audio not before it', () => {
    const { registry } = setUp();
    const sink = new Recorder();
    registry.open(NAME).subscribe(sink);
    const publication = registry.publish(NAME, publisher());
    const audio = audioTrack();
    const video = videoTrack();
    publication.setTrack(audio);
    for (let t = 0; t < 200; t += 20) publication.push(sampleAt(audio, t));
    publication.setTrack(video);
    publication.push(sampleAt(video, 170, false));
    expect(sink.cuts).toEqual([]);
    publication.push(sampleAt(video, 200, true));
    publication.push(sampleAt(audio, 200));
    expect(sink.cuts).toHaveLength(1);
    expect(sink.cuts[0]!.epoch.tracks.map((track) => track.parameters.kind)).toEqual(['video', 'audio']);
    expect(sink.samples.map((sample) => [sample.track.id, sample.dts])).toEqual([
      [1, 0],
      [2, 0],
    ]);
  });

  it('does not wait for a track that was not promised, and waits for one that was', () => {
    const { registry } = setUp();
    const video = videoTrack();
    const sink = new Recorder();
    registry.open(NAME).subscribe(sink);
    const publication = registry.publish(NAME, publisher());
    publication.promise({ video: true, audio: false });
    publication.setTrack(video);
    publication.push(sampleAt(video, 0, true));
    expect(sink.cuts).toHaveLength(1);

    const second = new Recorder();
    const other = streamName('live', 'other');
    registry.open(other).subscribe(second);
    const waiting = registry.publish(other, publisher());
    waiting.promise({ video: true, audio: true });
    waiting.setTrack(video);
    send(waiting, programme(video, undefined, 2));
    expect(second.cuts).toHaveLength(0);
    send(waiting, programme(video, undefined, 2, 25, 2000));
    expect(second.cuts).toHaveLength(1);
    expect(second.samples.length).toBeGreaterThan(70);
  });

  it('gives a late packager the group of pictures from its keyframe', () => {
    const { registry } = setUp();
    const video = videoTrack();
    const audio = audioTrack();
    const publication = registry.publish(NAME, publisher());
    publication.setTrack(video);
    publication.setTrack(audio);
    send(publication, programme(video, audio, 3, 50));
    const late = new Recorder();
    registry.find(NAME)!.subscribe(late);
    expect(late.cuts).toHaveLength(1);
    expect(late.samples[0]!.keyframe).toBe(true);
    expect(late.samples[0]!.dts).toBe(2 * 90_000);
    expect(late.states).toEqual(['live']);
  });

  it('goes on where the last frame ends, whatever comes first of the next encoder', () => {
    const { registry } = setUp();
    const sink = new Recorder();
    registry.open(NAME).subscribe(sink);
    const video = videoTrack();
    const audio = audioTrack();
    const first = registry.publish(NAME, publisher());
    first.setTrack(video);
    first.promise({ video: true });
    send(first, programme(video, undefined, 1));
    first.close('gone');
    const placesOf = (samples: readonly Sample[]) => {
      const before = sink.samples.length;
      const publication = registry.publish(NAME, publisher());
      publication.setTrack(audio);
      publication.setTrack(video);
      send(publication, samples);
      publication.close('gone');
      const places = sink.samples
        .slice(before)
        .map(({ dts, track }) => Math.round((dts * 1000) / track.timebase));
      return { places, dropped: publication.dropped };
    };
    const ahead = [sampleAt(audio, 680), sampleAt(audio, 700), sampleAt(video, 500), sampleAt(video, 540)];
    expect(placesOf(ahead)).toEqual({ places: [1180, 1200, 1000, 1040], dropped: 0 });
    // Pictures go on without a hole; sound whose place is taken already is left out.
    const late = [480, 520, 620, 640].map((time) => sampleAt(audio, time));
    expect(placesOf([sampleAt(video, 500), ...late])).toEqual({ places: [1080, 1220], dropped: 3 });
  });

  it('goes on in the same epoch when the encoder comes back with the same parameters', () => {
    const { registry, clock } = setUp();
    const sink = new Recorder();
    const stream = registry.open(NAME);
    stream.subscribe(sink);
    const video = videoTrack();
    const first = registry.publish(NAME, publisher());
    first.promise({ video: true });
    first.setTrack(video);
    send(first, programme(video, undefined, 2));
    first.close('gone');
    expect(stream.state).toBe('waiting');
    clock.advance(20_000);
    const back = registry.publish(NAME, publisher());
    back.promise({ video: true });
    const again = videoTrack();
    back.setTrack(again);
    back.push(sampleAt(again, 12_345, false));
    back.push(sampleAt(again, 12_385, true));
    expect(sink.states).toEqual(['idle', 'live', 'waiting', 'live']);
    expect(sink.cuts.map((cut) => [cut.epoch.number, cut.newEpoch])).toEqual([
      [1, true],
      [1, false],
    ]);
    const last = sink.samples.at(-1)!;
    const before = sink.samples.at(-2)!;
    expect(last.keyframe).toBe(true);
    expect(last.dts - before.dts).toBeGreaterThan(0);
    expect(last.dts - before.dts).toBeLessThan(9000);
    expect(sink.cuts[1]!.anchor.wallMs - sink.cuts[0]!.anchor.wallMs).toBe(20_000);
  });

  it('begins a new epoch for other parameters, in mid-stream as well', () => {
    const { registry } = setUp();
    const sink = new Recorder();
    registry.open(NAME).subscribe(sink);
    const publication = registry.publish(NAME, publisher());
    const video = videoTrack();
    const audio = audioTrack();
    publication.setTrack(video);
    publication.setTrack(audio);
    send(publication, programme(video, audio, 1));
    const bigger = videoTrack(videoParameters(128, 96));
    publication.setTrack(bigger);
    publication.push(sampleAt(bigger, 1000, false));
    publication.push(sampleAt(audio, 1010));
    publication.push(sampleAt(bigger, 1040, true));
    publication.push(sampleAt(audio, 1045));
    expect(sink.cuts.map((cut) => cut.epoch.number)).toEqual([1, 2]);
    expect(sink.cuts[1]!.epoch.tracks[0]!.parameters).toMatchObject({ width: 128 });
    const changed = sink.samples.filter((sample) => sample.track.parameters === bigger.parameters);
    expect(changed[0]).toMatchObject({ keyframe: true });
    for (const id of [1, 2]) {
      const times = sink.samples.filter((sample) => sample.track.id === id).map((sample) => sample.dts);
      expect([...times].sort((a, b) => a - b)).toEqual(times);
    }
  });

  it('ends after the reconnect window and is forgotten after the linger', () => {
    const { registry, clock } = setUp({ reconnectWindowMs: 5000, endedLingerMs: 1000 });
    const stream = registry.open(NAME);
    const sink = new Recorder();
    stream.subscribe(sink);
    const video = videoTrack(videoParameters());
    const publication = registry.publish(NAME, publisher());
    publication.promise({ video: true });
    publication.setTrack(video);
    send(publication, programme(video, undefined, 1));
    publication.close('gone');
    expect(stream.until).toBe(clock.wall() + 5000);
    clock.advance(4999);
    expect(stream.state).toBe('waiting');
    clock.advance(1);
    expect(stream.state).toBe('ended');
    expect(registry.find(NAME)).toBe(stream);
    clock.advance(1000);
    expect(registry.find(NAME)).toBeUndefined();
    expect(clock.waiting).toBe(0);
  });

  it('forgets an idle stream with its last viewer', () => {
    const { registry } = setUp();
    const detach = registry.open(NAME).attach();
    const other = registry.open(NAME).attach();
    detach();
    detach();
    expect(registry.find(NAME)).toBeDefined();
    other();
    expect(registry.find(NAME)).toBeUndefined();
  });

  it('refuses, replaces or queues a second publisher by policy', () => {
    const refusing = setUp();
    refusing.registry.publish(NAME, publisher('a'));
    expect(() => refusing.registry.publish(NAME, publisher('a'))).toThrow(HubError);

    const taking = setUp({ takeover: 'takeover' });
    const first = publisher('a');
    const held = taking.registry.publish(NAME, first);
    expect(() => taking.registry.publish(NAME, publisher('b'))).toThrow(HubError);
    taking.registry.publish(NAME, publisher('a'));
    expect(held.closed).toBe(true);
    expect(first.reasons).toEqual(['taken over by another publisher']);

    const queueing = setUp({ takeover: 'standby' });
    const sink = new Recorder();
    queueing.registry.open(NAME).subscribe(sink);
    const video = videoTrack();
    const main = queueing.registry.publish(NAME, publisher());
    const backup = queueing.registry.publish(NAME, publisher());
    for (const publication of [main, backup]) {
      publication.promise({ video: true });
      publication.setTrack(video);
    }
    send(main, programme(video, undefined, 1));
    send(backup, programme(video, undefined, 1));
    expect(sink.samples).toHaveLength(25);
    main.close('gone');
    send(backup, programme(video, undefined, 1, 25, 1000));
    expect(sink.samples).toHaveLength(50);
    expect(sink.states).toEqual(['idle', 'live']);
  });

  it('removes a sink that throws and goes on', () => {
    const { registry, faults } = setUp();
    const stream = registry.open(NAME);
    const bad = new Recorder();
    bad.sample = () => {
      throw new Error('broken sink');
    };
    const good = new Recorder();
    stream.subscribe(bad);
    stream.subscribe(good);
    const audio = audioTrack(audioParameters(44_100));
    const publication = registry.publish(NAME, publisher());
    publication.promise({ audio: true });
    publication.setTrack(audio);
    for (let t = 0; t < 100; t += 20) publication.push(sampleAt(audio, t));
    expect(good.samples).toHaveLength(5);
    expect(faults).toHaveLength(1);
  });

  it('bounds the number of streams', () => {
    const { registry } = setUp({ maxStreams: 2 });
    registry.open(streamName('live', 'a')).attach();
    registry.open(streamName('live', 'b')).attach();
    expect(() => registry.open(streamName('live', 'c'))).toThrow('2 streams are known already');
  });
});
