import { truncate } from 'node:fs/promises';
import type { TimedEvent, Track } from '@onair/media';
import { AppendFile } from '../disk/index.ts';
import type { Block } from '../hub/index.ts';
import type { CmafConfig } from '../packager/cmaf/index.ts';
import { RunEvents } from './run-events.ts';
import { type RunFacts, type RunHeader, runHeader, scanRun } from './run-file.ts';
import { type ChunkNote, type RunSegment, SegmentIndex } from './segment-index.ts';
import type { RunView } from './view.ts';

/** Where a publisher would go on, in µs of its own clock, by kind of track. */
export interface SourceEnd {
  readonly video: number | undefined;
  readonly audio: number | undefined;
}

/**
 * A stretch of a recording without a break: one file with a header and the chunks as they came. A break of
 * timestamps, other codec parameters or a restart of the server begin another run.
 */
export interface RecordedRun extends RunFacts, RunView {
  readonly tracks: readonly Track[];
  readonly sourceEnd: SourceEnd;
}

/** The run that is being written. */
export class OpenRun implements RecordedRun {
  readonly file: AppendFile;
  readonly tracks: readonly Track[];
  readonly initBytes: number;
  readonly wallMs: number;
  readonly sourceOffset: number | undefined;
  readonly #index: SegmentIndex;
  readonly #ends: TrackEnds;
  readonly #events = new RunEvents();

  constructor(path: string, tracks: readonly Track[], facts: RunFacts) {
    const { init, bytes } = runHeader(tracks, facts);
    this.file = new AppendFile(path);
    this.file.append(bytes);
    this.tracks = tracks;
    this.initBytes = init;
    this.wallMs = facts.wallMs;
    this.sourceOffset = facts.sourceOffset;
    this.#index = new SegmentIndex(hasVideo(tracks), bytes.length);
    this.#ends = new TrackEnds(tracks);
  }

  get path(): string {
    return this.file.path;
  }

  get size(): number {
    return this.file.size;
  }

  get segments(): readonly RunSegment[] {
    const { synced } = this.file;
    const { segments } = this.#index;
    let count = segments.length;
    while (count > 0 && segments[count - 1]!.end > synced) count--;
    return count === segments.length ? segments : segments.slice(0, count);
  }

  get events(): readonly TimedEvent[] {
    return this.#events.all;
  }

  get sourceEnd(): SourceEnd {
    return this.#ends.inSource(this.sourceOffset);
  }

  /** µs of stream time where the track that segments follow has come to; 0 at the start. */
  get endTime(): number {
    return this.#index.endTime;
  }

  /** True if the track has chunks here. */
  has(track: number): boolean {
    return this.#ends.has(track);
  }

  /** Takes a chunk. */
  add(block: Block<CmafConfig>): void {
    this.#index.add({ ...block, size: block.bytes.length });
    this.#ends.note(block.track, block);
    this.#events.take(block.bytes);
    this.file.append(block.bytes);
  }

  /** Ends the run: what is open becomes its last segment. Resolves when all of it is on the disk. */
  async end(): Promise<RecordedRun> {
    this.#index.finish();
    await this.file.close();
    return {
      path: this.path,
      tracks: this.tracks,
      initBytes: this.initBytes,
      wallMs: this.wallMs,
      sourceOffset: this.sourceOffset,
      size: this.size,
      segments: this.#index.segments,
      events: this.events,
      sourceEnd: this.sourceEnd,
    };
  }
}

/**
 * Reads the file of a run that a crash may have torn, and cuts off its torn tail. Undefined if nothing is left.
 * @param resumable keep only what lies in front of the last key frame that begins a segment: the publisher has the
 * rest still and sends it again.
 */
export async function recoverRun(path: string, resumable: boolean): Promise<RecordedRun | undefined> {
  let header: RunHeader | undefined;
  let index = new SegmentIndex(false, 0);
  let ends = new TrackEnds([]);
  const events = new RunEvents();
  let cut: { readonly size: number; readonly sourceEnd: SourceEnd } | undefined;
  const valid = await scanRun(path, {
    header: (found) => {
      header = found;
      index = new SegmentIndex(hasVideo(found.tracks), found.size);
      ends = new TrackEnds(found.tracks);
    },
    message: (bytes) => events.take(bytes),
    chunk: (chunk) => {
      const before = index.segments.length;
      const { size } = index;
      index.add(chunk);
      if (chunk.independent && index.segments.length > before) {
        cut = { size, sourceEnd: ends.inSource(header?.sourceOffset) };
      }
      ends.note(chunk.track, chunk);
    },
  });
  index.finish();
  if (header === undefined || index.segments.length === 0 || (resumable && cut === undefined))
    return undefined;
  const keep = resumable ? cut!.size : valid;
  await truncate(path, keep);
  return {
    path,
    tracks: header.tracks,
    initBytes: header.init.length,
    wallMs: header.wallMs,
    sourceOffset: header.sourceOffset,
    size: keep,
    segments: index.segments.filter(({ end }) => end <= keep),
    events: events.all,
    sourceEnd: resumable ? cut!.sourceEnd : ends.inSource(header.sourceOffset),
  };
}

/** True if pictures lead. */
export function hasVideo(tracks: readonly Track[]): boolean {
  return tracks.some(({ parameters }) => parameters.kind === 'video');
}

/** How far each track has come, in µs of stream time. */
class TrackEnds {
  readonly #tracks: readonly Track[];
  readonly #ends = new Map<number, number>();

  constructor(tracks: readonly Track[]) {
    this.#tracks = tracks;
  }

  has(track: number): boolean {
    return this.#ends.has(track);
  }

  note(track: number, { time, duration }: Pick<ChunkNote, 'time' | 'duration'>): void {
    this.#ends.set(track, time + duration);
  }

  inSource(offset = 0): SourceEnd {
    const of = (kind: string): number | undefined => {
      const track = this.#tracks.find(({ parameters }) => parameters.kind === kind);
      const end = track === undefined ? undefined : this.#ends.get(track.id);
      return end === undefined ? undefined : end - offset;
    };
    return { video: of('video'), audio: of('audio') };
  }
}
