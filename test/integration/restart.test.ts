import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  expectNoChildren,
  ffprobeUrl,
  followHls,
  type HlsFollower,
  Publisher,
  type PublisherOptions,
  playWithFfmpeg,
  Scope,
  seams,
  seenFurther,
  startPublisher,
  startTestServer,
  type TestServer,
  until,
  watchAll,
  witnesses,
} from '../kit/index.ts';

const FPS = 25;
/** Longest step of media time where one publisher ends and the next begins: stream time stands still in between. */
const SEAM_MS = 150;

let scope = new Scope();
afterEach(async () => {
  const closing = scope;
  scope = new Scope();
  await closing.close();
});
afterAll(() => expectNoChildren());

function encoder(server: TestServer, more: Partial<PublisherOptions> = {}): PublisherOptions {
  return { url: `${server.rtmp}/live/show`, fps: FPS, gopSeconds: 1, bFrames: 2, ...more };
}

interface Told {
  readonly state: string;
  readonly epoch: number;
  readonly reconnectDeadline?: number;
}

async function told(server: TestServer): Promise<Told> {
  const response = await fetch(`${server.http}/api/v1/streams/live/show`);
  return (await response.json()) as Told;
}

async function stateIs(server: TestServer, state: string): Promise<void> {
  await until(async () => (await told(server)).state === state, { message: `the stream is ${state}` });
}

describe('an encoder that crashes and comes back within the window', () => {
  it('with the same parameters: every viewer goes on, in the same epoch', async () => {
    const server = await startTestServer(scope);
    const first = await startPublisher(scope, encoder(server));
    const viewers = watchAll(scope, server, 'live/show');
    const all = witnesses(viewers);
    await seenFurther(all, 2_000);
    const decoded = playWithFfmpeg(`${server.rtmp}/live/show`, 8, { timeoutMs: 60_000 });
    const overHttp = playWithFfmpeg(`${server.http}/live/show.flv`, 8, { timeoutMs: 60_000 });
    await seenFurther(all, 2_000);
    await first.kill();
    await stateIs(server, 'waiting');
    expect((await told(server)).reconnectDeadline).toBeGreaterThan(Date.now());
    await startPublisher(scope, encoder(server));
    await seenFurther(all, 4_000);
    await stateIs(server, 'live');

    for (const witness of all) {
      expect(witness.faults, witness.name).toEqual([]);
      for (const seam of seams(witness, FPS)) expect(seam, witness.name).toBeLessThan(SEAM_MS);
      expect(new Set(witness.setups).size, witness.name).toBe(2);
    }
    const { fmp4, rtmp } = viewers;
    expect(fmp4.notes).toEqual(['hello live', 'epoch 1', 'state waiting', 'state live']);
    expect(fmp4.chunks.filter(({ discontinuity }) => discontinuity).map(({ track }) => track)).toEqual([
      1, 2, 1, 2,
    ]);
    expect((await told(server)).epoch).toBe(1);
    expect(rtmp.notes.filter((note) => note.startsWith('status'))).toEqual(['status NetStream.Play.Reset']);
    for (const report of [await decoded, await overHttp]) {
      expect(report.errors).toEqual([]);
      expect(report.frames).toBeGreaterThan(7 * FPS);
      expect(report.audioMs).toBeGreaterThan(7_000);
    }
  });

  it('with another picture size and sampling rate: a new epoch, with new set-ups in front of it', async () => {
    const server = await startTestServer(scope);
    const first = await startPublisher(scope, encoder(server));
    const viewers = watchAll(scope, server, 'live/show');
    const all = witnesses(viewers);
    await seenFurther(all, 2_000);
    await first.kill();
    await stateIs(server, 'waiting');
    await startPublisher(scope, encoder(server, { size: '480x270', audio: { sampleRate: 48_000 } }));
    await seenFurther(all, 3_000);

    for (const witness of all) {
      expect(witness.faults, witness.name).toEqual([]);
      for (const seam of seams(witness, FPS)) expect(seam, witness.name).toBeLessThan(SEAM_MS);
      expect(new Set(witness.setups).size, witness.name).toBe(4);
      expect(witness.setups, witness.name).toHaveLength(4);
    }
    const { fmp4 } = viewers;
    expect(fmp4.epochs).toEqual([1, 2]);
    expect(fmp4.notes).toEqual(['hello live', 'epoch 1', 'state waiting', 'state live', 'epoch 2']);
    expect((await told(server)).epoch).toBe(2);
    const late = watchAll(scope, server, 'live/show');
    await seenFurther(witnesses(late), 1_000);
    for (const witness of witnesses(late)) expect(witness.faults, witness.name).toEqual([]);
    expect(late.fmp4.epochs).toEqual([2]);
  });

  it('without its sound, and later with it again', async () => {
    const server = await startTestServer(scope);
    const first = await startPublisher(scope, encoder(server));
    const viewers = watchAll(scope, server, 'live/show');
    const all = witnesses(viewers);
    await seenFurther(all, 1_500);
    await first.kill();
    await stateIs(server, 'waiting');
    const before = all.map((witness) => witness.audio.length);
    const silent = await startPublisher(scope, encoder(server, { audio: false }));
    await seenFurther(all, 2_000);
    const heard = all.map((witness) => witness.audio.length);
    // Silence, without which players would stand still.
    for (const [i, { name }] of all.entries()) expect(heard[i]! - before[i]!, name).toBeGreaterThan(60);
    await silent.kill();
    await stateIs(server, 'waiting');
    await startPublisher(scope, encoder(server));
    await seenFurther(all, 3_000);
    for (const [i, witness] of all.entries()) {
      expect(witness.faults, witness.name).toEqual([]);
      expect(witness.audio.length, witness.name).toBeGreaterThan(heard[i]! + 60);
    }
    expect(viewers.fmp4.epochs).toEqual([1, 2, 3]);
  });

  it('again and again', async () => {
    const server = await startTestServer(scope);
    let publisher = await startPublisher(scope, encoder(server));
    const all = witnesses(watchAll(scope, server, 'live/show'));
    for (let round = 0; round < 4; round++) {
      await seenFurther(all, 1_200);
      await (round % 2 === 0 ? publisher.kill() : publisher.stop());
      publisher = await startPublisher(scope, encoder(server));
    }
    await seenFurther(all, 1_500);
    for (const witness of all) {
      expect(witness.faults, witness.name).toEqual([]);
      for (const seam of seams(witness, FPS)) expect(seam, witness.name).toBeLessThan(SEAM_MS);
    }
    expect((await told(server)).epoch).toBe(1);
  });
});

describe('HLS', () => {
  it('goes on in one playlist, with a discontinuity for each return', async () => {
    const server = await startTestServer(scope);
    const base = `${server.http}/live/show`;
    let publisher = await startPublisher(scope, encoder(server));
    await until(async () => (await fetch(`${base}/index.m3u8`)).ok);
    const [video, audio] = ['video', 'audio'].map((name) => followHls(scope, `${base}/hls/${name}.m3u8`)) as [
      HlsFollower,
      HlsFollower,
    ];
    const breaks = ({ last }: HlsFollower): number =>
      last.discontinuitySequence + last.segments.filter(({ discontinuity }) => discontinuity).length;
    const grown = async (): Promise<void> => {
      const versions = video.versions.length;
      await until(() => video.versions.length > versions + 8, { timeoutMs: 20_000 });
    };
    await grown();
    const start = breaks(video);
    const returns = [{}, { size: '480x270', audio: { sampleRate: 48_000 } }] as const;
    for (const [i, changes] of returns.entries()) {
      await publisher.kill();
      await stateIs(server, 'waiting');
      publisher = await startPublisher(scope, encoder(server, changes));
      await until(() => breaks(video) === start + i + 1 && breaks(audio) === start + i + 1, {
        timeoutMs: 20_000,
        message: 'a discontinuity',
      });
      await grown();
    }
    for (const follower of [video, audio]) {
      await follower.stop();
      expect(follower.faults).toEqual([]);
      const numbers = follower.versions.map(({ mediaSequence }) => mediaSequence);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
    const probe = await ffprobeUrl(`${base}/index.m3u8`);
    expect(probe.errors).toEqual([]);
    expect(probe.streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
  });
});

describe('an encoder that stays away', () => {
  it('ends the stream after the window; who waits sees the next broadcast', async () => {
    const server = await startTestServer(scope, { 'hub.reconnectWindowMs': '1500' });
    const first = await startPublisher(scope, encoder(server));
    const viewers = watchAll(scope, server, 'live/show');
    const { fmp4, httpFlv, rtmp, wsFlv } = viewers;
    await seenFurther(witnesses(viewers), 1_500);
    await first.kill();
    await stateIs(server, 'ended');
    await until(() => [httpFlv, rtmp, wsFlv].every(({ ended }) => ended !== undefined), {
      message: () => `the viewers hear it: ${[httpFlv, rtmp, wsFlv].map(({ ended }) => ended).join(', ')}`,
    });
    expect(httpFlv.ended).toBe('end');
    expect(wsFlv.ended).toMatch(/^1000/);
    expect(rtmp.ended).toBe('closed');
    expect(rtmp.notes.slice(-2).sort()).toEqual(['eof', 'status NetStream.Play.Stop']);
    expect(fmp4.notes.slice(-2)).toEqual(['state waiting', 'state ended']);
    expect(fmp4.ended).toBeUndefined();
    expect((await fetch(`${server.http}/live/show.flv`)).status).toBe(404);

    await startPublisher(scope, encoder(server));
    await seenFurther([fmp4], 2_000);
    expect(fmp4.notes.slice(-2)).toEqual(['state live', 'epoch 1']);
    expect(fmp4.faults).toEqual([]);
  });

  it('is awaited by viewers who came first', async () => {
    const server = await startTestServer(scope);
    const viewers = watchAll(scope, server, 'live/show');
    await until(() => viewers.rtmp.notes.includes('ready') && viewers.fmp4.notes.length > 0);
    expect(viewers.fmp4.notes).toEqual(['hello idle']);
    expect((await fetch(`${server.http}/live/show.flv`)).status).toBe(404);
    await startPublisher(scope, encoder(server));
    await seenFurther(witnesses(viewers), 1_500);
    for (const witness of witnesses(viewers)) {
      expect(witness.faults, witness.name).toEqual([]);
      expect(seams(witness, FPS), witness.name).toEqual([]);
    }
  });
});

describe('a second publisher of the same name', () => {
  it('is refused, and the first one does not notice', async () => {
    const server = await startTestServer(scope);
    await startPublisher(scope, encoder(server));
    const all = witnesses(watchAll(scope, server, 'live/show'));
    await seenFurther(all, 1_000);
    const second = scope.own(new Publisher(encoder(server)));
    const exit = await second.child.exited;
    expect(exit.code).not.toBe(0);
    await seenFurther(all, 1_500);
    for (const witness of all) {
      expect(witness.faults, witness.name).toEqual([]);
      expect(seams(witness, FPS), witness.name).toEqual([]);
    }
    const refusal = server.log.filter(({ code }) => code === 'NetStream.Publish.BadName');
    expect(refusal).toHaveLength(1);
    expect(refusal[0]).toMatchObject({ msg: 'rtmp connection closed for a fault' });
  });

  it('takes over where the policy says so', async () => {
    const server = await startTestServer(scope, { 'hub.takeover': 'takeover' });
    const first = await startPublisher(scope, encoder(server));
    const all = witnesses(watchAll(scope, server, 'live/show'));
    await seenFurther(all, 1_000);
    await startPublisher(scope, encoder(server, { size: '480x270' }));
    await first.child.exited;
    await seenFurther(all, 2_000);
    for (const witness of all) {
      expect(witness.faults, witness.name).toEqual([]);
      for (const seam of seams(witness, FPS)) expect(seam, witness.name).toBeLessThan(SEAM_MS);
    }
    expect((await told(server)).state).toBe('live');
  });

  it('stands by where the policy says so, and goes on air when the first one is gone', async () => {
    const server = await startTestServer(scope, { 'hub.takeover': 'standby' });
    const first = await startPublisher(scope, encoder(server));
    const all = witnesses(watchAll(scope, server, 'live/show'));
    await startPublisher(scope, encoder(server, { size: '480x270' }));
    await seenFurther(all, 2_000);
    for (const witness of all) expect(seams(witness, FPS), witness.name).toEqual([]);
    await first.kill();
    await seenFurther(all, 2_000);
    for (const witness of all) {
      expect(witness.faults, witness.name).toEqual([]);
      for (const seam of seams(witness, FPS)) expect(seam, witness.name).toBeLessThan(SEAM_MS);
    }
    expect((await told(server)).epoch).toBe(2);
  });
});
