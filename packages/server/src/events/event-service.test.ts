import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditRecord, decodeCueList, Field } from '@onair/contracts';
import { decodeEvent, type StreamName, streamName, type TimedEvent } from '@onair/media';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeClock } from '../../../../test/kit/fake-clock.ts';
import { audioTrack, programme, videoTrack } from '../../../../test/kit/samples.ts';
import { StreamRegistry } from '../hub/index.ts';
import { AuditLog } from './audit-log.ts';
import { CueFile, FIRST_CUES } from './cue-file.ts';
import { EventService } from './event-service.ts';
import { voteByMethod } from './poll-method.ts';

const LIVE = streamName('live', 'test');
const OPERATOR = { by: 'operator', address: '127.0.0.1' };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onair-events-'));
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

/** A service with `live/test`, on air or not. @param wall ms since 1970 when it begins */
function setUp(wall?: number, onAir = true) {
  const clock = new FakeClock();
  if (wall !== undefined) clock.advance(wall - clock.wall());
  const registry = new StreamRegistry({ clock });
  const publish = (): void => {
    const publication = registry.publish(LIVE, { protocol: 'test', revoked: () => undefined });
    const tracks = [videoTrack(), audioTrack()] as const;
    for (const track of tracks) publication.setTrack(track);
    for (const sample of programme(...tracks, 2, 25, 7000)) publication.push(sample);
  };
  if (onAir) publish();
  const stream = registry.open(LIVE);
  stream.attach();
  const heard: TimedEvent[] = [];
  stream.subscribe({
    cut: () => undefined,
    state: () => undefined,
    sample: ({ track, data }) => {
      if (track.parameters.kind === 'data') heard.push(decodeEvent(data)!);
    },
  });
  const service = new EventService({
    registry,
    folder,
    timeAt: (_, wallMs) => stream.now + (wallMs - clock.wall()) * 1000,
    log: () => undefined,
    wall: () => clock.wall(),
  });
  const fire = (request: object, name: StreamName = LIVE) => service.fire(name, new Field(request), OPERATOR);
  /** Moves on by seconds, with a look of every timer each half second. */
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds * 2; i++) {
      clock.advance(500);
      vi.advanceTimersByTime(500);
    }
  };
  return { clock, registry, stream, heard, service, fire, pass, publish };
}

const codeOf = (action: () => unknown): unknown => {
  try {
    action();
    return 'none';
  } catch (error) {
    return (error as { code?: unknown; fault?: { path: string } }).code ?? (error as Error).name;
  }
};
const actions = (service: EventService): string[] =>
  service.records.map(({ action, event }) => `${action} ${event.name}`);

describe('schedule', () => {
  it('holds what is far back until shortly before its time', () => {
    const { clock, fire, heard, service, pass } = setUp();
    fire({ id: 'near', name: 'near', after: 3 });
    expect(heard.map(({ id }) => id)).toEqual(['near']);
    fire({ id: 'far', name: 'far', wall: clock.wall() + 60_000, data: { a: 1 } });
    expect(service.scheduled).toMatchObject([
      { stream: LIVE, by: 'operator', of: 'wall', event: { id: 'far' } },
    ]);
    pass(49);
    expect(heard).toHaveLength(1);
    pass(2);
    expect(heard.map(({ id }) => id)).toEqual(['near', 'far']);
    expect(service.scheduled).toEqual([]);
    expect(actions(service)).toEqual(['fire far', 'schedule far', 'fire near']);
    service.close();
  });

  it('gives back what is cancelled in time, and nothing else', () => {
    const { fire, heard, service, pass } = setUp();
    fire({ id: 'a', name: 'a', after: 60 });
    fire({ id: 'a', name: 'b', after: 90 });
    expect(service.scheduled.map(({ event }) => event.name)).toEqual(['b']);
    expect(service.cancel(LIVE, 'a', OPERATOR)).toBe(true);
    expect(service.cancel(LIVE, 'a', OPERATOR)).toBe(false);
    pass(100);
    expect(heard).toEqual([]);
    expect(service.records[0]).toMatchObject({ action: 'cancel', event: { name: 'b' } });
    service.close();
  });

  it('tells what failed, and refuses what is too far or too much', () => {
    const { clock, fire, service, pass } = setUp();
    const nobody = streamName('live', 'nobody');
    fire({ name: 'x', wall: clock.wall() + 20_000 }, nobody);
    pass(30);
    expect(service.records[0]).toMatchObject({ action: 'fail', stream: nobody });
    expect(codeOf(() => fire({ name: 'x', after: 60 }, nobody))).toBe('EVENT_OFF_AIR');
    expect(codeOf(() => fire({ name: 'x', wall: clock.wall() + 86_500_000 }))).toBe('EVENT_TIME');
    for (let i = 0; i < 512; i++) fire({ name: 'x', wall: clock.wall() + 60_000 });
    expect(codeOf(() => fire({ name: 'x', after: 60 }))).toBe('EVENT_LIMIT');
    service.close();
  });
});

describe('questions', () => {
  const quiz = {
    id: 'q',
    name: 'quiz',
    duration: 20,
    data: { question: 'Which?', choices: ['a', 'b'], correct: 1 },
  };

  it('go out without the right answer, take one answer of each viewer, and tell the result', () => {
    const { fire, heard, service, pass } = setUp();
    fire(quiz);
    expect(heard[0]!.data).toEqual({ question: 'Which?', choices: ['a', 'b'] });
    const viewer = (token: string) => ({ token, address: '192.0.2.1' });
    expect(service.vote(LIVE, 'q', 1, viewer('one')).counts).toEqual([0, 1]);
    const after = service.vote(LIVE, 'q', 0, viewer('two'));
    expect(after).toMatchObject({ counts: [1, 1], closed: false });
    expect(after).not.toHaveProperty('correct');
    expect(service.polls(false)[0]).not.toHaveProperty('correct');
    expect(service.polls(true)[0]).toMatchObject({ correct: 1 });
    expect(codeOf(() => service.vote(LIVE, 'q', 0, viewer('one')))).toBe('ALREADY_ANSWERED');
    expect(codeOf(() => service.vote(LIVE, 'q', 2, viewer('three')))).toBe('POLL_NOT_FOUND');
    expect(codeOf(() => service.vote(LIVE, 'r', 0, viewer('three')))).toBe('POLL_NOT_FOUND');
    // Its 20 s, and some more for those who see it late.
    pass(30);
    expect(service.polls(false)[0]!.closed).toBe(false);
    pass(10);
    expect(codeOf(() => service.vote(LIVE, 'q', 0, viewer('three')))).toBe('POLL_CLOSED');
    expect(heard.at(-1)).toMatchObject({
      name: 'poll-result',
      data: { poll: 'q', counts: [1, 1], correct: 1 },
    });
    expect(service.records[0]).toMatchObject({ action: 'close', by: 'server' });
    service.close();
  });

  it('are ended once by the operator', () => {
    const { fire, heard, service } = setUp();
    fire({ ...quiz, name: 'poll', duration: 0, data: { question: '?', choices: ['a', 'b', 'c'] } });
    expect(service.endPoll(LIVE, 'q', OPERATOR)).toMatchObject({ closed: true, counts: [0, 0, 0] });
    expect(service.endPoll(LIVE, 'q', OPERATOR)).toMatchObject({ closed: true });
    expect(service.endPoll(LIVE, 'r', OPERATOR)).toBeUndefined();
    expect(heard.filter(({ name }) => name === 'poll-result')).toHaveLength(1);
    // The same id once more is the same event: it does not begin anew.
    fire({ ...quiz, name: 'poll', data: { question: '?', choices: ['a', 'b'] } });
    expect(service.polls(true)).toHaveLength(1);
    service.close();
  });

  it('are refused if they are none', () => {
    const { fire, service } = setUp();
    const data = (more: object) => () => fire({ ...quiz, data: { ...quiz.data, ...more } });
    expect(codeOf(data({ choices: ['a'] }))).toBe('DecodeError');
    expect(codeOf(data({ choices: ['a', ' '] }))).toBe('DecodeError');
    expect(codeOf(data({ choices: Array(9).fill('a') }))).toBe('DecodeError');
    expect(codeOf(data({ correct: 2 }))).toBe('DecodeError');
    expect(codeOf(data({ question: 'x'.repeat(301) }))).toBe('DecodeError');
    // Without choices it is an event like any other.
    expect(codeOf(() => fire({ name: 'poll', data: { question: 1 } }))).toBe('none');
    expect(service.polls(true)).toEqual([]);
    service.close();
  });

  it('have limits for one address and for all', () => {
    const { fire, service, clock } = setUp();
    for (let i = 0; i < 64; i++) {
      clock.advance(100);
      fire({ ...quiz, id: `q${i}` });
    }
    clock.advance(100);
    expect(codeOf(() => fire(quiz))).toBe('EVENT_LIMIT');
    for (let i = 0; i < 250; i++) service.vote(LIVE, 'q1', 0, { token: `t${i}`, address: '192.0.2.1' });
    const vote = (address: string) => () => service.vote(LIVE, 'q1', 0, { token: 'more', address });
    expect(codeOf(vote('192.0.2.1'))).toBe('LIMIT_REACHED');
    expect(codeOf(vote('192.0.2.2'))).toBe('none');
    service.close();
  });

  it('are answered by a method too', () => {
    const { fire, service } = setUp();
    fire(quiz);
    const client = { id: 'c1', app: 'live', address: '192.0.2.1', transport: 'websocket' };
    const vote = (...args: unknown[]) => voteByMethod(service, client, args);
    const byHttp = (...args: unknown[]) => voteByMethod(service, { ...client, transport: 'http' }, args);
    expect(vote('test', 'q', 0)).toEqual({ counts: [1, 0] });
    expect(() => vote('test', 'q', 0)).toThrow('ALREADY_ANSWERED');
    expect(() => byHttp('test', 'q', 0)).toThrow('token');
    expect(byHttp('test', 'q', 1, 'a'.repeat(16))).toEqual({ counts: [1, 1] });
    for (const args of [[], ['test'], ['test', 'q'], ['test', 5, 0], ['../x', 'q', 0], ['test', 'q', -1]])
      expect(() => vote(...args)).toThrow();
    service.close();
  });
});

describe('log of events', () => {
  const record = (n: number, data: unknown = null): AuditRecord => ({
    action: 'fire',
    stream: LIVE,
    event: { id: `e${n}`, name: 'n', time: n, duration: 0, data },
    ...OPERATOR,
    at: n,
  });
  const open = (maxFile = 100_000) =>
    new AuditLog({
      folder,
      maxFile,
      failed: (error) => {
        throw error;
      },
    });

  it('outlives the process, a crash in the middle of a line, and a line that somebody broke', async () => {
    const log = open();
    for (let i = 0; i < 3; i++) log.add(record(i, { i }));
    await log.close();
    const path = join(folder, 'event-log.jsonl');
    truncateSync(path, statSync(path).size - 5);
    const next = open();
    expect(next.records.map(({ at }) => at)).toEqual([1, 0]);
    next.add(record(9));
    await next.close();
    writeFileSync(path, `not JSON\n{"a":1}\n${readFileSync(path, 'utf8')}`);
    const last = open();
    expect(last.records.map(({ at }) => at)).toEqual([9, 1, 0]);
    await last.close();
  });

  it('keeps to its size, on disk and in memory', async () => {
    const log = open(20_000);
    for (let i = 0; i < 700; i++) log.add(record(i, 'x'.repeat(i % 7 === 0 ? 50_000 : 10)));
    await log.close();
    for (const name of ['event-log.jsonl', 'event-log.1.jsonl'])
      expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(20_000);
    expect(log.records).toHaveLength(500);
    expect(log.records.every(({ event }) => JSON.stringify(event).length < 5000)).toBe(true);
    expect(open(20_000).records[0]!.at).toBe(699);
  });
});

it('cue buttons are kept, and refused if they are none', async () => {
  const file = new CueFile(folder);
  expect(file.cues).toBe(FIRST_CUES);
  expect(decodeCueList({ cues: FIRST_CUES }).cues).toEqual(FIRST_CUES);
  const cue = { id: 'a', name: 'goal', form: 'plain', duration: 1, data: { x: [1] } } as const;
  await file.set([cue]);
  expect(new CueFile(folder).cues).toEqual([cue]);
  const faulty = (more: object) => codeOf(() => decodeCueList({ cues: [{ ...cue, ...more }] }));
  expect(faulty({ id: 'a b' })).toBe('DecodeError');
  expect(faulty({ name: 'a"' })).toBe('DecodeError');
  expect(faulty({ key: '!' })).toBe('DecodeError');
  expect(faulty({ more: 1 })).toBe('DecodeError');
  expect(faulty({ data: 'x'.repeat(20_000) })).toBe('DecodeError');
  expect(codeOf(() => decodeCueList({ cues: [cue, cue] }))).toBe('DecodeError');
  writeFileSync(join(folder, 'cues.json'), '{');
  expect(() => new CueFile(folder)).toThrow('damaged');
});

describe('what outlives a restart', () => {
  it('is the schedule, as dates, and the questions with their answers', async () => {
    const first = setUp();
    first.fire({ id: 'far', name: 'cm-in', wall: first.clock.wall() + 60_000, data: { a: 1 }, duration: 30 });
    first.fire({ id: 'place', name: 'cm-out', after: 120 });
    first.fire({ id: 'gone', name: 'x', after: 200 });
    first.service.cancel(LIVE, 'gone', OPERATOR);
    first.fire({ id: 'quiz', name: 'quiz', data: { question: 'Which?', choices: ['a', 'b'], correct: 1 } });
    const voter = (token: string) => ({ token, address: '192.0.2.1' });
    first.service.vote(LIVE, 'quiz', 1, voter('one'));
    first.service.vote(LIVE, 'quiz', 0, voter('two'));
    await first.service.close();
    const second = setUp(first.clock.wall() + 5_000);
    const due = second.service.scheduled.map((one) => [one.event.id, one.due! - first.clock.wall()]);
    expect(due).toEqual([
      ['far', 60_000],
      ['place', 120_000],
    ]);
    expect(second.service.polls(true)).toMatchObject([
      { id: 'quiz', counts: [1, 1], correct: 1, closed: false },
    ]);
    expect(codeOf(() => second.service.vote(LIVE, 'quiz', 0, voter('two')))).toBe('ALREADY_ANSWERED');
    second.service.vote(LIVE, 'quiz', 1, voter('three'));
    second.pass(60);
    expect(second.heard.map(({ id, name, data, duration }) => ({ id, name, data, duration }))).toEqual([
      { id: 'far', name: 'cm-in', data: { a: 1 }, duration: 30_000_000 },
    ]);
    await second.service.close();
    const third = setUp(second.clock.wall());
    expect(third.service.polls(true)[0]?.counts).toEqual([1, 2]);
    expect(third.service.scheduled.map(({ event }) => event.id)).toEqual(['place']);
    await third.service.close();
  });

  it('is not what was due while the server was away, and the log tells', async () => {
    const first = setUp();
    first.fire({ id: 'missed', name: 'cm-in', after: 60 });
    await first.service.close();
    const second = setUp(first.clock.wall() + 100_000, false);
    second.pass(1);
    expect([second.service.scheduled, actions(second.service)[0]]).toEqual([[], 'fail cm-in']);
    await second.service.close();
  });

  it('waits for a publisher that comes in time', async () => {
    const first = setUp();
    first.fire({ id: 'soon', name: 'cm-in', after: 20 });
    await first.service.close();
    const second = setUp(first.clock.wall() + 12_000, false);
    second.pass(2);
    expect(second.service.scheduled).toHaveLength(1);
    second.publish();
    second.pass(1);
    expect([second.service.scheduled, second.heard.map(({ id }) => id)]).toEqual([[], ['soon']]);
    await second.service.close();
  });

  it('is nothing where the file is damaged, and the service begins', async () => {
    for (const text of [
      '{',
      '[]',
      '{"schedule":[{}],"polls":[]}',
      '{"schedule":[],"polls":[{"stream":"a/b"}]}',
    ]) {
      writeFileSync(join(folder, 'operator.json'), text);
      const { service, fire } = setUp();
      expect(service.scheduled).toEqual([]);
      fire({ id: 'far', name: 'x', after: 60 });
      await service.close();
      expect(JSON.parse(readFileSync(join(folder, 'operator.json'), 'utf8')).schedule).toHaveLength(1);
      expect(readFileSync(join(folder, 'operator.json.damaged'), 'utf8')).toBe(text);
    }
  });
});
