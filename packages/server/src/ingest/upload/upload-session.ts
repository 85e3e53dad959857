import { mkdirSync } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { ParseError, type StreamName } from '@onair/media';
import { AppendFile, type DiskSync, writeWhole } from '../../disk/index.ts';
import { HubError, type Publication, type SessionTable, type StreamRegistry } from '../../hub/index.ts';
import { type SourceEnd, UploadIntake } from './upload-intake.ts';

/** Recordings as an upload needs them; made elsewhere. */
export interface UploadRecordings {
  /** Where the recording that goes on ends. */
  sourceEnd(stream: StreamName): SourceEnd | undefined;
  /** Waits while the disk is behind. */
  relief(stream: StreamName): Promise<void>;
  /** Waits until everything recorded is on the disk; false if the disk does not take it. */
  settle(stream: StreamName): Promise<boolean>;
  /**
   * Ends the recording; resolves when all of it can be fetched, or with `failed` if the disk refuses for now.
   * @param again once more what failed.
   */
  finish(
    stream: StreamName,
    again?: boolean,
  ): Promise<
    | {
        readonly id: string;
        readonly duration: number;
        readonly audioOnly: boolean;
        /** Octets of the file in WebM; 0 if there is none. */
        readonly webmBytes: number;
      }
    | 'failed'
    | undefined
  >;
}

/** What a session is made with. */
export interface UploadSessionDeps {
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
  readonly recordings: UploadRecordings;
  readonly sync: DiskSync;
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What of a session outlives a restart. */
export interface UploadRecord {
  readonly id: string;
  readonly stream: StreamName;
  /** Equal for publishers that showed the same credentials. */
  readonly identity: string;
  readonly protocol: 'upload' | 'ms2hls';
  /** Octets in front of which media is missing. */
  readonly gaps: readonly number[];
}

/** Why an upload is refused or ended. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
  readonly code: 'CONFLICT' | 'OVER' | 'FULL' | 'TOO_LARGE';

  constructor(code: UploadError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Octets fed at a time, so that nobody waits long for a turn. */
const SLICE_BYTES = 128 * 1024;
/** Warnings of one session that are logged. */
const MAX_FAULTS_LOGGED = 20;
/** File with the media as it came. */
export const SPOOL_FILE = 'media';
/** File with the {@link UploadRecord}. */
export const SESSION_FILE = 'session.json';

/**
 * One upload: what comes is appended to a spool file and published at the same time. Its offset counts what is on
 * the disk; a restart of the server feeds the spool again, passing over what is recorded already.
 */
export class UploadSession {
  readonly folder: string;
  /** Address that the last bytes came from. */
  address = '';
  /** Called once if the hub or the media end the session. */
  onEnd: (reason: string) => void = () => undefined;
  readonly #deps: UploadSessionDeps;
  readonly #spool: AppendFile;
  readonly #stop: (() => void)[] = [];
  #record: UploadRecord;
  #intake: UploadIntake;
  #publication: Publication | undefined;
  #work: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #faults = 0;

  private constructor(folder: string, record: UploadRecord, spool: AppendFile, deps: UploadSessionDeps) {
    this.folder = folder;
    this.#record = record;
    this.#spool = spool;
    this.#deps = deps;
    this.#intake = this.#newIntake(undefined);
  }

  /**
   * Begins a session. Rejects if the name is taken or the disk refuses.
   * @throws HubError
   */
  static async begin(folder: string, record: UploadRecord, deps: UploadSessionDeps): Promise<UploadSession> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const session = new UploadSession(folder, record, new AppendFile(join(folder, SPOOL_FILE)), deps);
    session.#publish();
    try {
      await writeWhole(join(folder, SESSION_FILE), JSON.stringify(record));
      await session.#spool.flush();
    } catch (error) {
      session.#close('the disk refuses');
      throw error;
    }
    session.#stop.push(deps.sync.add(session.#spool));
    return session;
  }

  /**
   * Goes on after a restart: publishes what the spool has and the recording has not.
   * @param limit octets of the spool that count; all if left out.
   */
  static async resume(
    folder: string,
    record: UploadRecord,
    deps: UploadSessionDeps,
    limit?: number,
  ): Promise<UploadSession> {
    const path = join(folder, SPOOL_FILE);
    const size = Math.min(
      await stat(path).then(
        (file) => file.size,
        () => 0,
      ),
      limit ?? Infinity,
    );
    const session = new UploadSession(folder, record, new AppendFile(path, size), deps);
    session.#publish();
    session.#intake = session.#newIntake(deps.recordings.sourceEnd(record.stream));
    await session.#spool.flush();
    session.#stop.push(deps.sync.add(session.#spool));
    session.#work = session.#replay(path, size);
    return session;
  }

  get id(): string {
    return this.#record.id;
  }

  get record(): UploadRecord {
    return this.#record;
  }

  /** Octets received. */
  get received(): number {
    return this.#spool.size;
  }

  /** Octets on the disk. */
  get durable(): number {
    return this.#spool.synced;
  }

  /** Octets that the disk does not have yet. */
  get backlog(): number {
    return this.#spool.backlog;
  }

  /** What ended the session, if something did. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Takes the next bytes, which belong to the session from then on. Resolves when there is room for more.
   * @throws ParseError when nothing can come of the upload, Error if the session was ended.
   */
  async accept(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#spool.append(bytes);
    this.#enqueue(() => this.#feed(bytes));
    await this.#work;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Media is missing in front of what comes next. Resolves when that is on the disk. */
  async lost(): Promise<void> {
    const record = { ...this.#record, gaps: [...this.#record.gaps, this.received] };
    await writeWhole(join(this.folder, SESSION_FILE), JSON.stringify(record));
    this.#record = record;
    this.#enqueue(async () => this.#intake.lost());
    await this.#work;
  }

  /** Resolves when everything received is on the disk. */
  async flush(): Promise<void> {
    await this.#spool.flush();
  }

  /**
   * Resolves when everything received, and what is recorded of it, is on the disk.
   * @throws UploadError `FULL` if the disk does not take the recording, Error if it does not take what came.
   */
  async secure(): Promise<void> {
    await this.#work;
    await this.#spool.flush();
    if (!(await this.#deps.recordings.settle(this.#record.stream)))
      throw new UploadError('FULL', 'the disk of the server does not take the recording; nothing is lost');
  }

  /**
   * Nothing follows: ends the stream. Resolves when all of it is published. The folder is gone then, unless the disk
   * did not take the recording: the next start finishes it from what came. Safe to call twice.
   */
  async finish(reason: string): Promise<void> {
    this.#enqueue(async () => this.#intake.end());
    await this.#work;
    this.#failure ??= new UploadError('OVER', reason);
    this.#close(reason);
    await this.#spool.close().catch(() => undefined);
    if (await this.#deps.recordings.settle(this.#record.stream)) {
      await rm(this.folder, { recursive: true, force: true });
    } else
      this.#deps.log('the recording is not on the disk; the upload is kept', { stream: this.#record.stream });
  }

  /** The server stops: everything goes to the disk, and {@link resume} goes on. */
  async suspend(): Promise<void> {
    this.#failure ??= new Error('the server is stopping');
    await this.#work;
    this.#close('server stopping');
    await this.#spool.close();
  }

  #enqueue(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: unknown) => this.#fail(error));
  }

  async #feed(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      if (this.#failure !== undefined) return;
      if (at > 0) await turn();
      this.#intake.push(bytes.subarray(at, at + SLICE_BYTES));
    }
    await this.#deps.recordings.relief(this.#record.stream);
  }

  async #replay(path: string, size: number): Promise<void> {
    const handle = await open(path, 'r');
    try {
      const stops = [...this.#record.gaps.filter((gap) => gap < size), size];
      let at = 0;
      for (const stop of stops) {
        while (at < stop && this.#failure === undefined) {
          const wanted = Math.min(SLICE_BYTES, stop - at);
          const { bytesRead, buffer } = await handle.read(new Uint8Array(wanted), 0, wanted, at);
          if (bytesRead === 0) return;
          at += bytesRead;
          await this.#feed(buffer.subarray(0, bytesRead));
        }
        if (stop < size) this.#intake.lost();
      }
      this.#deps.log('upload resumed', { stream: this.#record.stream, bytes: size });
    } catch (error) {
      this.#fail(error);
    } finally {
      await handle.close();
    }
  }

  #newIntake(known: SourceEnd | undefined): UploadIntake {
    return new UploadIntake(
      {
        onKinds: (kinds) => this.#publication?.promise(kinds),
        onTrack: (track) => this.#publication?.setTrack(track),
        onSample: (sample) => this.#publication?.push(sample),
        onFault: (fault) => this.#fault(fault),
      },
      known,
    );
  }

  #publish(): void {
    const { registry, sessions } = this.#deps;
    const { stream, identity, protocol } = this.#record;
    const publication = registry.publish(stream, {
      protocol: 'upload',
      identity,
      revoked: (reason) => this.#fail(new UploadError('OVER', reason)),
    });
    // Who stands by is not recorded: nothing of it may be acknowledged.
    if (publication.standby) {
      publication.close('uploads do not stand by');
      throw new HubError('PUBLISH_CONFLICT', `${stream} is on air already`);
    }
    this.#publication = publication;
    const entry = sessions.add({
      kind: 'publisher',
      protocol,
      stream,
      address: this.address,
      figures: () => ({
        bytes: this.received,
        skips: 0,
        dropped: publication.dropped + this.#intake.dropped,
        backlog: this.backlog,
      }),
      close: (reason) => publication.revoke(reason),
    });
    this.#stop.push(() => entry.remove());
  }

  #fault(fault: ParseError): void {
    if (++this.#faults > MAX_FAULTS_LOGGED) return;
    const { stream } = this.#record;
    this.#deps.log('damage in an upload', { stream, code: fault.code, detail: fault.message });
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    const code = error instanceof ParseError ? error.code : undefined;
    this.#deps.log('upload failed', { stream: this.#record.stream, code, reason: this.#failure.message });
    this.onEnd(this.#failure.message);
  }

  #close(reason: string): void {
    for (const step of this.#stop.splice(0)) step();
    this.#publication?.close(reason);
    this.#publication = undefined;
  }
}
