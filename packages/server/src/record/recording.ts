import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamName } from '@onair/media';
import { type DiskSync, writeWhole } from '../disk/index.ts';
import type { Block } from '../hub/index.ts';
import type { CmafConfig } from '../packager/cmaf/index.ts';
import { makeMovie } from './movie-file.ts';
import { hasVideo, OpenRun, type RecordedRun, recoverRun, type SourceEnd } from './run.ts';
import { durationOf, HEADER_FILE, INDEX_FILE, type RecordingView, writeIndex } from './view.ts';
import { wantsWebm, writeWebm } from './webm-file.ts';

/** Most octets that wait for the disk; beyond it the recording has a gap. */
export const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;
/** Longest pause within a run, in µs: a longer one ends it. */
const MAX_PAUSE_US = 1_000_000;

/** Which recording, and where. */
export interface RecordingPlace {
  readonly id: string;
  readonly stream: StreamName;
  readonly folder: string;
}

/** What goes on outside of a recording. */
export interface RecordingContext {
  readonly sync: DiskSync;
  /** The stream's clock minus its publisher's, in µs. */
  sourceOffset(): number | undefined;
  /** Media was lost, and why. */
  lost(recording: RecordingView, reason: string): void;
}

/** A recording in the making: takes CMAF chunks and appends them to the file of its run. */
export class Recording implements RecordingView {
  readonly #place: RecordingPlace;
  readonly #context: RecordingContext;
  readonly #past: RecordedRun[];
  #open: { readonly run: OpenRun; readonly release: () => void } | undefined;
  /** Runs that are being closed. */
  readonly #closing = { runs: 0, done: Promise.resolve() };
  /** Number of the last run's file. */
  #count: number;
  /** The disk was too slow: what follows begins another run. */
  #gap = false;

  /** @param past runs that are there already. */
  constructor(place: RecordingPlace, context: RecordingContext, past: readonly RecordedRun[] = []) {
    this.#place = place;
    this.#context = context;
    this.#past = [...past];
    this.#count = past.length === 0 ? 0 : Number(/(\d+)\.mp4$/.exec(past.at(-1)!.path)?.[1] ?? 0);
    mkdirSync(place.folder, { recursive: true, mode: 0o700 });
  }

  /**
   * Reads what a crash left of a recording.
   * @param resumable see {@link recoverRun}; holds for the last run.
   */
  static async recover(
    place: RecordingPlace,
    context: RecordingContext,
    resumable: boolean,
  ): Promise<Recording> {
    const names = (await readdir(place.folder)).filter((name) => /^\d{1,9}\.mp4$/.test(name));
    const numbers = names.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
    const runs: RecordedRun[] = [];
    for (const [i, number] of numbers.entries()) {
      const path = join(place.folder, `${number}.mp4`);
      const run = await recoverRun(path, resumable && i === numbers.length - 1);
      if (run === undefined) await rm(path, { force: true });
      else runs.push(run);
    }
    return new Recording(place, context, runs);
  }

  get id(): string {
    return this.#place.id;
  }

  get stream(): StreamName {
    return this.#place.stream;
  }

  get folder(): string {
    return this.#place.folder;
  }

  get finished(): boolean {
    return false;
  }

  get headerBytes(): undefined {
    return undefined;
  }

  get webmBytes(): number {
    return 0;
  }

  get runs(): readonly RecordedRun[] {
    return this.#open === undefined ? this.#past : [...this.#past, this.#open.run];
  }

  get audioOnly(): boolean {
    return this.runs.length > 0 && this.runs.every(({ tracks }) => !hasVideo(tracks));
  }

  get startedMs(): number {
    return this.runs[0]?.wallMs ?? 0;
  }

  get duration(): number {
    return durationOf(this.runs);
  }

  /** The file that is written, or the next one. */
  get file(): string {
    return this.#open?.run.path ?? join(this.folder, `${this.#count + 1}.mp4`);
  }

  /** Octets that wait for the disk. */
  get backlog(): number {
    return this.#open?.run.file.backlog ?? 0;
  }

  /** Where the publisher would go on after what is recorded; undefined while nothing is. */
  get sourceEnd(): SourceEnd | undefined {
    return this.runs.at(-1)?.sourceEnd;
  }

  /** Begins at the next block that can be decoded on its own: for a stream that has been live for a while. */
  awaitKeyframe(): void {
    this.#gap = true;
  }

  /** Takes a block of the stream's CMAF log. */
  take(block: Block<CmafConfig>): void {
    if (block.kind === 'config') this.#endRun();
    if (block.kind !== 'media') return;
    const run = this.#open?.run;
    const leads = block.video || !hasVideo(block.epoch.tracks);
    const broken = run !== undefined && block.discontinuity && run.has(block.track);
    const paused = run !== undefined && leads && run.endTime > 0 && block.time - run.endTime > MAX_PAUSE_US;
    if (broken || paused) this.#endRun();
    if (this.backlog > MAX_BACKLOG_BYTES) {
      this.#endRun();
      this.#gap = true;
      this.#context.lost(this, 'the disk is too slow');
    }
    if (this.#gap && (!leads || !block.independent || this.#closing.runs > 0)) return;
    this.#gap = false;
    this.#open ??= this.#begin(block);
    this.#open.run.add(block);
  }

  /** Brings everything to the disk and lets go of it; the recording can be recovered and go on. */
  async suspend(): Promise<void> {
    this.#endRun();
    await this.#closing.done;
  }

  /** Waits until what was taken is on the disk. */
  async settle(): Promise<void> {
    await this.#open?.run.file.flush();
    await this.#closing.done;
  }

  /** Ends the recording: makes its index and the header of the finished file. Undefined if nothing was recorded. */
  async finish(): Promise<RecordingView | undefined> {
    await this.suspend();
    const runs = this.#past.filter(({ segments }) => segments.length > 0);
    if (runs.length === 0) {
      await rm(this.folder, { recursive: true, force: true });
      return undefined;
    }
    const movie = await makeMovie(runs);
    await writeWhole(join(this.folder, HEADER_FILE), movie.header);
    const webmBytes = wantsWebm(runs) ? await writeWebm(this.folder, runs) : 0;
    const view: RecordingView = {
      ...this.#place,
      finished: true,
      startedMs: runs[0]!.wallMs,
      duration: durationOf(runs),
      audioOnly: runs.every(({ tracks }) => !hasVideo(tracks)),
      runs,
      headerBytes: movie.header.length,
      webmBytes,
    };
    await writeWhole(join(this.folder, INDEX_FILE), writeIndex(view));
    return view;
  }

  #begin(block: Block<CmafConfig>): { run: OpenRun; release: () => void } {
    const facts = { wallMs: Math.round(block.wallMs), sourceOffset: this.#context.sourceOffset() };
    const run = new OpenRun(join(this.folder, `${++this.#count}.mp4`), block.epoch.tracks, facts);
    return { run, release: this.#context.sync.add(run.file) };
  }

  /** Ends the run that is being written, if any; what comes next begins another. */
  #endRun(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    open.release();
    const at = this.#past.push(open.run) - 1;
    const closing = this.#closing;
    closing.runs++;
    closing.done = closing.done.then(async () => {
      try {
        this.#past[at] = await open.run.end();
      } catch {
        this.#context.lost(this, 'the end of a run cannot be written');
      }
      closing.runs--;
    });
  }
}

/** A new name for a recording: when it began, and something that nobody else has. */
export function newRecordingId(wallMs: number): string {
  const time = new Date(wallMs).toISOString().replace(/[-:]/g, '').slice(0, 15);
  return `${time}-${randomBytes(3).toString('hex')}`;
}
