import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TimedEvent } from '@onair/media';
import { AmfEcmaArray, type AmfValue } from '@onair/media/amf';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  dashEvents,
  type EventReceiver,
  flvEvents,
  llhlsEvents,
  rtmpEvents,
  socketEvents,
  tsEvents,
  whepEvents,
} from '../kit/event-receivers.ts';
import { Scope, startPublisher, until } from '../kit/index.ts';
import { RtmpTestClient } from '../kit/rtmp-client.ts';
import { audioTrack, programme, videoTrack } from '../kit/samples.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

/** A `splice_null` section. SCTE 35 §14.1. */
const SECTION = 'fc301100000000000000ffffff0000004f253396';
/** What a picture may lie off its place on the timelines of outputs that count in ms or in frames, µs. */
const FRAME_US = 34_000;

async function fire(server: TestServer, stream: string, request: object): Promise<TimedEvent> {
  const answer = await fetch(`${server.http}/api/v1/streams/${stream}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  expect([answer.status, answer.ok ? '' : await answer.clone().text()]).toEqual([201, '']);
  return (await answer.json()) as TimedEvent;
}

async function everyOutput(server: TestServer, stream: string): Promise<EventReceiver[]> {
  const base = `${server.http}/${stream}`;
  const { parts, ranges } = llhlsEvents(scope, base);
  return [
    rtmpEvents(scope, `${server.rtmp}/${stream}`),
    flvEvents(scope, `${base}.flv`),
    socketEvents(scope, `${server.ws}/${stream}.fmp4`),
    parts,
    ranges,
    tsEvents(scope, base),
    dashEvents(scope, base),
    await whepEvents(scope, `${base}/whep`),
  ];
}

describe('one press of a cue', () => {
  it('is received once by every output, at its place in the stream', async () => {
    const server = await startTestServer(scope);
    await startPublisher(scope, { url: `${server.rtmp}/live/cue`, gopSeconds: 1 });
    await until(async () => (await fetch(`${server.http}/live/cue/manifest.mpd`)).ok, { timeoutMs: 20_000 });
    const receivers = await everyOutput(server, 'live/cue');
    const [rtmp, flv, socket] = receivers as [EventReceiver, EventReceiver, EventReceiver];
    // All of them follow once they have got this one, which goes on until they have.
    const early = await fire(server, 'live/cue', { name: 'early', duration: 600 });
    for (const receiver of receivers) await receiver.wait(early.id, 60_000);

    const pressed = performance.now();
    const data = { label: '<b>CM</b>', 文字: [1, 2.5, true, null, { deep: 'x' }] };
    const cue = await fire(server, 'live/cue', {
      name: 'cm-in',
      data,
      duration: 30,
      scte35: { kind: 'out', section: SECTION },
    });
    const ahead = await fire(server, 'live/cue', { name: 'quiz', after: 3, data: { question: 1 } });
    const rows: string[] = [];
    for (const receiver of receivers) {
      const got = await receiver.wait(cue.id, 60_000);
      expect({ ...got, at: 0, time: 0 }, receiver.output).toEqual({
        id: cue.id,
        name: 'cm-in',
        data,
        at: 0,
        time: 0,
        splice: SECTION,
      });
      const skew = got.time - cue.time;
      rows.push(
        `${receiver.output.padEnd(14)} ${(got.at - pressed).toFixed(0).padStart(6)} ms ${(skew / 1000).toFixed(1)} ms`,
      );
      expect(Math.abs(skew), receiver.output).toBeLessThanOrEqual(FRAME_US);
    }
    console.log(`delay and skew of an event fired now\n${rows.join('\n')}`);
    for (const receiver of receivers) {
      const got = await receiver.wait(ahead.id, 60_000);
      expect(Math.abs(got.time - ahead.time), receiver.output).toBeLessThanOrEqual(FRAME_US);
    }
    // By RTMP and FLV it came with the media; by WebSocket at once, so that the player can be ready for it.
    const lead = socket.events.get(cue.id)!.at;
    expect(rtmp.events.get(ahead.id)!.at - lead).toBeGreaterThan(1500);
    expect(socket.events.get(ahead.id)!.at).toBeLessThan(rtmp.events.get(ahead.id)!.at);
    for (const receiver of [rtmp, flv, socket]) {
      expect([...receiver.times], receiver.output).toEqual([
        [early.id, 1],
        [cue.id, 1],
        [ahead.id, 1],
      ]);
    }

    // Who comes late is told what goes on, and nothing that is over.
    const late = [
      rtmpEvents(scope, `${server.rtmp}/live/cue`),
      flvEvents(scope, `${server.http}/live/cue.flv`),
      socketEvents(scope, `${server.ws}/live/cue.fmp4`),
    ];
    for (const receiver of late) {
      await receiver.wait(cue.id, 60_000);
      expect([...receiver.times.values()].every((count) => count === 1)).toBe(true);
      expect(receiver.events.has(early.id)).toBe(true);
    }
    // The same id once more is the same event.
    expect(await fire(server, 'live/cue', { id: cue.id, name: 'other' })).toEqual(cue);
    const log = await (await fetch(`${server.http}/api/v1/streams/live/cue/events`)).json();
    expect(log.events.map(({ name }: TimedEvent) => name)).toContain('early');
  }, 240_000);

  it('comes from the publisher as a data message, and over a WebSocket', async () => {
    const server = await startTestServer(scope, { demo: 'true' });
    const publisher = new RtmpTestClient(server.ports.rtmp!, { intent: 'publish', name: 'data' });
    scope.defer(() => publisher.stop());
    await until(() => publisher.ready, { message: 'publishing' });
    const tracks = [videoTrack(), audioTrack()] as const;
    publisher.publish(tracks, programme(...tracks, 2));
    await until(() =>
      server.registry.list().some(({ name, state }) => name === 'live/data' && state === 'live'),
    );
    const socket = socketEvents(scope, `${server.ws}/live/data.fmp4`);
    const say = (name: string, ...values: AmfValue[]): void => {
      publisher.session.sendData(2000, name, values);
      publisher.flush();
    };
    say('onCuePoint', new AmfEcmaArray({ name: 'cm', time: 2, type: 'event', parameters: { a: 1 } }));
    say('onTextData', { text: 'hello' });
    say('onAdCue', {
      type: 'SCTE-35',
      cue: Buffer.from(SECTION, 'hex').toString('base64'),
      duration: 5,
    });
    say('madeUp', 1, 'two');
    say('onStatus', {});
    await until(() => socket.events.size >= 4, {
      message: () => `events ${[...socket.events.values()].map(({ name }) => name)}`,
    });
    const heard = [...socket.events.values()].map(({ name, data, splice }) => ({ name, data, splice }));
    expect(heard).toEqual([
      { name: 'cm', data: { a: 1 }, splice: undefined },
      { name: 'onTextData', data: [{ text: 'hello' }], splice: undefined },
      { name: 'onAdCue', data: null, splice: SECTION },
      { name: 'madeUp', data: [1, 'two'], splice: undefined },
    ]);

    const operator = new WebSocket(`${server.ws}/api/v1/streams/live/demo/events`);
    scope.defer(() => operator.terminate());
    const answers: { type: string; ref?: unknown; code?: string; event?: TimedEvent }[] = [];
    operator.on('message', (text) => answers.push(JSON.parse(String(text))));
    await new Promise((resolve) => operator.once('open', resolve));
    operator.send(JSON.stringify({ ref: 1, name: 'go' }));
    operator.send(JSON.stringify({ ref: 2, name: '' }));
    operator.send('{');
    await until(() => answers.length >= 4, { message: () => JSON.stringify(answers) });
    expect(answers.map(({ type, ref, code }) => [type, ref, code])).toEqual([
      ['event', undefined, undefined],
      ['accepted', 1, undefined],
      ['refused', 2, 'INVALID_FIELD'],
      ['refused', undefined, 'BAD_REQUEST'],
    ]);
    expect(answers[1]!.event).toEqual(answers[0]!.event);
  });

  it('asks viewers, who answer by HTTP and by method, and the log of it outlives the server', async () => {
    const server = await startTestServer(scope, { demo: 'true' });
    await until(() => server.registry.list().some(({ state }) => state === 'live'));
    const socket = socketEvents(scope, `${server.ws}/live/demo.fmp4`);
    const data = { question: 'Which?', choices: ['a', 'b'], correct: 1 };
    const quiz = await fire(server, 'live/demo', { name: 'quiz', duration: 60, data });
    expect((await socket.wait(quiz.id)).data).toEqual({ question: 'Which?', choices: ['a', 'b'] });
    const token = server.freshToken;
    const ask = async (
      method: string,
      path: string,
      body?: object,
    ): Promise<[number, { counts?: number[] }]> => {
      const answer = await fetch(`${server.http}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return [answer.status, answer.status === 204 ? {} : await answer.json()];
    };
    const poll = `/streams/live/demo/polls/${quiz.id}`;
    const vote = (voter: string, choice: number) => ask('POST', `${poll}/votes`, { voter, choice });
    expect((await vote('a'.repeat(16), 1))[0]).toBe(201);
    expect((await vote('a'.repeat(16), 0))[0]).toBe(409);
    expect((await vote('short', 0))[0]).toBe(400);
    const rpc = new WebSocket(`${server.ws}/rpc/live`);
    scope.defer(() => rpc.terminate());
    const told: unknown[] = [];
    rpc.on('message', (text) => told.push(JSON.parse(String(text))));
    await new Promise((resolve) => rpc.once('open', resolve));
    for (const id of [1, 2]) rpc.send(JSON.stringify({ call: 'onair.vote', args: ['demo', quiz.id, 0], id }));
    await until(() => told.length === 2);
    expect(told).toEqual([
      { id: 1, result: { counts: [1, 1] } },
      { id: 2, error: { code: 'METHOD_FAILED', detail: expect.stringContaining('ALREADY_ANSWERED') } },
    ]);
    expect(await ask('POST', `${poll}/end`)).toMatchObject([200, { counts: [1, 1], correct: 1 }]);
    await until(() => [...socket.events.values()].some(({ name }) => name === 'poll-result'));

    const far = await fire(server, 'live/demo', { name: 'far', wall: Date.now() + 600_000 });
    expect((await ask('DELETE', `/streams/live/demo/schedule/${far.id}`))[0]).toBe(204);
    await server.close();
    const log = readFileSync(join(server.data, 'event-log.jsonl'), 'utf8').trim().split('\n');
    expect(log.map((line) => JSON.parse(line)).map(({ action, event }) => [action, event.name])).toEqual([
      ['fire', 'quiz'],
      ['close', 'poll-result'],
      ['schedule', 'far'],
      ['cancel', 'far'],
    ]);
  });

  it('does no harm when it is hostile', async () => {
    const server = await startTestServer(scope, { demo: 'true' });
    await until(async () => (await fetch(`${server.http}/live/demo/index.m3u8`)).ok, { timeoutMs: 20_000 });
    const ask = async (body: string, path = 'live/demo', headers = {}): Promise<[number, string]> => {
      const answer = await fetch(`${server.http}/api/v1/streams/${path}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
      return [answer.status, ((await answer.json()) as { code?: string }).code ?? ''];
    };
    const year = JSON.stringify({ name: 'x', time: 365 * 86_400 });
    expect(await ask(year)).toEqual([400, 'INVALID_FIELD']);
    expect(await ask(JSON.stringify({ name: 'x', wall: Date.now() + 1e8 }))).toEqual([400, 'INVALID_FIELD']);
    expect(await ask(JSON.stringify({ name: 'x', time: 0, after: 1 }))).toEqual([400, 'INVALID_FIELD']);
    expect(await ask(JSON.stringify({ name: 'a"b' }))).toEqual([400, 'INVALID_FIELD']);
    expect(await ask(JSON.stringify({ name: 'x', scte35: { kind: 'out', section: 'fc' } }))).toEqual([
      400,
      'INVALID_FIELD',
    ]);
    expect(await ask(JSON.stringify({ name: 'x', data: 'y'.repeat(70_000) }))).toEqual([
      409,
      'LIMIT_REACHED',
    ]);
    expect(await ask(JSON.stringify({ name: 'x', data: 'y'.repeat(10_000_000) }))).toEqual([
      413,
      'BODY_TOO_LARGE',
    ]);
    expect(await ask('{"__proto__":{"name":"x"}}')).toEqual([400, 'BAD_REQUEST']);
    expect(await ask('{"name":"x"}', 'live/nobody')).toEqual([409, 'STREAM_OFF_AIR']);
    expect(await ask('{"name":"x"}', 'live/demo', { origin: 'http://evil.example' })).toEqual([
      403,
      'ORIGIN_REFUSED',
    ]);
    expect((await ask(JSON.stringify({ name: 'big', data: '文'.repeat(20_000) })))[0]).toBe(201);
    const { registry } = server;
    await until(() => registry.list().some(({ now }) => now > 1_500_000), { message: '1.5 s of media' });
    // What lies in the past is for now; a flood is cut off at twenty a second.
    const past = await fire(server, 'live/demo', { name: 'past', time: 0 });
    expect(past.time).toBeGreaterThan(0);
    const socket = new WebSocket(`${server.ws}/api/v1/streams/live/demo/events`);
    scope.defer(() => socket.terminate());
    const answers: { type: string; code?: string }[] = [];
    socket.on('message', (text) => answers.push(JSON.parse(String(text))));
    await new Promise((resolve) => socket.once('open', resolve));
    for (let i = 0; i < 200; i++) socket.send('{"name":"flood"}');
    const told = () => answers.filter(({ type }) => type !== 'event');
    await until(() => told().length === 200, { timeoutMs: 60_000, message: 'answers to a flood' });
    const refused = told().filter(({ type }) => type === 'refused');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ code }) => code === 'EVENT_RATE')).toBe(true);
  });
});
