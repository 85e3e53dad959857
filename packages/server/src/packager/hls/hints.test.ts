import { parseMediaPlaylist } from '@onair/media/hls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setUp, source, type Timed, VIDEO } from '../../../../../test/kit/hls-source.ts';
import { videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import type { HlsPackager } from './hls-packager.ts';
import type { WaitResult } from './waiters.ts';

/** `ONAIR_LONG=1` goes on for three minutes. */
const RUNS =
  process.env.ONAIR_LONG === '1'
    ? { numRuns: 1_000_000, interruptAfterTimeLimit: 180_000 }
    : { numRuns: 15, seed: 3 };

/** Other pictures than before: their init segment differs. */
const OTHER = videoTrack({ ...videoParameters(640, 360), frameRate: 30 });

interface Hint {
  readonly name: string;
  readonly number: number;
  result: WaitResult | undefined;
  bytes: Uint8Array | undefined;
}

/** Asks for every part that a playlist hints at, as a player does, and notes what becomes of it. */
class HintWatch {
  readonly faults: string[] = [];
  /** Hints that were listed later. */
  came = 0;
  readonly #packager: HlsPackager;
  readonly #now: () => number;
  readonly #hints = new Map<string, Hint>();
  readonly #listed = new Set<string>();

  constructor(packager: HlsPackager, now: () => number) {
    this.#packager = packager;
    this.#now = now;
  }

  look(): void {
    for (const { name } of this.#packager.renditions) this.#lookAt(name);
  }

  #lookAt(name: string): void {
    const text = this.#packager.playlist(name)?.text;
    if (text === undefined) return;
    const { segments, pending, preloadHints } = parseMediaPlaylist(text);
    for (const { uri } of [...segments.flatMap(({ parts }) => parts), ...(pending?.parts ?? [])]) {
      if (this.#listed.has(uri)) continue;
      this.#listed.add(uri);
      const hint = this.#hints.get(uri);
      if (hint === undefined) continue;
      this.came++;
      const now = this.#packager.part(name, hint.number);
      if (hint.result !== 'ready') this.faults.push(`${uri}: ${hint.result} when it was listed`);
      else if (hint.bytes === undefined || hint.bytes.length === 0) this.faults.push(`${uri}: no bytes`);
      else if (typeof now === 'string' || Buffer.compare(now, hint.bytes) !== 0)
        this.faults.push(`${uri}: other bytes than those listed`);
    }
    for (const { uri } of preloadHints) {
      if (this.#hints.has(uri)) continue;
      const number = Number(/p(\d+)\.m4s$/.exec(uri)![1]);
      const hint: Hint = { name, number, result: undefined, bytes: undefined };
      this.#hints.set(uri, hint);
      if (this.#packager.part(name, number) !== 'coming')
        this.faults.push(`${uri}: ${this.#packager.part(name, number)} when it was hinted at`);
      const { patienceMs } = this.#packager;
      const asked = this.#now();
      this.#packager.whenPart(name, number, (result) => {
        hint.result = result;
        // After three target durations there is an error, and players ask again.
        if (result === 'late' && this.#now() - asked > patienceMs - 1) this.#hints.delete(uri);
        const part = this.#packager.part(name, number);
        if (typeof part !== 'string') hint.bytes = part;
      });
    }
  }
}

const shapes = fc.record({
  seconds: fc.integer({ min: 3, max: 6 }),
  fps: fc.constantFrom(60, 30, 24_000 / 1001, 15, 2),
  gop: fc.integer({ min: 1, max: 200 }),
  reorder: fc.integer({ min: 0, max: 2 }),
  audioLead: fc.integer({ min: -900, max: 900 }),
  partMs: fc.constantFrom(100, 200, 333, 500, 1000),
  segmentMs: fc.constantFrom(1000, 2000, 4000),
  kinds: fc.constantFrom('both', 'both', 'both', 'audio', 'video'),
  /** Shares of the time at which media are missing, and for how long, in ms. */
  holes: fc.array(
    fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), ms: fc.integer({ min: 20, max: 4000 }) }),
    { maxLength: 3 },
  ),
  /** Publishers that follow: after how long, in ms, and with the same pictures or others. */
  more: fc.array(fc.record({ gapMs: fc.nat(12_000), other: fc.boolean() }), {
    maxLength: 2,
  }),
  jitterMs: fc.nat(120),
});

/** What one publisher sends. */
function take(shape: typeof shapes extends fc.Arbitrary<infer T> ? T : never, other: boolean): Timed[] {
  const { seconds, fps, gop, reorder, audioLead, kinds, holes, jitterMs } = shape;
  const video = kinds === 'audio' ? undefined : other ? OTHER : VIDEO;
  const base = source({
    seconds,
    fps,
    gop,
    reorder,
    audioLead,
    video,
    ...(kinds === 'video' ? { audio: undefined } : {}),
  });
  let n = 0;
  return base
    .filter(
      ({ at }) =>
        !holes.some((hole) => at >= hole.at * seconds * 1000 && at < hole.at * seconds * 1000 + hole.ms),
    )
    .map(({ at, sample }) => ({ at: at + ((n++ * 7919) % (jitterMs + 1)), sample }))
    .sort((a, b) => a.at - b.at);
}

describe('parts that are hinted at', () => {
  it('are told to whoever waits as soon as they are listed, whatever the publisher does', () => {
    let came = 0;
    fc.assert(
      fc.property(shapes, (shape) => {
        const { partMs, segmentMs, more } = shape;
        const hub = setUp({ partMs, segmentMs });
        const watch = new HintWatch(hub.packager(), () => hub.clock.now());
        let publication = hub.publish(take(shape, false), () => watch.look());
        for (const { gapMs, other } of more) {
          publication.close('over');
          watch.look();
          hub.clock.advance(gapMs);
          watch.look();
          publication = hub.publish(take(shape, other), () => watch.look());
        }
        publication.close('over');
        watch.look();
        expect(watch.faults).toEqual([]);
        expect(hub.faults).toEqual([]);
        came += watch.came;
        hub.registry.close('over');
      }),
      RUNS,
    );
    expect(came).toBeGreaterThan(200);
  }, 240_000);
});
