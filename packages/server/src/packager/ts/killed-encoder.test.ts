import { checkTransportStream } from '@onair/media/hls';
import { MAX_CLOCK_STEP, PCR_PER_TICK, TsInspector, type TsUnit } from '@onair/media/mpegts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyLife, type Life, lifeSamples, marksIn, PLAIN_LIFE } from '../../../../../test/kit/encoder-lives.ts';
import { Judge, setUp } from '../../../../../test/kit/hls-source.ts';
import { tsPackagerKind } from './ts-packager.ts';

/** Many more of them, and others each time. */
const LONG = process.env.ONAIR_LONG === '1';
/** How often the playlist is looked at, ms of the clock. */
const LOOK_MS = 170;

/** A stream as MPEG-TS, and who watches it. */
function watched() {
  const hub = setUp();
  const hls = hub.packager();
  const ts = hub.stream.packager(tsPackagerKind(hub.kinds.hls, hub.clock, () => ({ maxWaiters: 10 })));
  const judge = new Judge(() => ts.playlist()?.text);
  const faults = new Set<string>();
  /** Bytes by number, of every segment that was ever listed. */
  const fetched = new Map<number, Uint8Array>();
  const seen = new Set<string>();
  const player = { units: [] as TsUnit[], last: -1 };
  const inspector = new TsInspector((unit) => player.units.push(unit));

  const look = (): void => {
    const before = judge.versions.length;
    judge.look();
    if (judge.versions.length === before) return;
    const { segments, mediaSequence } = judge.last;
    for (const [i, { uri, gap, discontinuity }] of segments.entries()) {
      const msn = mediaSequence + i;
      if (gap === true) continue;
      const bytes = ts.segment(msn);
      if (typeof bytes === 'string') {
        faults.add(`${uri} is listed, and ${bytes}`);
        continue;
      }
      const known = fetched.get(msn);
      if (known !== undefined && known !== bytes) faults.add(`${uri} has changed`);
      if (known !== undefined) continue;
      fetched.set(msn, bytes);
      for (const { message } of checkTransportStream(uri, bytes)) faults.add(message);
      play(uri, msn, bytes, discontinuity);
    }
  };

  /** What a player that takes one segment after the other gets. */
  function play(uri: string, msn: number, bytes: Uint8Array, discontinuity: boolean): void {
    if (msn <= player.last) faults.add(`${uri} comes behind ${player.last}`);
    player.last = msn;
    inspector.push(bytes);
    const held = { v: [] as string[], a: [] as string[] };
    for (const { data } of player.units.splice(0))
      for (const mark of marksIn(data)) held[mark[0] as 'v' | 'a'].push(mark);
    for (const [name, marks] of [
      ['video', held.v],
      ['audio', held.a],
    ] as const) {
      for (const mark of marks) {
        if (seen.has(mark)) faults.add(`${uri}: ${mark} comes twice`);
        seen.add(mark);
      }
      const source = hls.rendition(name)?.segment(msn);
      const given = source === undefined ? [] : marksIn(source.bytes);
      if (given.join() !== marks.join()) faults.add(`${uri}: ${name} is not that of fragmented MP4: ${given[0]}… ${given.length}, ${marks[0]}… ${marks.length}`);
    }
    void discontinuity;
  }
  return { ...hub, hubFaults: hub.faults, hls, ts, judge, faults, look, inspector };
}

/** Publishes one life after the other. @returns what broke a rule. */
export function live(lives: readonly Life[]): string[] {
  const hub = watched();
  for (const [number, one] of lives.entries()) {
    let looked = Number.NEGATIVE_INFINITY;
    const publication = hub.publish(lifeSamples(one, number), () => {
      if (hub.clock.now() - looked < LOOK_MS) return;
      looked = hub.clock.now();
      hub.look();
    });
    hub.look();
    publication.close('gone');
    hub.look();
    hub.clock.advance(one.awayMs);
  }
  // Nothing is let go of while somebody asks.
  for (let seconds = 0; seconds < 120; seconds += 40) {
    hub.clock.advance(40_000);
    hub.look();
  }
  const report = hub.inspector.end();
  const { longestStep, backwards, discontinuities } = report.clock;
  if (longestStep > MAX_CLOCK_STEP * PCR_PER_TICK) hub.faults.add(`PCR ${longestStep}`);
  if (backwards > 0) hub.faults.add('PCR goes back');
  void discontinuities;
  return [...hub.faults, ...hub.judge.faults, ...report.faults.map(String), ...hub.hubFaults.map(String)];
}

describe('MPEG-TS of an encoder that is killed and comes back', () => {
  it('breaks no rule', () => {
    fc.assert(
      fc.property(fc.array(anyLife(), { minLength: 1, maxLength: 3 }), (lives) => {
        expect(live(lives)).toEqual([]);
      }),
      LONG ? { numRuns: 1000 } : { numRuns: 25, seed: 1 },
    );
  });
  it.each<[string, Partial<Life>]>([['nothing odd', {}]])('%s', (_, shape) => {
    expect(live([{ ...PLAIN_LIFE, ...shape }, PLAIN_LIFE])).toEqual([]);
  });
});
