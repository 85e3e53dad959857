import { describe, expect, it } from 'vitest';
import { fileOf, film, written } from '../../../../test/kit/film.ts';
import { sample as sampleOf, TRACKS } from '../../../../test/kit/mp4-tracks.ts';
import { inspect } from '../inspect/index.ts';
import { parseChunks, parseInit } from '../isobmff/index.ts';
import type { Sample } from '../model/index.ts';
import { bytesSource, type MediaFileError, type OutputFormat, openMediaFile, remux } from './index.ts';

const FORMATS: readonly OutputFormat[] = ['mp4', 'fmp4', 'mkv', 'flv', 'ts'];
const { tracks, samples } = film(6);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function read(bytes: Uint8Array): Promise<Sample[]> {
  const found: Sample[] = [];
  for await (const batch of (await openMediaFile(bytesSource(bytes))).batches) {
    for (const item of batch) if (item.kind === 'sample') found.push(item.sample);
  }
  return found;
}

/** Bytes and presentation in milliseconds from the first of all, in decoding order. */
function frames(of: readonly Sample[], id: number): { data: string; ms: number }[] {
  const first = Math.min(...of.map(({ pts, track }) => pts / track.timebase));
  return of
    .filter(({ track }) => track.id === id)
    .map(({ data, pts, track }) => ({
      data: Buffer.from(data).toString('hex'),
      ms: (pts / track.timebase - first) * 1000,
    }));
}

describe('remuxing', () => {
  const files = new Map<OutputFormat, Promise<Uint8Array>>();
  const fileIn = (format: OutputFormat): Promise<Uint8Array> => {
    const file = files.get(format) ?? written(fileOf(tracks, samples), format);
    files.set(format, file);
    return file;
  };

  it.each(FORMATS.flatMap((from) => FORMATS.map((to) => [from, to] as const)))(
    '%s to %s keeps every frame and its time',
    async (from, to) => {
      const file = await openMediaFile(bytesSource(await fileIn(from)));
      const back = await read(await written(file, to));
      for (const id of [1, 2]) {
        const expected = frames(samples, id);
        const found = frames(back, id);
        expect(found.map(({ data }) => data)).toEqual(expected.map(({ data }) => data));
        // FLV and Matroska have milliseconds; twice rounded it may be one and a half.
        const off = found.map(({ ms }, i) => Math.abs(ms - expected[i]!.ms));
        expect(Math.max(...off)).toBeLessThan(2);
      }
      const keys = back.filter(({ track, keyframe }) => track.id === 1 && keyframe).length;
      expect(keys).toBe(15);
    },
  );

  it.each(FORMATS)('to %s uses memory again only when nobody looks at it any longer', async (to) => {
    const large = film(6, 60_000);
    const bytes = await written(fileOf(large.tracks, large.samples), 'mp4');
    let reused = 0;
    const file = await openMediaFile({
      size: bytes.length,
      read: async (at, length, into) => {
        await turn();
        if (into !== undefined) reused++;
        const own = into ?? new Uint8Array(Math.min(length, bytes.length - at));
        own.fill(0xee);
        own.set(bytes.subarray(at, at + own.length));
        return own.subarray(0, Math.min(length, bytes.length - at));
      },
    });
    const slow: Uint8Array[] = [];
    await remux(file, to, {
      write: async (parts) => {
        await turn();
        for (const part of parts) slow.push(part.slice());
      },
    });
    const expected = await written(await openMediaFile(bytesSource(bytes)), to, false);
    expect(Buffer.compare(Buffer.concat(slow), expected)).toBe(0);
    if (to !== 'mkv') expect(reused).toBeGreaterThan(5);
  });

  it.each(FORMATS)('%s tells how long it is, and the inspector finds no fault', async (format) => {
    const report = await inspect(bytesSource(await fileIn(format)));
    expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    const [video, audio] = [...report.tracks].sort((a, b) => a.id - b.id);
    expect(video).toMatchObject({ samples: 150, keyframes: 15, codecString: 'avc1.64000c', bFrames: true });
    expect(video?.duration).toBeCloseTo(6, 2);
    expect(audio?.samples).toBe(283);
    expect(audio?.duration).toBeCloseTo((283 * 1024) / 48_000, 2);
    expect(report.startOffset).toBeCloseTo(-1024 / 48_000, 2);
  });

  it.each(['mp4', 'fmp4', 'mkv'] as const)(
    '%s can be written where nothing can be written over',
    async (format) => {
      const back = await read(await written(fileOf(tracks, samples), format, false));
      for (const id of [1, 2]) {
        expect(frames(back, id).map(({ data }) => data)).toEqual(frames(samples, id).map(({ data }) => data));
      }
    },
  );

  it('a fragmented file says so, one with a single table does not', async () => {
    const fragmented = parseInit(await moov('fmp4'));
    expect(fragmented.tracks.every(({ defaults }) => defaults !== undefined)).toBe(true);
    const plain = parseInit(await moov('mp4'));
    expect(plain.tracks.every(({ defaults }) => defaults === undefined)).toBe(true);
  });

  it('fragments are decoded from 0 on and never later than shown, which an edit list takes back', async () => {
    const bytes = await fileIn('fmp4');
    const earliest = new Map<number, number>();
    for (const { tracks: parts } of parseChunks(bytes)) {
      for (const { trackId, samples: own } of parts) {
        for (const { dts, pts } of own) {
          expect(pts).toBeGreaterThanOrEqual(dts);
          earliest.set(trackId, Math.min(pts, earliest.get(trackId) ?? Number.POSITIVE_INFINITY));
        }
      }
    }
    expect([earliest.get(1), earliest.get(2)]).toEqual([7200, 0]);
    const edits: string[] = [];
    await inspect(bytesSource(bytes), {
      onNode: ({ name, detail }) => {
        if (name === 'elst') edits.push(detail);
      },
    });
    // 80 ms of reordering, and of sound 21 ms that are not to be heard.
    expect(edits).toEqual(['entries=1 mediaTime=7200', 'entries=1 mediaTime=1024']);
  });

  async function moov(format: OutputFormat): Promise<Uint8Array> {
    const bytes = await fileIn(format);
    let found: { offset: number; size: number } | undefined;
    await inspect(bytesSource(bytes), {
      onNode: ({ name, offset, size }) => {
        if (name === 'moov') found = { offset, size: size ?? 0 };
      },
    });
    return bytes.subarray(found!.offset, found!.offset + found!.size);
  }

  it('refuses what a container does not carry, and a file of nothing', async () => {
    await expect(written(fileOf(tracks, samples), 'webm')).rejects.toThrow('WebM does not carry h264');
    const vp8 = [sampleOf(TRACKS.vp8!, 0), sampleOf(TRACKS.vp8!, 3600)];
    await expect(written(fileOf([TRACKS.vp8!], vp8), 'ts')).rejects.toMatchObject({
      code: 'TS_CODEC_UNSUPPORTED',
    });
    const nothing: Partial<MediaFileError> = { name: 'MediaFileError' };
    await expect(written(fileOf(tracks, []), 'mp4')).rejects.toMatchObject(nothing);
    await expect(openMediaFile(bytesSource(new Uint8Array(100)))).rejects.toMatchObject(nothing);
  });

  it('says when parameters change on the way', async () => {
    const other = { ...tracks[0], parameters: { ...tracks[0].parameters, width: 640 } } as (typeof tracks)[0];
    const file = fileOf(tracks, samples);
    const changing = {
      ...file,
      batches: (async function* () {
        for await (const batch of file.batches) yield batch;
        yield [{ kind: 'track', track: other }] as const;
      })(),
    };
    await expect(written(changing, 'mp4')).rejects.toThrow('changes its parameters at');
  });
});
