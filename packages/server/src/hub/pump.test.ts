import type { Track } from '@onair/media';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../test/kit/fake-clock.ts';
import { audioTrack, videoTrack } from '../../../../test/kit/samples.ts';
import { plainEnvelope } from './envelope.ts';
import { Fanout } from './fanout.ts';
import { FormatLog, type LogEpoch, type NewBlock } from './format-log.ts';
import { DEFAULT_PUMP_POLICY, type PumpPolicy } from './pump.ts';
import type { ViewerEnd, ViewerTransport } from './viewer.ts';

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

class Pipe implements ViewerTransport {
  readonly writes: Uint8Array[] = [];
  blocked = false;
  backlog = 0;
  skips = 0;
  ended: ViewerEnd | undefined;
  write(bytes: Uint8Array): void {
    if (this.blocked) throw new Error('written to while blocked');
    this.writes.push(bytes);
  }
  skipped(blocks: number): void {
    this.skips += blocks;
  }
  end(reason: ViewerEnd): void {
    this.ended = reason;
  }
  get text(): string {
    return this.writes.map(decode).join('');
  }
}

function setUp(policy: Partial<PumpPolicy> = {}, tracks: readonly Track[] = [videoTrack(), audioTrack()]) {
  const clock = new FakeClock();
  const log = new FormatLog<Uint8Array>();
  const fanout = new Fanout(log, {
    clock,
    policy: (windowMs) => ({ ...DEFAULT_PUMP_POLICY, ...policy, windowMs }),
  });
  const envelope = plainEnvelope('plain', () => encode('<head>'));
  let epoch: LogEpoch<Uint8Array> = { number: 1, tracks, config: encode('<set1>') };
  let time = 0;
  const block = (
    text: string,
    kind: NewBlock<Uint8Array>['kind'],
    video: boolean,
    independent: boolean,
  ): void => {
    log.append({
      kind,
      epoch,
      track: video ? 1 : 2,
      video,
      independent,
      discontinuity: false,
      time,
      duration: 0,
      compositionOffset: 0,
      wallMs: 0,
      bytes: encode(text),
    });
  };
  return {
    clock,
    log,
    pump: (windowMs = 0, only: 'all' | 'audio' | 'video' = 'all') =>
      fanout.pump({ envelope, tracks: only, windowMs }),
    fanout,
    /** A video frame, 40 ms after the one before. */
    frame(text: string, key = false): void {
      time += 40_000;
      block(text, 'media', true, key);
      clock.advance(0);
    },
    sound(text: string): void {
      block(text, 'media', false, tracks.length === 1);
      clock.advance(0);
    },
    notice(text: string): void {
      block(text, 'notice', false, false);
      clock.advance(0);
    },
    nextEpoch(): void {
      epoch = { number: epoch.number + 1, tracks, config: encode(`<set${epoch.number + 1}>`) };
      block(`<set${epoch.number}>`, 'config', false, false);
    },
  };
}

describe('pump', () => {
  it('starts a late viewer at the newest keyframe at once and then gives everybody the same buffer', () => {
    const { pump, frame, sound } = setUp();
    frame('K1', true);
    frame('p2');
    frame('K3', true);
    sound('a');
    frame('p4');
    const first = new Pipe();
    const second = new Pipe();
    pump().join(first);
    pump().join(second);
    expect(first.text).toBe('<head><set1>K3ap4');
    expect(first.writes).toHaveLength(2);
    sound('b');
    frame('p5');
    expect(first.text).toBe('<head><set1>K3ap4bp5');
    expect(first.writes.at(-1)).toBe(second.writes.at(-1));
    expect(decode(first.writes.at(-1)!)).toBe('bp5');
  });

  it('lets viewers wait for the first keyframe', () => {
    const { pump, frame } = setUp();
    const early = new Pipe();
    pump().join(early);
    frame('p');
    expect(early.text).toBe('');
    frame('K', true);
    expect(early.text).toBe('<head><set1>K');
  });

  it('merges what comes within the window', () => {
    const { pump, frame, clock } = setUp();
    const pipe = new Pipe();
    pump(100).join(pipe);
    frame('K', true);
    frame('p1');
    clock.advance(50);
    frame('p2');
    expect(pipe.text).toBe('');
    clock.advance(50);
    expect(pipe.writes).toHaveLength(2);
    expect(decode(pipe.writes[1]!)).toBe('Kp1p2');
  });

  it('holds no notice back for the window', () => {
    const { pump, frame, notice, clock } = setUp();
    const pipe = new Pipe();
    pump(100).join(pipe);
    frame('K', true);
    clock.advance(100);
    frame('p1');
    notice('!');
    expect(pipe.text).toBe('<head><set1>Kp1!');
    frame('p2');
    expect(pipe.text).toBe('<head><set1>Kp1!');
    clock.advance(100);
    expect(pipe.text).toBe('<head><set1>Kp1!p2');
  });

  it('does not hold audio back for long when video pauses', () => {
    const { pump, frame, sound, clock } = setUp();
    const pipe = new Pipe();
    pump().join(pipe);
    frame('K', true);
    sound('a');
    expect(pipe.text).toBe('<head><set1>K');
    clock.advance(50);
    expect(pipe.text).toBe('<head><set1>Ka');
  });

  it('writes nothing to a blocked viewer, lets it catch up, and does not touch the others', () => {
    const { pump, frame } = setUp();
    const slow = new Pipe();
    const fast = new Pipe();
    const viewer = pump().join(slow);
    pump().join(fast);
    frame('K', true);
    slow.blocked = true;
    frame('p1');
    frame('p2');
    expect(fast.text).toBe('<head><set1>Kp1p2');
    expect(slow.text).toBe('<head><set1>K');
    slow.blocked = false;
    viewer.drained();
    expect(slow.text).toBe('<head><set1>Kp1p2');
    expect(viewer.counters).toMatchObject({ skips: 0, bytes: slow.text.length });
  });

  it('moves a viewer that lags too far to the newest keyframe and counts what it missed', () => {
    const { pump, frame } = setUp({ lagMs: 400 });
    const slow = new Pipe();
    const viewer = pump().join(slow);
    frame('K', true);
    slow.blocked = true;
    for (let i = 0; i < 20; i++) frame(`p${i};`);
    frame('L', true);
    frame('q');
    slow.blocked = false;
    viewer.drained();
    expect(slow.text).toBe('<head><set1>KLq');
    expect(viewer.counters.skips).toBe(1);
    expect(slow.skips).toBe(20);
  });

  it('sets a viewer that skipped over an epoch up for the new one', () => {
    const { pump, frame, nextEpoch } = setUp({ lagMs: 400 });
    const slow = new Pipe();
    const steady = new Pipe();
    const viewer = pump().join(slow);
    pump().join(steady);
    frame('K', true);
    slow.blocked = true;
    for (let i = 0; i < 20; i++) frame('p');
    nextEpoch();
    frame('L', true);
    slow.blocked = false;
    viewer.drained();
    expect(slow.text).toBe('<head><set1>K<set2>L');
    expect(steady.text).toBe(`<head><set1>K${'p'.repeat(20)}<set2>L`);
  });

  it('closes a viewer that takes nothing for too long', () => {
    const { pump, frame, clock } = setUp({ stallMs: 1000 });
    const stuck = new Pipe();
    pump().join(stuck);
    frame('K', true);
    stuck.blocked = true;
    frame('p');
    clock.advance(1001);
    frame('p');
    expect(stuck.ended).toBe('too-slow');
  });

  it('resumes behind a block it sent, without setting up again', () => {
    const { pump, frame, log } = setUp();
    const keepAlive = new Pipe();
    pump().join(keepAlive);
    frame('K', true);
    frame('p1');
    const after = log.end - 1;
    frame('p2');
    const back = new Pipe();
    pump().join(back, { after, epoch: 1 });
    frame('p3');
    expect(back.text).toBe('p2p3');
    const stranger = new Pipe();
    pump().join(stranger, { after: 9_999, epoch: 7 });
    expect(stranger.text).toBe('<set1>Kp1p2p3');
  });

  it('pauses, and plays on from a keyframe', () => {
    const { pump, frame } = setUp();
    const pipe = new Pipe();
    const viewer = pump().join(pipe);
    frame('K', true);
    viewer.pause();
    frame('p');
    frame('L', true);
    frame('q');
    viewer.play();
    expect(pipe.text).toBe('<head><set1>KLq');
  });

  it('leaves out the track a viewer does not want', () => {
    const { pump, frame, sound, clock } = setUp();
    const listener = new Pipe();
    const watcher = new Pipe();
    pump(0, 'audio').join(listener);
    pump(0, 'video').join(watcher);
    sound('a');
    frame('K', true);
    sound('b');
    frame('p');
    clock.advance(40);
    expect(listener.text).toBe('<head><set1>ab');
    expect(watcher.text).toBe('<head><set1>Kp');
  });

  it('gives a viewer of sound alone about a second to start with', () => {
    const { pump, log, clock } = setUp({}, [audioTrack()]);
    const epoch: LogEpoch<Uint8Array> = { number: 1, tracks: [audioTrack()], config: encode('<set1>') };
    for (let i = 0; i < 200; i++) {
      log.append({
        kind: 'media',
        epoch,
        track: 2,
        video: false,
        independent: true,
        discontinuity: false,
        time: i * 20_000,
        duration: 20_000,
        compositionOffset: 0,
        wallMs: 0,
        bytes: encode('a'),
      });
    }
    const pipe = new Pipe();
    pump().join(pipe);
    clock.advance(0);
    expect(pipe.text.length - '<head><set1>'.length).toBeGreaterThanOrEqual(50);
    expect(pipe.text.length - '<head><set1>'.length).toBeLessThanOrEqual(101);
  });

  it('serves thousands in slices and lets go of everything with the last viewer', () => {
    const { pump, frame, clock, fanout } = setUp();
    const pipes = Array.from({ length: 2_100 }, () => new Pipe());
    const viewers = pipes.map((pipe) => pump().join(pipe));
    frame('K', true);
    frame('p');
    clock.advance(1);
    expect(pipes.every((pipe) => pipe.text === '<head><set1>Kp')).toBe(true);
    for (const viewer of viewers) viewer.close();
    expect(fanout.size).toBe(0);
    clock.advance(1_000);
    expect(clock.waiting).toBe(0);
  });

  it('ends everybody when the stream ends', () => {
    const { pump, frame, log } = setUp();
    const pipe = new Pipe();
    pump().join(pipe);
    frame('K', true);
    log.finish('ended');
    expect(pipe.ended).toBe('stream-ended');
  });
});

describe('format log', () => {
  it('keeps the newest group of pictures beyond the usual span, but not beyond its bounds', () => {
    const log = new FormatLog<Uint8Array>({ maxBytes: 1000, keepMs: 1000, maxMs: 5000 });
    const epoch: LogEpoch<Uint8Array> = { number: 1, tracks: [videoTrack()], config: encode('') };
    const add = (ms: number, independent: boolean, size = 1): void => {
      log.append({
        kind: 'media',
        epoch,
        track: 1,
        video: true,
        independent,
        discontinuity: false,
        time: ms * 1000,
        duration: 0,
        compositionOffset: 0,
        wallMs: 0,
        bytes: new Uint8Array(size),
      });
    };
    add(0, true);
    for (let t = 40; t <= 4000; t += 40) add(t, false);
    expect(log.newestIndependent).toBe(0);
    for (let t = 4040; t <= 6000; t += 40) add(t, false);
    expect(log.newestIndependent).toBe(-1);
    expect(log.at(log.start)!.time).toBeGreaterThanOrEqual(1_000_000);
    add(6040, true);
    add(7100, false);
    expect(log.at(log.start)!.time).toBeGreaterThanOrEqual(6_040_000);
    add(7140, false, 999);
    expect(log.bytes).toBeLessThanOrEqual(1000);
  });
});
