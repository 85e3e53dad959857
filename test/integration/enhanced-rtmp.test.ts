import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { amfProperties } from '../../packages/media/src/amf/index.ts';
import { streamName } from '../../packages/media/src/index.ts';
import {
  Child,
  expectNoChildren,
  playWithRtmpdump,
  Scope,
  startTestServer,
  type TestServer,
  until,
} from '../kit/index.ts';
import { decodeEnhanced, publishEnhanced } from '../kit/node-av/enhanced.ts';
import { RtmpTestClient } from '../kit/rtmp-client.ts';
import { audioTrack, programme } from '../kit/samples.ts';
import { TS_VIDEO } from '../kit/ts-film.ts';

/** How long each is decoded. */
const SECONDS = process.env.ONAIR_LONG === '1' ? 20 : 3;
const FPS = 25;

const scope = new Scope();
let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await startTestServer(scope);
  folder = scope.tempDir();
});

afterAll(async () => {
  const { log } = server;
  await scope.close();
  await expectNoChildren();
  expect(log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});

/** Makes a file with Debian's ffmpeg and publishes it with FFmpeg 8.1; returns the stream's address. */
async function publish(name: string, video: string[], audio: string[], tones = 1): Promise<string> {
  const file = `${folder}/${name}.mkv`;
  const encoder = new Child('ffmpeg', 'ffmpeg', [
    ...[
      '-hide_banner',
      '-nostdin',
      '-y',
      '-loglevel',
      'error',
      '-f',
      'lavfi',
      '-i',
      `testsrc2=size=320x180:rate=${FPS}`,
    ],
    ...Array.from({ length: tones }, (_, i) => [
      ...['-f', 'lavfi', '-i', `sine=frequency=${440 * (i + 1)}:sample_rate=48000`],
    ]).flat(),
    ...[
      '-t',
      String(SECONDS + 20),
      '-map',
      '0',
      ...Array.from({ length: tones }, (_, i) => ['-map', String(i + 1)]).flat(),
    ],
    ...['-pix_fmt', 'yuv420p', ...video, ...audio, file],
  ]);
  expect(await encoder.exited, encoder.errorLines.join('\n')).toMatchObject({ code: 0 });
  const url = `${server.rtmp}/live/${name}`;
  const publisher = publishEnhanced(file, url);
  scope.own({ stop: () => publisher.stop('SIGKILL') });
  await until(() => server.registry.find(streamName('live', name))?.state === 'live', {
    timeoutMs: 30_000,
    message: () => `${name} is live: ${publisher.errorLines.join('\n')}`,
  });
  return url;
}

/** The master playlist once it names the codec. */
const playlist = (name: string, codec: string): Promise<string> =>
  until(
    async () => {
      const text = await (await fetch(`${server.http}/live/${name}/index.m3u8`)).text();
      return text.includes(codec) && text;
    },
    { timeoutMs: 20_000, message: `HLS of ${name} with ${codec}` },
  );

/** High dynamic range, as its encoder tells it; the picture is what it is. */
const HDR10 = ['-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc'];
const GOP = ['-g', String(FPS), '-keyint_min', String(FPS)];

describe('FFmpeg 8.1 publishes and reads back, and HLS and DASH carry on', () => {
  it.each<[string, string[], string[], string, string]>([
    [
      'HEVC and Opus',
      ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', `keyint=${FPS}:log-level=error`, ...HDR10],
      ['-c:a', 'libopus'],
      'hvc1',
      'opus',
    ],
    ['AV1 and FLAC', ['-c:v', 'libsvtav1', '-preset', '12', ...GOP], ['-c:a', 'flac'], 'av01', 'flac'],
    [
      'VP9 and AC-3',
      ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', ...GOP],
      ['-c:a', 'ac3'],
      'vp09',
      'ac-3',
    ],
  ])('%s', async (title, video, audio, videoCodec, audioCodec) => {
    const name = title.replaceAll(' ', '');
    const url = await publish(name, video, audio);
    const [, picture, sound] = await decodeEnhanced(url, SECONDS * FPS);
    process.stderr.write(`      ${title}: ${picture?.frames} pictures, ${sound?.frames} blocks of sound\n`);
    expect(picture?.frames).toBeGreaterThan(SECONDS * 5);
    expect(sound?.frames).toBeGreaterThan(SECONDS * 5);
    const list = await playlist(name, videoCodec);
    expect(list).toContain(audioCodec);
    expect(list.includes('VIDEO-RANGE=PQ')).toBe(video.includes('smpte2084'));
    const mpd = await (await fetch(`${server.http}/live/${name}/manifest.mpd`)).text();
    expect(mpd).toContain(videoCodec);
    expect(mpd.includes('TransferCharacteristics" value="16"')).toBe(list.includes('PQ'));
    const old = await playWithRtmpdump(url, 1, 5_000);
    expect(old.frames).toBe(0);
  });

  it('several sounds are renditions', async () => {
    const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', ...GOP];
    const url = await publish('several', x264, ['-c:a', 'aac'], 2);
    const list = await playlist('several', 'avc1');
    expect(list.match(/TYPE=AUDIO/g)).toHaveLength(2);
    const mpd = await (await fetch(`${server.http}/live/several/manifest.mpd`)).text();
    expect(mpd.match(/contentType="audio"/g)).toHaveLength(2);
    // FFmpeg asks for one sound of each stream by RTMP, and takes all of them by HLS.
    const [report, read] = await Promise.all([
      playWithRtmpdump(url, SECONDS),
      decodeEnhanced(`${server.http}/live/several/index.m3u8`, SECONDS * FPS),
    ]);
    expect(report.frames).toBeGreaterThan((SECONDS - 1.5) * FPS);
    const frames = read.filter(({ codec }) => codec !== 'data').map((track) => track.frames);
    process.stderr.write(`      a file of three tracks, decoded again: ${frames.join(', ')}\n`);
    expect(frames).toHaveLength(3);
    for (const count of frames) expect(count).toBeGreaterThan(SECONDS * 5);
    const epoch = server.registry.find(streamName('live', 'several'))?.epoch;
    expect(epoch?.tracks.map(({ id }) => id)).toEqual([1, 2, 4]);
  });

  it('several sounds have their languages in HLS, DASH and RTMP', async () => {
    const publisher = new RtmpTestClient(server.ports.rtmp!, { intent: 'publish', name: 'tongues' });
    scope.defer(() => publisher.stop());
    await until(() => publisher.ready);
    const [video, audio] = [{ ...TS_VIDEO, id: 1 }, audioTrack()];
    const second = { ...audio, id: 4 };
    publisher.session.setDataFrame(0, 'onMetaData', {
      audiolanguage: 'ja',
      audioTrackIdInfoMap: { 1: { language: 'en' } },
    });
    const samples = programme(video, audio, 4).flatMap((sample) =>
      sample.track === audio ? [sample, { ...sample, track: second }] : [sample],
    );
    publisher.publish([video, audio, second], samples);
    const list = await playlist('tongues', 'LANGUAGE="en"');
    expect(list).toContain('LANGUAGE="ja"');
    const mpd = await (await fetch(`${server.http}/live/tongues/manifest.mpd`)).text();
    expect([...mpd.matchAll(/contentType="audio"[^>]* lang="(\w+)"/g)].map(([, lang]) => lang)).toEqual([
      'ja',
      'en',
    ]);
    const player = new RtmpTestClient(server.ports.rtmp!, { intent: 'play', name: 'tongues' });
    scope.defer(() => player.stop());
    const told = await until(() =>
      player.events.find((event) => event.kind === 'data' && event.name === 'onMetaData'),
    );
    const metadata = told.kind === 'data' ? amfProperties(told.values[0]!) : undefined;
    expect(metadata?.audiolanguage).toBe('ja');
    expect(amfProperties(amfProperties(metadata!.audioTrackIdInfoMap!)![1]!)).toEqual({ language: 'en' });
  });
});
