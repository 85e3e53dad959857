import { type Sample, streamName, ticks } from '@onair/media';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeClock } from '../../../../test/kit/fake-clock.ts';
import { audioTrack } from '../../../../test/kit/samples.ts';
import { type Packager, StreamRegistry } from '../hub/index.ts';
import { bridgedKind } from './audio-bridge.ts';
import type { AudioTranscoder, LineListener } from './audio-transcoder.ts';
import { AAC_FOR_FLV, OPUS_FOR_RTP } from './rules.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance', 'Date'] }));
afterEach(() => vi.useRealTimers());

/** A transcoder that works when the test says so. */
class SlowTranscoder {
  listener: LineListener | undefined;
  readonly times: number[] = [];
  open(_to: string, _from: unknown, listener: LineListener) {
    this.listener = listener;
    const { times } = this;
    return {
      push: (time: number) => times.push(time) > 0,
      get waiting() {
        return times.length;
      },
      close: () => undefined,
    };
  }
  work(packets: number): void {
    for (const time of this.times.splice(0, packets)) this.listener!.packet(time, Uint8Array.of(1));
  }
}

function setUp(rule = OPUS_FOR_RTP) {
  const transcoder = new SlowTranscoder();
  const out: Sample[] = [];
  const kept: Packager = {
    cut: () => undefined,
    sample: (sample) => void out.push(sample),
    state: () => undefined,
    close: () => undefined,
  };
  const parts = { transcoder: transcoder as unknown as AudioTranscoder, log: () => undefined };
  const kind = bridgedKind({ name: 'kept', create: () => kept }, { ...rule, needed: () => true }, parts);
  const clock = new FakeClock();
  vi.setSystemTime(clock.wall());
  const registry = new StreamRegistry({ clock });
  const name = streamName('live', 'test');
  const publication = registry.publish(name, { protocol: 'test', revoked: () => undefined });
  publication.promise({ audio: true, video: false });
  const track = audioTrack();
  publication.setTrack(track);
  let at = 0;
  const push = (packets: number): void => {
    for (let i = 0; i < packets; i++) {
      const time = ticks(at);
      at += 1024;
      const common = { track, duration: undefined, keyframe: true, data: Uint8Array.of(0) };
      publication.push({ ...common, dts: time, pts: time });
    }
  };
  push(1);
  registry.find(name)!.packager(kind);
  const pass = (ms: number): void => {
    clock.advance(ms);
    vi.advanceTimersByTime(ms);
  };
  return { transcoder, out, push, pass };
}

it('leaves out sound that comes late while newer sound waits, for outputs that want no past', () => {
  const { transcoder, out, push, pass } = setUp();
  push(9);
  // The thread took its time to start.
  pass(400);
  push(4);
  const all = transcoder.times.length;
  transcoder.work(all - 4);
  const late = out.length;
  transcoder.work(4);
  expect(late).toBeLessThan(3);
  expect(out.length - late).toBe(4);
});

it('gives the others all of it', () => {
  const { transcoder, out, push, pass } = setUp(AAC_FOR_FLV);
  push(9);
  pass(400);
  push(4);
  const all = transcoder.times.length;
  transcoder.work(all);
  expect(out.length).toBe(all);
});
