import type { Sample, Track, VideoParameters } from '@onair/media';
import { parseChunks, progressiveHeader } from '@onair/media/isobmff';
import { HttpProblem } from '../net/index.ts';
import { type RunView, tracksOfInit } from '../record/index.ts';
import { hasEncoder } from './encoder-look.ts';
import { SharedJobs } from './shared-jobs.ts';
import { readSpan } from './span.ts';
import { samplesOf, type TurnedPicture, withPictures } from './turned-segment.ts';

/** Segments turned at one time: each takes about a core … */
const MAX_RUNNING = 2;
/** … so many more may wait for that … */
const MAX_WAITING = 32;
/** … one may take so long, in milliseconds … */
const MAX_WORK_MS = 30_000;
/** … and so many octets of turned segments are kept. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
/** Octets of a run from a key frame to the end of the segment that is turned. */
const MAX_LEAD_BYTES = 64 * 1024 * 1024;
/** Runs whose tracks are remembered. */
const MAX_KNOWN_RUNS = 1_000;

/** Makes H.264 of pictures. */
export interface PictureTurner {
  /** Name or path of an ffmpeg; undefined while nothing is to be turned. */
  readonly program: string | undefined;
  /**
   * Each picture from `samples[first]` on, under its time, the first of them a key frame; those in front only lead to it.
   * @throws Error with the reason.
   */
  turn(batch: {
    readonly track: Track;
    readonly samples: readonly Sample[];
    readonly first: number;
    readonly signal: AbortSignal;
  }): Promise<readonly TurnedPicture[]>;
}

interface TurnedSegment {
  readonly bytes: Uint8Array;
  /** Undefined if it has no pictures. */
  readonly parameters: VideoParameters | undefined;
}

/**
 * Runs whose pictures no player of HLS takes in MP4, with H.264 in their place: made segment by segment when somebody
 * asks. All else in a segment is as it was recorded.
 */
export class TurnedRuns {
  readonly #turner: PictureTurner;
  readonly #jobs = new SharedJobs<TurnedSegment>({
    running: MAX_RUNNING,
    waiting: MAX_WAITING,
    workMs: MAX_WORK_MS,
    keptBytes: MAX_KEPT_BYTES,
  });
  /** By path; those asked for last at the end. */
  readonly #tracks = new Map<string, readonly Track[]>();
  /** Whether the program can do it, by its name; looked for once. */
  readonly #able = new Map<string, Promise<boolean>>();

  constructor(turner: PictureTurner) {
    this.#turner = turner;
  }

  /** For each run, whether players need it turned and it can be. */
  async among(runs: readonly RunView[]): Promise<boolean[]> {
    const found: boolean[] = [];
    // One after the other: there may be more of them than files may be open.
    for (const run of runs) found.push(await this.#wanted(run));
    return found;
  }

  /**
   * A segment of a run, or without number its header. @param gone resolves when the asker is gone.
   * @throws HttpProblem `NOT_FOUND` if the run is not turned, else as {@link SharedJobs.get}.
   */
  async read(run: RunView, segment: number | undefined, gone: Promise<unknown>): Promise<Uint8Array> {
    const tracks = await this.#tracksOf(run);
    const track = foreign(tracks);
    if (track === undefined || !(await this.#isAble())) throw new HttpProblem('NOT_FOUND');
    const number = segment ?? 0;
    const work = (signal: AbortSignal): Promise<TurnedSegment> => this.#turn(run, track, number, signal);
    const { bytes, parameters } = await this.#jobs.get(`${run.path}/${number}`, work, gone);
    if (segment !== undefined) return bytes;
    // The same settings make the same parameters of every segment.
    if (parameters === undefined) throw new HttpProblem('NOT_FOUND');
    return progressiveHeader(tracks.map((one) => (one === track ? { ...one, parameters } : one)));
  }

  /** Ends all work. Safe to call twice. */
  close(): void {
    this.#jobs.close();
  }

  async #wanted(run: RunView): Promise<boolean> {
    if (run.segments.length === 0 || this.#turner.program === undefined) return false;
    // A file that cannot be read is told of where it is asked for.
    const tracks = await this.#tracksOf(run).catch(() => []);
    return foreign(tracks) !== undefined && (await this.#isAble());
  }

  async #turn(run: RunView, track: Track, number: number, signal: AbortSignal): Promise<TurnedSegment> {
    const { path, segments } = run;
    const { start, end } = segments[number]!;
    const begin = segments.findLastIndex(({ independent }, i) => independent && i <= number);
    const from = segments[Math.max(0, begin)]!.start;
    if (end - from > MAX_LEAD_BYTES) {
      throw new HttpProblem('CODEC_NOT_CARRIED', { detail: 'The key frame is too far in front.' });
    }
    const all = await readSpan({ path, from, to: end });
    const bytes = all.subarray(start - from);
    const chunks = parseChunks(bytes);
    const wanted = samplesOf(track, chunks);
    if (wanted.length === 0) return { bytes, parameters: undefined };
    const lead = segments
      .slice(Math.max(0, begin), number)
      .flatMap((one) => samplesOf(track, parseChunks(all.subarray(one.start - from, one.end - from))));
    const pictures = await this.#turner.turn({
      track,
      samples: [...lead, ...wanted],
      first: lead.length,
      signal,
    });
    return withPictures(bytes, chunks, track, pictures);
  }

  async #tracksOf({ path, initBytes }: RunView): Promise<readonly Track[]> {
    const known = this.#tracks.get(path);
    const tracks = known ?? tracksOfInit(await readSpan({ path, from: 0, to: initBytes }));
    this.#tracks.delete(path);
    this.#tracks.set(path, tracks);
    if (this.#tracks.size > MAX_KNOWN_RUNS) this.#tracks.delete(this.#tracks.keys().next().value!);
    return tracks;
  }

  #isAble(): Promise<boolean> {
    const { program } = this.#turner;
    if (program === undefined) return Promise.resolve(false);
    const known = this.#able.get(program) ?? hasEncoder(program, 'libx264');
    this.#able.set(program, known);
    return known;
  }
}

/** The track that no player of HLS takes in MP4. */
function foreign(tracks: readonly Track[]): Track | undefined {
  return tracks.find(({ parameters }) => parameters.codec === 'vp8');
}
