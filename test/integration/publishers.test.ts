import type { AmfObject } from '@onair/media/amf';
import type { Tag } from '@onair/media/flv';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  Child,
  expectNoChildren,
  freePort,
  makeTags,
  openRaw,
  type PublisherOptions,
  playWithFfmpeg,
  type RawRtmp,
  Scope,
  seams,
  seenFurther,
  startNginxRtmp,
  startPublisher,
  startTestServer,
  type TestServer,
  until,
  type Viewers,
  type Witness,
  watchAll,
  witnesses,
} from '../kit/index.ts';

const FPS = 25;

let scope = new Scope();
afterEach(async () => {
  const closing = scope;
  scope = new Scope();
  await closing.close();
});
afterAll(() => expectNoChildren());

interface TrackTold {
  readonly kind: string;
  readonly codec: string;
}

async function tracks(server: TestServer, stream: string): Promise<string[]> {
  const response = await fetch(`${server.http}/api/v1/streams/${stream}`);
  const { tracks: told } = (await response.json()) as { tracks: TrackTold[] };
  return told.map(({ kind, codec }) => `${kind} ${codec}`);
}

/** Nothing wrong, and nothing missing of a picture of constant rate. */
function expectWhole(list: readonly Witness[]): void {
  for (const witness of list) {
    expect(witness.faults, witness.name).toEqual([]);
    expect(seams(witness, FPS), witness.name).toEqual([]);
  }
}

/** Starts an encoder and late viewers, who then see `ms` more. */
async function broadcast(
  server: TestServer,
  stream: string,
  options: Partial<PublisherOptions>,
  ms = 2_500,
): Promise<Viewers> {
  await startPublisher(scope, { url: `${server.rtmp}/${stream}`, fps: FPS, gopSeconds: 1, ...options });
  const viewers = watchAll(scope, server, stream);
  await seenFurther(witnesses(viewers), ms);
  return viewers;
}

describe('ffmpeg', () => {
  it('with a picture and no sound', async () => {
    const server = await startTestServer(scope);
    const viewers = await broadcast(server, 'live/mute', { audio: false });
    expectWhole(witnesses(viewers));
    expect(await tracks(server, 'live/mute')).toEqual(['video h264']);
    for (const witness of witnesses(viewers)) expect(witness.audio, witness.name).toEqual([]);
    const report = await playWithFfmpeg(`${server.http}/live/mute.flv`, 2);
    expect(report.errors).toEqual([]);
    expect(report.frames).toBeGreaterThan(1.5 * FPS);
  });

  it('with sound and no picture', async () => {
    const server = await startTestServer(scope);
    const viewers = await broadcast(server, 'live/radio', { video: false });
    expectWhole(witnesses(viewers));
    expect(await tracks(server, 'live/radio')).toEqual(['audio aac']);
    expect(viewers.fmp4.holes).toEqual([]);
    for (const url of [`${server.http}/live/radio.flv`, `${server.rtmp}/live/radio`]) {
      const report = await playWithFfmpeg(url, 2);
      expect(report.errors).toEqual([]);
      expect(report.audioMs).toBeGreaterThan(1_500);
    }
  });

  it('with MP3', async () => {
    const server = await startTestServer(scope);
    const extra = ['-c:a', 'libmp3lame', '-b:a', '96k'];
    const viewers = await broadcast(server, 'live/mp3', { extra });
    expectWhole(witnesses(viewers));
    expect(await tracks(server, 'live/mp3')).toEqual(['video h264', 'audio mp3']);
    expect(viewers.fmp4.holes).toEqual([]);
    const report = await playWithFfmpeg(`${server.rtmp}/live/mp3`, 2);
    expect(report.errors).toEqual([]);
    expect(report.audioMs).toBeGreaterThan(1_500);
  });

  it('with a keyframe every 10 s: who comes in between still sees a picture at once', async () => {
    const server = await startTestServer(scope);
    const publisher = await startPublisher(scope, {
      url: `${server.rtmp}/live/rare`,
      fps: FPS,
      gopSeconds: 10,
      bFrames: 2,
    });
    await until(() => publisher.sentMs > 6_000, { timeoutMs: 30_000 });
    const viewers = watchAll(scope, server, 'live/rare');
    await seenFurther(witnesses(viewers), 6_500);
    expectWhole(witnesses(viewers));
    for (const witness of witnesses(viewers)) {
      expect(witness.report().firstMs, witness.name).toBeLessThan(1_000);
      expect(witness.video[0]!.ms, witness.name).toBe(0);
    }
  });

  it('with a variable frame rate', async () => {
    const server = await startTestServer(scope);
    // 1 to 25 frames a second, and half a second without any.
    const vfr = ['-vf', "select='not(mod(n,7))+gt(mod(t,3),1.5)*not(mod(n,2))'", '-fps_mode', 'vfr'];
    const viewers = await broadcast(server, 'live/vfr', { extra: vfr, gopSeconds: 0.5 }, 5_000);
    const ends = witnesses(viewers).map(({ faults }) => faults);
    expect(ends).toEqual([[], [], [], []]);
    // The same frames at the same times for everybody, whatever carries them.
    const [first, ...others] = witnesses(viewers).map(({ video }) =>
      video.map(({ ptsMs }) => Math.round(ptsMs)),
    );
    for (const other of others) {
      const shared = other.filter((ms) => ms >= first![0]! && ms <= first!.at(-1)!);
      expect(shared.every((ms) => first!.some((one) => Math.abs(one - ms) <= 1))).toBe(true);
    }
  });
});

describe('GStreamer', () => {
  it.each(['rtmp2sink', 'rtmpsink'])('by %s', async (sink) => {
    const server = await startTestServer(scope);
    scope.own(
      new Child('gst-launch', 'gst-launch-1.0', [
        ...['-q', 'flvmux', 'name=m', 'streamable=true', '!', sink, `location=${server.rtmp}/live/gst`],
        ...['videotestsrc', 'is-live=true', '!', 'video/x-raw,width=320,height=180,framerate=25/1', '!'],
        ...['x264enc', 'key-int-max=25', 'speed-preset=ultrafast', 'tune=zerolatency', '!', 'h264parse', '!'],
        ...['m.', 'audiotestsrc', 'is-live=true', '!', 'audio/x-raw,rate=44100', '!', 'avenc_aac', '!'],
        ...['aacparse', '!', 'm.'],
      ]),
    );
    const viewers = watchAll(scope, server, 'live/gst');
    await seenFurther(witnesses(viewers), 3_000);
    for (const witness of witnesses(viewers)) expect(witness.faults, witness.name).toEqual([]);
    expect(await tracks(server, 'live/gst')).toEqual(['video h264', 'audio aac']);
  });
});

/** What OBS Studio says in `connect`. */
const OBS: AmfObject = {
  type: 'nonprivate',
  flashVer: 'FMLE/3.0 (compatible; FMSc/1.0)',
  fourCcList: ['av01', 'hvc1', 'vp09'],
  capsEx: 0,
};

/** Sends tags at their own pace until they are over or the connection is gone. */
async function pour(client: RawRtmp, streamId: number, tags: readonly Tag[]): Promise<void> {
  const begin = performance.now();
  for (const { type, timestampMs, body } of tags) {
    const wait = begin + timestampMs - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    if (client.socket.destroyed) return;
    if (type !== 'script') client.media(type, streamId, timestampMs, body);
  }
}

describe('an encoder that calls like OBS', () => {
  it('is answered call by call, and its stream ends when it says so', async () => {
    const server = await startTestServer(scope);
    const tags = await makeTags(scope, { seconds: 4, fps: FPS, gopSeconds: 1, bFrames: 2 });
    const client = openRaw(scope, Number(new URL(server.rtmp).port));
    await client.shakeHands();
    const connected = await client.connectApp('live', { ...OBS, tcUrl: `${server.rtmp}/live` });
    expect(connected.name).toBe('_result');
    client.setChunkSize(4096);
    // All at once, as librtmp does.
    client.command('releaseStream', 2, [null, 'obs']);
    client.command('FCPublish', 3, [null, 'obs']);
    client.command('createStream', 4, [null]);
    const streamId = Number((await client.answer(4)).values[1]);
    expect(streamId).toBe(1);
    client.command('publish', 5, [null, 'obs', 'live'], streamId);
    await client.status('NetStream.Publish.Start');
    const answered = client.commands.filter(({ name }) => name === '_result').map((one) => one.transactionId);
    expect(answered).toEqual([1, 2, 3, 4]);
    client.data(streamId, '@setDataFrame', [
      'onMetaData',
      {
        duration: 0,
        width: 320,
        height: 180,
        videocodecid: 7,
        framerate: FPS,
        audiocodecid: 10,
        stereo: true,
      },
    ]);
    const viewers = watchAll(scope, server, 'live/obs');
    await pour(client, streamId, tags);
    await seenFurther(witnesses(viewers), 0);
    expectWhole(witnesses(viewers));
    expect(viewers.rtmp.video.length).toBeGreaterThan(3.5 * FPS);
    client.command('FCUnpublish', 6, [null, 'obs']);
    client.command('deleteStream', 7, [null, streamId]);
    await until(() => viewers.fmp4.notes.includes('state waiting'));
    expect(client.codes).toContain('NetStream.Unpublish.Success');
  });

  it('may publish again on the same connection', async () => {
    const server = await startTestServer(scope);
    const tags = await makeTags(scope, { seconds: 2, fps: FPS, gopSeconds: 1 });
    const client = openRaw(scope, Number(new URL(server.rtmp).port));
    const viewers = watchAll(scope, server, 'live/obs');
    await client.shakeHands();
    await client.connectApp('live', OBS);
    client.setChunkSize(4096);
    for (let round = 0; round < 3; round++) {
      client.command('createStream', 10 + round, [null]);
      const streamId = Number((await client.answer(10 + round)).values[1]);
      client.command('publish', 0, [null, 'obs', 'live'], streamId);
      await until(
        () => client.codes.filter((code) => code === 'NetStream.Publish.Start').length === round + 1,
      );
      await pour(client, streamId, tags);
      client.command('deleteStream', 0, [null, streamId]);
    }
    await until(() => viewers.httpFlv.video.length >= 3 * 2 * FPS);
    for (const witness of witnesses(viewers)) expect(witness.faults, witness.name).toEqual([]);
    expect(viewers.fmp4.epochs).toEqual([1]);
  });
});

describe('pulls', () => {
  it('fetch from nginx-rtmp and from another server of ours, and again when the source comes back', async () => {
    const nginx = await startNginxRtmp(scope, ['wait_key on;', 'wait_video on;', 'publish_notify on;']);
    const origin = await startTestServer(scope, { 'hub.reconnectWindowMs': '1000' });
    const pulls = [
      { url: nginx.url('far'), stream: 'live/rtmp' },
      { url: `${origin.http}/live/far.flv`, stream: 'live/flv' },
    ];
    const server = await startTestServer(scope, { pulls: JSON.stringify(pulls) });
    const options = { fps: FPS, gopSeconds: 1 };
    const far = [nginx.url('far'), `${origin.rtmp}/live/far`];
    const first = await Promise.all(far.map((url) => startPublisher(scope, { ...options, url })));
    const viewers = [watchAll(scope, server, 'live/rtmp'), watchAll(scope, server, 'live/flv')];
    const all = viewers.flatMap(witnesses);
    await seenFurther(all, 3_000);
    expectWhole(all);
    await Promise.all(first.map((publisher) => publisher.kill()));
    const away = ({ fmp4 }: Viewers): boolean => fmp4.notes.includes('state waiting');
    await until(() => viewers.every(away), { timeoutMs: 30_000, message: 'both sources are away' });
    await Promise.all(far.map((url) => startPublisher(scope, { ...options, url })));
    await seenFurther(all, 3_000, 40_000);
    for (const witness of all) expect(witness.faults, witness.name).toEqual([]);
  });

  it('wait for a source that is not there yet', async () => {
    const port = await freePort();
    const pulls = JSON.stringify([{ url: `rtmp://127.0.0.1:${port}/live/far`, stream: 'live/near' }]);
    const server = await startTestServer(scope, { pulls });
    await until(() => server.log.some(({ stream }) => stream === 'live/near'));
    const origin = await startTestServer(scope, { 'rtmp.port': String(port) });
    await startPublisher(scope, { url: `${origin.rtmp}/live/far`, fps: FPS, gopSeconds: 1 });
    const viewers = watchAll(scope, server, 'live/near');
    await seenFurther(witnesses(viewers), 2_000, 30_000);
    expectWhole(witnesses(viewers));
  });
});
