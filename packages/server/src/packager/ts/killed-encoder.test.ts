import { checkTransportStream } from '@onair/media/hls';
import { MAX_CLOCK_STEP, PCR_PER_TICK, TsInspector, type TsUnit } from '@onair/media/mpegts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anyLife,
  type Life,
  lifeSamples,
  marksIn,
  PLAIN_LIFE,
} from '../../../../../test/kit/encoder-lives.ts';
import { Judge, setUp } from '../../../../../test/kit/hls-source.ts';
import { tsPackagerKind } from './ts-packager.ts';

/** `ONAIR_LONG=1` goes on for three minutes, with others each time. */
const LONG_MS = process.env.ONAIR_LONG === '1' ? 180_000 : 0;
const RUNS =
  LONG_MS > 0 ? { numRuns: 1_000_000, interruptAfterTimeLimit: LONG_MS } : { numRuns: 20, seed: 1 };
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
  /** Marks of segments that fragmented MP4 may not have whole yet, each with the name of the rendition. */
  const given = new Map<string, readonly string[]>();
  const player = { units: [] as TsUnit[], last: -1 };
  const inspector = new TsInspector((unit) => player.units.push(unit));

  const look = (): void => {
    const before = judge.versions.length;
    judge.look();
    for (const at of given.keys()) compare(at);
    if (judge.versions.length === before) return;
    const { segments, mediaSequence } = judge.last;
    for (const [i, { uri, gap }] of segments.entries()) {
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
      play(uri, msn, bytes);
    }
  };

  /** What a player gets that takes one segment after the other. */
  function play(uri: string, msn: number, bytes: Uint8Array): void {
    if (msn <= player.last) faults.add(`${uri} comes behind ${player.last}`);
    player.last = msn;
    inspector.push(bytes);
    const marks = player.units.splice(0).flatMap(({ data }) => marksIn(data));
    for (const mark of marks) {
      if (seen.has(mark)) faults.add(`${uri}: ${mark} comes twice`);
      seen.add(mark);
    }
    for (const name of ['video', 'audio']) {
      const own = marks.filter((mark) => mark.startsWith(name.charAt(0)));
      given.set(`${name} ${msn}`, own);
      compare(`${name} ${msn}`);
    }
  }

  /** What is in fragmented MP4 must be here, and nothing else. */
  function compare(at: string): void {
    const own = given.get(at)!;
    const [name, msn] = at.split(' ') as [string, string];
    const source = hls.rendition(name);
    if (source?.open?.boundary.msn === Number(msn)) return;
    given.delete(at);
    const wanted = marksIn(source?.segment(Number(msn))?.bytes ?? new Uint8Array(0));
    if (wanted.join() !== own.join())
      faults.add(`${at}: ${own.length} from ${own[0]}, not ${wanted.length} from ${wanted[0]}`);
  }

  /** What is wrong with all of it, one segment behind the other. */
  function report(): string[] {
    const { clock, faults: found, streams } = inspector.end();
    const far = clock.longestStep > MAX_CLOCK_STEP * PCR_PER_TICK;
    const said = judge.versions.flatMap(({ segments }) => segments.filter((one) => one.discontinuity));
    const most = new Set(said.map(({ uri }) => uri)).size;
    return [
      ...found.map(String),
      ...(far ? [`clock references ${clock.longestStep} apart`] : []),
      ...streams.flatMap(({ pid, margin }) => (margin > 0 ? [] : [`PID ${pid} comes ${-margin} ticks late`])),
      ...(clock.backwards > 0 ? [`clock references go back ${clock.backwards} times`] : []),
      ...(clock.discontinuities > most ? [`${clock.discontinuities} discontinuities, ${most} told`] : []),
    ];
  }
  return { ...hub, hubFaults: hub.faults, judge, faults, look, report };
}

/** Publishes one life after the other. @returns what broke a rule. */
function live(lives: readonly Life[]): string[] {
  const hub = watched();
  for (const [number, one] of lives.entries()) {
    let looked = Number.NEGATIVE_INFINITY;
    const each = (): void => {
      if (hub.clock.now() - looked < LOOK_MS) return;
      looked = hub.clock.now();
      hub.look();
    };
    const publication = hub.publish(lifeSamples(one, number), each, undefined, one.announced);
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
  return [...hub.faults, ...hub.judge.faults, ...hub.report(), ...hub.hubFaults.map(String)];
}

describe('MPEG-TS of an encoder that is killed and comes back', () => {
  it('loses nothing and brings nothing twice, whatever its tracks do', {
    timeout: 20_000 + 2 * LONG_MS,
  }, () => {
    fc.assert(
      fc.property(fc.array(anyLife(), { minLength: 1, maxLength: 4 }), (lives) => {
        expect(live(lives)).toEqual([]);
      }),
      RUNS,
    );
  });

  it.each<[string, readonly Partial<Life>[]]>([
    ['without pictures in between', [{}, { only: 'audio' }, {}]],
    ['without sound in between', [{}, { only: 'video' }, {}]],
    ['with pictures from the second time on', [{ only: 'audio' }, {}]],
    [
      'with sound that runs on alone for longer than a hole may last',
      [{ lastsMs: 14_000, stops: [11_500, 0] }, {}],
    ],
    [
      'with sound that stops, after one without pictures',
      [{ only: 'audio', lastsMs: 5000 }, {}, { lastsMs: 14_000, stops: [0, 11_000] }],
    ],
    ['with sound that stops long before its pictures', [{ stops: [0, 5000] }]],
    ['with other pictures in between', [{}, { codec: 'hevc', width: 1280 }, {}]],
    [
      'with dates that were reckoned before they were told',
      [{}, { late: [936, -650], lastsMs: 7613, hole: [988, 6090] }],
    ],
    [
      'with a clock that jumps before there is any sound',
      [{ hole: [2980, 4115], jump: [36_000_000, 5227], soundFrom: 6632 }, {}],
    ],
    [
      'with a clock that jumps back while there is no sound',
      [{ lastsMs: 12_519, from: 36_000_000, jump: [-4770, 5875], soundHole: [5753, 4937] }, {}],
    ],
    [
      'with a clock that jumps ahead of sound that comes late',
      [{ late: [1499, -1395], lastsMs: 5993, jump: [6077, 4432] }, {}],
    ],
    ['with sound that comes three seconds late', [{ lastsMs: 14_000, late: [-3000, -3000] }, {}]],
    [
      'with sound that runs on into the time of pictures that come late',
      [{ lastsMs: 14_000, late: [522, 4825], hole: [1817, 6048], gops: [11] }],
    ],
  ])('%s: the list goes on', (_, shapes) => {
    expect(live(shapes.map((shape) => ({ ...PLAIN_LIFE, ...shape })))).toEqual([]);
  });
});
