import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ticks, Track } from '@onair/media';
import { WebmMuxer } from '@onair/media/webm';
import type { RecordedRun } from './run.ts';
import { scanRun } from './run-file.ts';
import { WEBM_FILE } from './view.ts';

/** True if the pictures are of a codec that players know in WebM only: VP8. */
export function wantsWebm(runs: readonly RecordedRun[]): boolean {
  return runs.some(({ tracks }) => tracks.some(({ parameters }) => parameters.codec === 'vp8'));
}

/**
 * Writes the media of runs one behind the other as a WebM file with a length and an index to seek by, in constant
 * memory. Resolves with its octets; 0, and no file, if they are not of the same codecs.
 */
export async function writeWebm(folder: string, runs: readonly RecordedRun[]): Promise<number> {
  const tracks = runs[0]?.tracks ?? [];
  if (runs.some((run) => codecsOf(run.tracks) !== codecsOf(tracks))) return 0;
  const path = join(folder, `${WEBM_FILE}.new`);
  const file = await open(path, 'w', 0o600);
  try {
    const muxer = new WebmMuxer(tracks, { mode: 'file' });
    let waiting: Uint8Array[] = [muxer.header()];
    const write = async (): Promise<void> => {
      const bytes = Buffer.concat(waiting);
      waiting = [];
      await file.appendFile(bytes);
    };
    let base = 0;
    for (const { path: from, segments, tracks: own } of runs) {
      const last = segments.at(-1);
      const shift = base - (segments[0]?.time ?? 0);
      const ends = new Map<number, number>();
      await scanRun(from, {
        header: () => {},
        chunk: ({ track: id, parsed }) => {
          const track = tracks[own.findIndex((one) => one.id === id)];
          if (track === undefined) return;
          const moved = Math.round((shift / 1_000_000) * track.timebase);
          for (const { dts, pts, duration, keyframe, data } of parsed.samples) {
            // What reaches out of the run in front of its beginning has no place.
            if (dts + moved < (ends.get(id) ?? 0)) continue;
            ends.set(id, dts + moved);
            const times = { dts: (dts + moved) as Ticks, pts: (pts + moved) as Ticks };
            const block = muxer.push({ ...times, track, duration: duration as Ticks, keyframe, data });
            if (block.length > 0) waiting.push(block);
          }
        },
        batch: write,
      });
      base += last === undefined ? 0 : last.time + last.duration - segments[0]!.time;
    }
    const { tail, patches } = muxer.finish();
    waiting.push(tail);
    await write();
    await file.close();
    let size = 0;
    const patched = await open(path, 'r+');
    try {
      for (const { offset, bytes } of patches) await patched.write(bytes, 0, bytes.length, offset);
      await patched.sync();
      size = (await patched.stat()).size;
    } finally {
      await patched.close();
    }
    await rename(path, join(folder, WEBM_FILE));
    return size;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
    throw error;
  }
}

function codecsOf(tracks: readonly Track[]): string {
  return tracks.map(({ parameters, timebase }) => `${parameters.codec}/${timebase}`).join();
}
