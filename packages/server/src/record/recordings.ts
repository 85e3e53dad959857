import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isNamePart, type StreamName, splitStreamName, streamName } from '@onair/media';
import type { DiskSync } from '../disk/index.ts';
import type { Clock, PackagerKind, Stream, StreamRegistry } from '../hub/index.ts';
import type { CmafPackager } from '../packager/cmaf/index.ts';
import { newRecordingId, Recording, type RecordingContext, type RecordingPlace } from './recording.ts';
import type { SourceEnd } from './run.ts';
import { INDEX_FILE, type RecordingView, readIndex } from './view.ts';

/** Recordings of one name that are looked at. */
const MAX_PER_STREAM = 10_000;
/** Octets waiting for the disk from which on a publisher that can wait should. */
const PRESSURE_BYTES = 8 * 1024 * 1024;
const ID = /^\d{8}T\d{6}-[0-9a-f]{6}$/;

/** What recordings are made from. */
export interface RecordingDeps {
  readonly registry: StreamRegistry;
  readonly clock: Clock;
  readonly kind: PackagerKind<CmafPackager>;
  readonly sync: DiskSync;
  /** Folder of all recordings. */
  readonly folder: string;
  /** True for a live stream that is to be recorded. */
  wanted(stream: Stream): boolean;
  /** A recording has begun. @param file its first file. Throws nothing. */
  started?(stream: StreamName, file: string): void;
  /** A recording is finished: all of it can be fetched. Throws nothing. */
  finished?(recording: RecordingView): void;
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/**
 * What came of an order: the file that is begun or was ended, that it was so already, that nobody publishes, or that
 * the disk refuses.
 */
export type OrderAnswer = { readonly file: string } | 'already' | 'off air' | 'failed';

interface Active {
  readonly recording: Recording;
  stop: (() => void) | undefined;
}

/** Every recording there is: makes them while streams are live, and finds them afterwards. */
export class Recordings {
  readonly #deps: RecordingDeps;
  readonly #active = new Map<StreamName, Active>();
  /** Finishes under way, by stream. */
  readonly #finishing = new Map<StreamName, Promise<RecordingView | 'failed' | undefined>>();
  /** Ended, but the disk did not take what makes them whole. */
  readonly #refused = new Map<StreamName, Recording>();
  /** What an operator ordered, as long as the stream lasts. */
  readonly #ordered = new Map<StreamName, boolean>();
  readonly #unlisten: () => void;
  #closed = false;

  constructor(deps: RecordingDeps) {
    this.#deps = deps;
    this.#unlisten = deps.registry.onChange((stream) => this.#changed(stream));
  }

  /**
   * Looks after what a crash left. Recordings of these streams wait for their publisher to send the rest again, all
   * others are finished as they are.
   */
  async recover(resumable: ReadonlySet<StreamName>): Promise<void> {
    for (const place of await this.#unfinished()) {
      try {
        const waits = resumable.has(place.stream) && !this.#active.has(place.stream);
        const recording = await Recording.recover(place, this.#context(place.stream), waits);
        if (waits) this.#active.set(place.stream, { recording, stop: undefined });
        else {
          const view = await recording.finish();
          if (view !== undefined) this.#deps.finished?.(view);
        }
        const { stream, id, duration } = recording;
        this.#deps.log('recording recovered', { stream, recording: id, seconds: duration / 1_000_000 });
      } catch (error) {
        this.#deps.log('recording cannot be recovered', { folder: place.folder, err: error });
      }
    }
  }

  /** Where the publisher of a recording that goes on would go on, in µs of its own clock. */
  sourceEnd(stream: StreamName): SourceEnd | undefined {
    return this.#active.get(stream)?.recording.sourceEnd;
  }

  /** Waits while the disk is behind with this stream. */
  async relief(stream: StreamName): Promise<void> {
    const recording = this.#active.get(stream)?.recording;
    if (recording !== undefined && recording.backlog > PRESSURE_BYTES) {
      await recording.settle().catch(() => undefined);
    }
  }

  /** Waits until everything of a stream so far is on the disk; false if the disk does not take it. */
  async settle(stream: StreamName): Promise<boolean> {
    try {
      await this.#active.get(stream)?.recording.settle();
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Ends the recording of a stream; resolves with it when all of it can be fetched, or with `failed` if the disk
   * refuses.
   * @param again tries once more what failed, whatever is recorded since. What is not tried is finished at the next start.
   */
  finish(stream: StreamName, again = false): Promise<RecordingView | 'failed' | undefined> {
    const active = this.#active.get(stream);
    if (active !== undefined && !again) {
      active.stop?.();
      this.#active.delete(stream);
      return this.#complete(active.recording);
    }
    const refused = again ? this.#refused.get(stream) : undefined;
    if (refused !== undefined) return this.#complete(refused);
    return this.#finishing.get(stream) ?? Promise.resolve(undefined);
  }

  /** Begins or ends the recording of a live stream whose `wanted` says something else than before. */
  reconsider(name: StreamName): void {
    const stream = this.#deps.registry.find(name);
    if (this.#closed || stream?.state !== 'live') return;
    if (!this.#wanted(stream)) void this.finish(name);
    else if (!this.#active.has(name)) this.#begin(stream, undefined, true);
  }

  /** Begins or ends the recording of a live stream, whatever `wanted` says, until the stream ends. */
  order(name: StreamName, on: boolean): OrderAnswer {
    if (this.#deps.registry.find(name)?.state !== 'live') return 'off air';
    const before = this.#active.get(name)?.recording.file;
    this.#ordered.set(name, on);
    if ((before !== undefined) === on) return 'already';
    this.reconsider(name);
    const file = on ? this.#active.get(name)?.recording.file : before;
    return file === undefined ? 'failed' : { file };
  }

  /** The recording of a stream that goes on, else the newest one. */
  async newest(stream: StreamName): Promise<RecordingView | undefined> {
    const active = this.#active.get(stream);
    if (active !== undefined) return active.recording;
    await this.#finishing.get(stream);
    const ids = await this.#ids(stream);
    const last = ids.at(-1);
    return last === undefined ? undefined : this.find(stream, last);
  }

  /** A recording by its id. */
  async find(stream: StreamName, id: string): Promise<RecordingView | undefined> {
    const active = this.#active.get(stream);
    if (active?.recording.id === id) return active.recording;
    if (!ID.test(id)) return undefined;
    const place = this.#place(stream, id);
    try {
      return readIndex(await readFile(join(place.folder, INDEX_FILE), 'utf8'), place);
    } catch {
      return undefined;
    }
  }

  /** Stops recording, with everything on the disk; what was going on can be recovered. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unlisten();
    for (const { stop } of this.#active.values()) stop?.();
    await Promise.all([...this.#active.values()].map(({ recording }) => recording.suspend()));
    this.#active.clear();
    await Promise.all(this.#finishing.values());
  }

  #complete(recording: Recording): Promise<RecordingView | 'failed' | undefined> {
    const { stream, id } = recording;
    if (this.#refused.get(stream) === recording) this.#refused.delete(stream);
    const done = recording
      .finish()
      .then((view) => {
        this.#deps.log('recording finished', { stream, recording: id, seconds: recording.duration / 1e6 });
        if (view !== undefined) this.#deps.finished?.(view);
        return view;
      })
      .catch((error: unknown) => {
        this.#deps.log('recording cannot be finished', { stream, recording: id, err: error });
        this.#refused.set(stream, recording);
        return 'failed' as const;
      })
      .finally(() => {
        if (this.#finishing.get(stream) === done) this.#finishing.delete(stream);
      });
    this.#finishing.set(stream, done);
    return done;
  }

  #changed(stream: Stream): void {
    if (this.#closed) return;
    if (stream.state === 'ended') this.#ordered.delete(stream.name);
    const active = this.#active.get(stream.name);
    if (stream.state === 'live' && active?.stop === undefined && this.#wanted(stream)) {
      this.#begin(stream, active?.recording);
    } else if (stream.state === 'ended' && active?.stop !== undefined) void this.finish(stream.name);
  }

  #wanted(stream: Stream): boolean {
    return this.#ordered.get(stream.name) ?? this.#deps.wanted(stream);
  }

  #begin(stream: Stream, running: Recording | undefined, late = false): void {
    const { clock, kind, log } = this.#deps;
    const { name } = stream;
    try {
      const place = this.#place(name, newRecordingId(clock.wall()));
      const recording = running ?? new Recording(place, this.#context(name));
      if (late) recording.awaitKeyframe();
      const { log: blocks } = stream.packager(kind);
      // The stream tells that it is live before its first sample.
      const stop = blocks.follow({ appended: (block) => recording.take(block), ended: () => undefined });
      this.#active.set(name, { recording, stop });
      log('recording', { stream: name, recording: recording.id });
      if (running === undefined) this.#deps.started?.(name, recording.file);
    } catch (error) {
      log('recording cannot begin', { stream: name, err: error });
    }
  }

  #context(stream: StreamName): RecordingContext {
    return {
      sync: this.#deps.sync,
      sourceOffset: () => this.#deps.registry.find(stream)?.publication?.sourceOffset,
      lost: ({ id }, reason) => this.#deps.log('recording has a gap', { stream, recording: id, reason }),
    };
  }

  #place(stream: StreamName, id: string): RecordingPlace {
    const { app, name } = splitStreamName(stream);
    return { id, stream, folder: join(this.#deps.folder, app, name, id) };
  }

  async #ids(stream: StreamName): Promise<string[]> {
    const { app, name } = splitStreamName(stream);
    const ids = await names(join(this.#deps.folder, app, name), (id) => ID.test(id));
    return ids.sort().slice(-MAX_PER_STREAM);
  }

  async #unfinished(): Promise<RecordingPlace[]> {
    const found: RecordingPlace[] = [];
    for (const app of await names(this.#deps.folder, isNamePart)) {
      for (const name of await names(join(this.#deps.folder, app), isNamePart)) {
        const stream = streamName(app, name);
        for (const id of await this.#ids(stream)) {
          const place = this.#place(stream, id);
          const files = await names(place.folder, () => true);
          if (files.includes(INDEX_FILE)) continue;
          if (files.length === 0) await rm(place.folder, { recursive: true, force: true });
          else found.push(place);
        }
      }
    }
    // The newest one of a name first: that is the one its publisher would go on with.
    return found.sort((a, b) => (a.id < b.id ? 1 : -1));
  }
}

async function names(folder: string, keep: (name: string) => boolean): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(keep);
  } catch {
    return [];
  }
}
