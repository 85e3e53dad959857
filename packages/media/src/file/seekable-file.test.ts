import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileOf, film, written } from '../../../../test/kit/film.ts';
import { concatBytes } from '../bytes/index.ts';
import { readTrackRun } from '../isobmff/fragment.ts';
import { initSegment, readBoxes, requireBox } from '../isobmff/index.ts';
import { ParseError, type Sample } from '../model/index.ts';
import {
  type ByteSource,
  bytesSource,
  ChunkCutter,
  MediaFileError,
  type OutputFormat,
  openMediaFile,
  openSeekable,
} from './index.ts';
import { findUnit } from './resync.ts';

const FORMATS: readonly OutputFormat[] = ['mp4', 'fmp4', 'mkv', 'flv', 'ts'];
const SECONDS = 60;
/** Pictures so large that a search is not over before it begins. */
const { tracks, samples } = film(SECONDS, 3000);
const GOP_SECONDS = 10 / 25;

const files = new Map<OutputFormat, Promise<Uint8Array>>();
function fileIn(format: OutputFormat): Promise<Uint8Array> {
  const file = files.get(format) ?? written(fileOf(tracks, samples), format);
  files.set(format, file);
  return file;
}

/** The first samples from a place on. */
async function first(
  file: Awaited<ReturnType<typeof openSeekable>>,
  seconds: number,
  count: number,
): Promise<Sample[]> {
  const found: Sample[] = [];
  for await (const batch of file.from(seconds)) {
    for (const item of batch) if (item.kind === 'sample') found.push(item.sample);
    if (found.length >= count) break;
  }
  return found;
}

const shown = ({ pts, track }: Sample): number => pts / track.timebase;

describe.each(FORMATS)('a file of %s', (format) => {
  it('tells its tracks and its duration', async () => {
    const file = await openSeekable(bytesSource(await fileIn(format)));
    expect(file.tracks.map(({ id, parameters }) => [id, parameters.codec])).toEqual([
      [1, 'h264'],
      [2, 'aac'],
    ]);
    expect(Math.abs(file.duration - SECONDS)).toBeLessThan(0.1);
  });

  it('begins anywhere at the keyframe before, with the sound that belongs to it', async () => {
    const file = await openSeekable(bytesSource(await fileIn(format)));
    const firstPicture = (await first(file, 0, 10)).find(({ track }) => track.id === 1)!;
    for (const wanted of [0, 0.39, 7.77, 29.999, 30.02, 44.4, 59.5]) {
      const found = await first(file, wanted, 60);
      const picture = found.find(({ track }) => track.id === 1)!;
      const sound = found.find(({ track }) => track.id === 2)!;
      expect(picture.keyframe).toBe(true);
      expect(shown(picture)).toBeLessThanOrEqual(Math.max(wanted, shown(firstPicture)) + 0.002);
      expect(shown(picture)).toBeGreaterThan(wanted - GOP_SECONDS - 0.03);
      // Not later than the picture, and from its decoding at the earliest.
      expect(shown(sound)).toBeLessThan(shown(picture) + 0.05);
      expect(shown(sound)).toBeGreaterThan(shown(picture) - 0.15);
      // The same bytes as in the film at that place.
      const place = Math.round((shown(picture) - shown(firstPicture)) / GOP_SECONDS) * 10;
      const expected = samples.filter(({ track }) => track.id === 1)[place]!;
      expect(Buffer.compare(picture.data, expected.data)).toBe(0);
    }
  });

  it('reads little of the file for a seek', async () => {
    const bytes = await fileIn(format);
    const file = await openSeekable(bytesSource(bytes));
    const before = file.bytesRead();
    await first(file, 30, 2);
    expect(file.bytesRead() - before).toBeLessThan(3_000_000);
  });

  it('becomes chunks that follow each other without a gap', async () => {
    const file = await openSeekable(bytesSource(await fileIn(format)));
    const cutter = new ChunkCutter();
    const ends = new Map<number, number>();
    for await (const batch of file.from(12)) {
      const chunks = batch.flatMap((item) =>
        item.kind === 'sample' ? (cutter.push(item.sample) ?? []) : [],
      );
      for (const { track, decoded, duration } of chunks) {
        const end = ends.get(track.id);
        if (end !== undefined) expect(Math.abs(end - decoded)).toBeLessThan(0.003);
        ends.set(track.id, decoded + duration);
      }
    }
    for (const { track, decoded, duration } of cutter.end()) ends.set(track.id, decoded + duration);
    expect(Math.abs(ends.get(1)! - SECONDS)).toBeLessThan(0.1);
    expect(Math.abs(ends.get(2)! - SECONDS)).toBeLessThan(0.1);
  });

  it('becomes chunks that show no picture before it is decoded, and each where the file shows it', async () => {
    const file = await openSeekable(bytesSource(await fileIn(format)));
    const pieces: Uint8Array[] = [initSegment(file.tracks[0]!)];
    const cutter = new ChunkCutter();
    const expected: number[] = [];
    for await (const batch of file.from(50)) {
      for (const item of batch) {
        if (item.kind !== 'sample' || item.sample.track.id !== 1) continue;
        expected.push(item.sample.pts);
        pieces.push(cutter.push(item.sample)?.bytes ?? new Uint8Array(0));
      }
    }
    for (const { bytes } of cutter.end()) pieces.push(bytes);
    const found: number[] = [];
    const all = concatBytes(pieces);
    for await (const batch of (await openMediaFile(bytesSource(all))).batches) {
      for (const item of batch) if (item.kind === 'sample') found.push(item.sample.pts);
    }
    expect(found).toEqual(expected);
    const fragments = readBoxes(all).filter(({ type }) => type === 'moof');
    expect(fragments.length).toBeGreaterThan(10);
    for (const { body } of fragments) {
      const run = requireBox(readBoxes(requireBox(readBoxes(body), 'traf', '').body), 'trun', '');
      for (const { compositionOffset } of readTrackRun(run.body).entries) {
        expect(compositionOffset).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it('ends in an error of ours, or plays, when it is damaged', async () => {
    const whole = (await fileIn(format)).slice(0, 400_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: whole.length }),
        fc.integer({ min: -5, max: 100 }),
        async (changes, length, seconds) => {
          const bytes = whole.slice(0, length);
          for (const [at, value] of changes) if (at < length) bytes[at] = value;
          try {
            await first(await openSeekable(bytesSource(bytes)), seconds, 1000);
          } catch (error) {
            if (!(error instanceof ParseError || error instanceof MediaFileError)) throw error;
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe('finding a unit', () => {
  it.each(['flv', 'mpegts', 'webm'] as const)('of %s from any byte', async (format) => {
    const bytes = await fileIn(format === 'mpegts' ? 'ts' : format === 'webm' ? 'mkv' : 'flv');
    const units: number[] = [];
    for (let at = 13; units.length < 5; ) {
      const found = findUnit(format, bytes, at)!;
      units.push(found);
      at = found + 1;
    }
    const [one, two] = [units[2]!, units[3]!];
    for (let at = one + 1; at <= two; at += 7) expect(findUnit(format, bytes, at)).toBe(two);
    expect(findUnit(format, new Uint8Array(5000))).toBeUndefined();
  });
});

describe('what cannot be played', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(10_000)],
    ['a playlist', new TextEncoder().encode('#EXTM3U\n')],
    ['a header alone', new Uint8Array([0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0])],
  ])('%s is refused', async (_what, bytes) => {
    await expect(openSeekable(bytesSource(bytes))).rejects.toBeInstanceOf(MediaFileError);
  });

  it('a source of unknown length is refused', async () => {
    const endless: ByteSource = { size: undefined, read: () => Promise.resolve(new Uint8Array(0)) };
    await expect(openSeekable(endless)).rejects.toBeInstanceOf(MediaFileError);
  });
});
