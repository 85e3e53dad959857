import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parseMediaPlaylist } from '../../packages/media/src/hls/index.ts';
import { streamName } from '../../packages/media/src/index.ts';
import {
  expectNoChildren,
  ffprobeUrl,
  Publisher,
  playWithFfmpeg,
  Scope,
  startPublisher,
  startTestServer,
  type TestServer,
  until,
} from '../kit/index.ts';
import { SPLICE_OUT, tsFilm } from '../kit/ts-film.ts';

const PQ = 'keyint=25:log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc';
let scope = new Scope();
afterEach(async () => {
  const closing = scope;
  scope = new Scope();
  await closing.close();
});
afterAll(() => expectNoChildren());

async function codecs(server: TestServer, stream: string): Promise<string[]> {
  const response = await fetch(`${server.http}/api/v1/streams/${stream}`);
  const { tracks = [] } = (await response.json()) as { tracks?: { readonly codec: string }[] };
  return tracks.map(({ codec }) => codec);
}

describe('a transport stream by HTTP', () => {
  it('of ffmpeg is decoded whole, and goes on after its body was cut off', async () => {
    const server = await startTestServer(scope);
    const url = `${server.http}/live/x.ts`;
    const options = { url, format: 'mpegts', extra: ['-method', 'POST'], bFrames: 2, fps: 25 };
    const first = await startPublisher(scope, options);
    const state = (): string | undefined => server.registry.find(streamName('live', 'x'))?.state;
    await until(() => state() === 'live', { message: 'ffmpeg is on air' });
    await first.child.stop('SIGKILL');
    await until(() => state() === 'waiting', { message: 'the stream waits' });
    await startPublisher(scope, { ...options, extra: ['-method', 'PUT'] });
    const report = await playWithFfmpeg(`${server.http}/live/x.flv`, 1);
    expect(report.errors).toEqual([]);
    expect(report.frames).toBeGreaterThan(20);
    expect(report.audioMs).toBeGreaterThan(700);
    expect(await codecs(server, 'live/x')).toEqual(['h264', 'aac']);
  });

  it('brings HEVC, AC-3, Enhanced AC-3 and Opus as ffmpeg writes them', async () => {
    const server = await startTestServer(scope);
    const cases = [
      ['hevc', 'ac3', ['-c:v', 'libx265', '-x265-params', PQ, '-c:a', 'ac3']],
      ['h264', 'eac3', ['-c:a', 'eac3']],
      ['h264', 'opus', ['-c:a', 'libopus']],
    ] as const;
    for (const [video, audio, extra] of cases) {
      const name = `live/${video}-${audio}`;
      const url = `${server.http}/${name}.ts`;
      const sound = { sampleRate: 48_000, bitrate: 96_000 };
      const publisher = new Publisher({
        ...{ url, format: 'mpegts', fps: 25, seconds: 3, realTime: false, audio: sound },
        extra: [...extra, '-method', 'POST'],
      });
      expect(await publisher.child.exited, publisher.child.errorLines.join('\n')).toEqual({
        code: 0,
        signal: null,
      });
      expect(await codecs(server, name)).toEqual([video, audio]);
      const { streams, errors } = await ffprobeUrl(`${server.http}/${name}/index.m3u8`);
      expect(errors).toEqual([]);
      const master = await (await fetch(`${server.http}/${name}/index.m3u8`)).text();
      expect(/VIDEO-RANGE=(\w+)/.exec(master)?.[1]).toBe(video === 'hevc' ? 'PQ' : undefined);
      expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual([video, audio].sort());
    }
  });

  it('brings a splice_insert, which HLS has as SCTE35-OUT', async () => {
    const server = await startTestServer(scope);
    const body = new Blob(tsFilm({ seconds: 6, splices: [{ section: SPLICE_OUT, at: 2 }] }) as BlobPart[]);
    const answer = await fetch(`${server.http}/live/ad.ts`, { method: 'POST', body });
    expect(await answer.json()).toMatchObject({ stream: 'live/ad', bytes: body.size });
    const master = await (await fetch(`${server.http}/live/ad/index.m3u8`)).text();
    const media = /^(?!#).+\.m3u8.*$/m.exec(master)![0];
    const text = await (await fetch(`${server.http}/live/ad/${media}`)).text();
    const [range, ...more] = parseMediaPlaylist(text).dateRanges;
    expect(more).toEqual([]);
    expect(range).toMatchObject({ plannedDuration: 60.293567 });
    expect(range!.client.get('SCTE35-OUT')).toMatch(/^0xFC302F[0-9A-F]+4800008F/);
  });
});
