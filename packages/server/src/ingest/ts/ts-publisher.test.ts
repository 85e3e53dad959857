import { createHash } from 'node:crypto';
import { streamName, type TimedEvent } from '@onair/media';
import { id3OfEvent, id3TextTag } from '@onair/media/mpegts';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { TRACKS } from '../../../../../test/kit/mp4-tracks.ts';
import {
  remapped,
  SPLICE_EVENT,
  SPLICE_OUT,
  spliceIn,
  TS_VIDEO,
  tsFilm,
} from '../../../../../test/kit/ts-film.ts';
import { SessionTable, StreamRegistry } from '../../hub/index.ts';
import { cmafPackagerKind } from '../../packager/cmaf/index.ts';
import { MAX_BYTES_TO_PROGRAM, TsPublisher } from './ts-publisher.ts';

const NAME = streamName('live', 'test');

function setUp() {
  const clock = new FakeClock();
  const kind = cmafPackagerKind();
  const registry = new StreamRegistry({ clock, eager: [kind] });
  const sessions = new SessionTable(
    () => clock.wall(),
    () => String(Math.random()),
  );
  const log: string[] = [];
  const open = (revoked: (reason: string) => void = () => undefined): TsPublisher =>
    new TsPublisher(
      NAME,
      { protocol: 'http-ts', address: '127.0.0.1', identity: 'me', revoked },
      { registry, sessions, clock, log: (message) => log.push(message) },
    );
  const events = (): readonly TimedEvent[] => registry.find(NAME)!.events.between(0, Number.MAX_SAFE_INTEGER);
  const segments = (): { digest(): string } => {
    const hash = createHash('sha256');
    registry
      .find(NAME)!
      .packager(kind)
      .log.follow({
        appended: ({ kind: what, time, bytes }) => void hash.update(`${what} ${time}`).update(bytes),
        ended: () => undefined,
      });
    return { digest: () => hash.digest('hex') };
  };
  return { registry, sessions, open, events, segments, log };
}

const FILM = tsFilm({ seconds: 3, splices: [{ section: SPLICE_OUT, at: 2 }] });
const whole = new Uint8Array(Buffer.concat(FILM));

it('makes the same segments and events however the bytes are cut', () => {
  const made = (pieces: Iterable<Uint8Array>) => {
    const { open, segments, events } = setUp();
    const publisher = open();
    const { digest } = segments();
    for (const piece of pieces) publisher.push(piece);
    publisher.end('done');
    return { digest: digest(), events: events() };
  };
  const expected = made([whole]);
  expect(expected.events).toHaveLength(1);
  expect(made([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  for (let cut = 1; cut < whole.length; cut += 9_973) {
    expect(made([whole.subarray(0, cut), whole.subarray(cut)]), `cut at ${cut}`).toEqual(expected);
  }
});

it('puts splices onto the timeline, once however often they are sent, and joins the end of a break to its beginning', () => {
  const { open, events, registry } = setUp();
  const out = { section: SPLICE_OUT, at: 1.5 };
  const publisher = open();
  const back = { section: spliceIn(), at: 2.5 };
  for (const part of tsFilm({ seconds: 3, splices: [out, out, back] })) publisher.push(part);
  const [began, ended, ...more] = events();
  expect(more).toEqual([]);
  expect(began).toMatchObject({ name: 'scte35-out', duration: 60_293_567, splice: { kind: 'out' } });
  expect(began!.data).toEqual({ event: SPLICE_EVENT });
  expect(ended).toMatchObject({ name: 'scte35-in', duration: 0, splice: { kind: 'in', of: began!.id } });
  expect(ended!.time - began!.time).toBe(1_000_000);
  expect(began!.time).toBeGreaterThanOrEqual(1_500_000);
  // Whoever comes back and says it again has said it once.
  publisher.close('gone');
  const again = open();
  for (const part of tsFilm({ seconds: 3, splices: [out, back] })) again.push(part);
  expect(events()).toHaveLength(2);
  expect(registry.find(NAME)!.state).toBe('live');
});

it('goes on across the wrap of the clock, with the splice behind it', () => {
  const { open, events, registry } = setUp();
  const publisher = open();
  const from = Math.floor(2 ** 33 / 90_000) - 12;
  for (const part of tsFilm({ seconds: 4, from, splices: [{ section: SPLICE_OUT, at: 3 }] }))
    publisher.push(part);
  expect(events()[0]!.time).toBe(3_000_000);
  expect(registry.find(NAME)!.now).toBeGreaterThan(3_900_000);
  expect(registry.find(NAME)!.now).toBeLessThan(4_100_000);
});

it('joins what follows a jump of the clock, splices included', () => {
  const { open, events, registry } = setUp();
  const publisher = open();
  const tracks = { video: TS_VIDEO, audio: TRACKS.aac!, splices: true };
  for (const part of tsFilm({ seconds: 3, tracks })) publisher.push(part);
  const splices = [{ section: SPLICE_OUT, at: 2.5 }];
  for (const part of tsFilm({ seconds: 3, from: 5_000, splices })) publisher.push(part);
  for (const part of tsFilm({ seconds: 3, from: 100 })) publisher.push(part);
  expect(registry.find(NAME)!.now / 1_000_000).toBeCloseTo(9, 0);
  // The section came in front of the first picture behind the jump.
  const [splice] = events();
  expect(splice!.time / 1_000_000).toBeCloseTo(5.5, 1);
});

it('takes ID3 tags: its own events as they were, others as id3', () => {
  const { open, events } = setUp();
  const own: TimedEvent = { id: 'abc', name: 'quiz', time: 77, duration: 5, data: { a: 1 } };
  const tags = [
    { tag: id3OfEvent(own), at: 0.4 },
    { tag: id3TextTag({ description: 'title', value: 'ひとつ' }), at: 0.8 },
    { tag: Uint8Array.of(1, 2, 3), at: 0.9 },
  ];
  const publisher = open();
  for (const part of tsFilm({ seconds: 2, tags })) publisher.push(part);
  expect(events()).toMatchObject([
    { ...own, time: 400_000 },
    { name: 'id3', time: 800_000, data: { description: 'title', value: 'ひとつ' } },
  ]);
});

it('gives up with a named error, and leaves nothing behind', () => {
  const garbage = (): Uint8Array => new Uint8Array(MAX_BYTES_TO_PROGRAM + 1).fill(0x33);
  const unknown = remapped(
    remapped(
      Buffer.concat(tsFilm({ seconds: 1, tracks: { video: TS_VIDEO, audio: TRACKS.mp3! } })),
      0x1b,
      0x99,
    ),
    0x03,
    0x98,
  );
  const scrambled = whole.slice();
  for (let at = 376; at < scrambled.length; at += 188) scrambled[at + 3] = scrambled[at + 3]! | 0xc0;
  const cases: [Uint8Array, string][] = [
    [garbage(), 'TS_LIMIT'],
    [unknown, 'TS_CODEC_UNSUPPORTED'],
    [Buffer.concat(Array.from({ length: 8 }, () => scrambled)), 'TS_LIMIT'],
  ];
  for (const [bytes, code] of cases) {
    const { open, sessions, log } = setUp();
    const publisher = open();
    expect(() => publisher.push(bytes)).toThrow(expect.objectContaining({ code }));
    publisher.close('given up');
    expect(sessions.list()).toEqual([]);
    expect(log).toEqual(['publisher came', 'publisher left']);
  }
});

it('survives damage anywhere, and ends when the hub ends it', () => {
  const { open, registry, sessions } = setUp();
  const revoked: string[] = [];
  const publisher = open((reason) => revoked.push(reason));
  let state = 7;
  const damaged = whole.slice();
  for (let i = 0; i < 400; i++) {
    state = (state * 1_103_515_245 + 12_345) >>> 0;
    damaged[state % damaged.length] = state >>> 24;
  }
  publisher.push(damaged);
  publisher.push(whole);
  expect(registry.find(NAME)!.state).toBe('live');
  sessions.list()[0]!.close('kicked');
  expect(revoked).toEqual(['kicked']);
  expect(sessions.list()).toEqual([]);
  publisher.push(whole);
});
