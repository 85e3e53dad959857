import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UPLOAD_SESSION, type UploadResult } from '@onair/contracts/upload';
import { isNamePart, type StreamName, splitStreamName, streamName } from '@onair/media';
import { type Clock, HubError } from '../../hub/index.ts';
import {
  SESSION_FILE,
  UploadError,
  type UploadRecord,
  UploadSession,
  type UploadSessionDeps,
} from './upload-session.ts';

/** How long the result of an upload that is over can be asked for, in milliseconds. */
const RESULT_MS = 600_000;
/** Results kept at one time. */
const MAX_RESULTS = 1_000;

/** Limits of uploads. */
export interface UploadLimits {
  /** Octets of one upload. */
  readonly maxBytes: number;
  /** How long a publisher may send nothing before its upload is ended, in milliseconds. */
  readonly silenceMs: number;
  /** Uploads at one time. */
  readonly maxSessions: number;
}

/** What uploads need. */
export interface UploadDeps extends UploadSessionDeps {
  readonly clock: Clock;
  /** Folder of the spools. */
  readonly folder: string;
  limits(): UploadLimits;
}

interface Held {
  readonly session: UploadSession;
  cancelTimer: () => void;
  ending: Promise<UploadResult> | undefined;
  /** The disk did not take the end of its recording. */
  refused: boolean;
}

/** Every upload under way, at most one for a stream. */
export class Uploads {
  /** Resolves when what a restart interrupted is known again. */
  readonly ready: Promise<void>;
  readonly #deps: UploadDeps;
  readonly #held = new Map<StreamName, Held>();
  readonly #opening = new Map<StreamName, Promise<UploadSession>>();
  readonly #results = new Map<string, { readonly result: UploadResult; readonly at: number }>();
  #closed = false;

  /** @param recover called with the streams whose uploads go on, before they do. */
  constructor(deps: UploadDeps, recover: (streams: ReadonlySet<StreamName>) => Promise<void>) {
    this.#deps = deps;
    this.ready = this.#recover(recover).catch((error: unknown) => {
      deps.log('uploads cannot be recovered', { err: error });
    });
  }

  /** The upload of a stream, if it is this one. */
  find(stream: StreamName, id: string): UploadSession | undefined {
    const session = this.#held.get(stream)?.session;
    return session?.id === id ? session : undefined;
  }

  /** The upload of a stream that is under way. */
  current(stream: StreamName): UploadSession | undefined {
    const held = this.#held.get(stream);
    return held?.ending === undefined ? held?.session : undefined;
  }

  /** Every upload under way. */
  list(): UploadSession[] {
    return [...this.#held.values()].map(({ session }) => session);
  }

  /** What an upload that is over came to. */
  result(stream: StreamName, id: string): UploadResult | undefined {
    return this.#results.get(`${stream} ${id}`)?.result;
  }

  /**
   * The session of this id, begun if it is new.
   * @throws UploadError `CONFLICT`, `OVER`, `FULL`; HubError.
   */
  async open(record: Omit<UploadRecord, 'gaps'>, address: string): Promise<UploadSession> {
    await this.ready;
    const { stream, id } = record;
    await this.#opening.get(stream)?.catch(() => undefined);
    const held = this.#held.get(stream);
    if (held?.session.id === id && held.session.record.identity === record.identity) {
      if (held.ending !== undefined) throw new UploadError('OVER', 'the upload has ended');
      held.session.address = address;
      return held.session;
    }
    if (held !== undefined) throw new UploadError('CONFLICT', `${stream} is being uploaded already`);
    if (this.result(stream, id) !== undefined) throw new UploadError('OVER', 'the upload has ended');
    if (this.#closed || this.#held.size + this.#opening.size >= this.#deps.limits().maxSessions) {
      throw new UploadError('FULL', 'there are as many uploads as the server takes');
    }
    const opening = UploadSession.begin(this.folderOf(stream), { ...record, gaps: [] }, this.#deps);
    this.#opening.set(stream, opening);
    try {
      const session = await opening;
      session.address = address;
      this.#hold(session);
      this.#deps.log('upload began', { stream, session: id, address, protocol: record.protocol });
      return session;
    } finally {
      this.#opening.delete(stream);
    }
  }

  /**
   * Gives bytes to a session; resolves when there is room for more.
   * @throws UploadError `TOO_LARGE`, ParseError, Error.
   */
  async accept(session: UploadSession, bytes: Uint8Array): Promise<void> {
    this.touch(session);
    if (session.received + bytes.length > this.#deps.limits().maxBytes) {
      throw new UploadError('TOO_LARGE', `an upload has at most ${this.#deps.limits().maxBytes} bytes`);
    }
    await session.accept(bytes);
  }

  /** The publisher is there still. */
  touch(session: UploadSession): void {
    const held = this.#held.get(session.record.stream);
    if (held?.session !== session || held.ending !== undefined) return;
    held.cancelTimer();
    held.cancelTimer = this.#deps.clock.after(this.#deps.limits().silenceMs, () => {
      // It may be silent because it waits for a full disk.
      if (session.received > session.durable && session.failure === undefined) this.touch(session);
      else void this.finish(session, 'the publisher is silent').catch(() => undefined);
    });
  }

  /**
   * Ends an upload as its publisher asks for, if the disk has all of it; else it goes on and can be ended later.
   * @throws UploadError `FULL`, `OVER`; Error if the disk refuses.
   */
  async end(session: UploadSession, reason: string): Promise<UploadResult> {
    this.touch(session);
    const held = this.#held.get(session.record.stream);
    if (held?.session === session && held.ending === undefined) await session.secure();
    return this.finish(session, reason);
  }

  /**
   * Ends an upload, its stream and its recording. Resolves with what it came to. Safe to call twice.
   * @throws UploadError `FULL` if the disk does not take the end of the recording: it can be ended again later.
   */
  finish(session: UploadSession, reason: string): Promise<UploadResult> {
    const { stream } = session.record;
    const held = this.#held.get(stream);
    if (held?.session !== session) {
      const known = this.result(stream, session.id);
      return known === undefined
        ? Promise.reject(new UploadError('OVER', 'it has ended'))
        : Promise.resolve(known);
    }
    held.cancelTimer();
    held.ending ??= this.#finish(session, reason, held.refused).then(
      (result) => {
        this.#held.delete(stream);
        return result;
      },
      (error: unknown) => {
        const full = error instanceof UploadError && error.code === 'FULL';
        if (!full || this.#closed) this.#held.delete(stream);
        else {
          held.ending = undefined;
          held.refused = true;
          // Who does not ask again is not waited for.
          this.touch(session);
        }
        throw error;
      },
    );
    return held.ending;
  }

  /** Folder of a stream's upload. */
  folderOf(stream: StreamName): string {
    const { app, name } = splitStreamName(stream);
    return join(this.#deps.folder, app, name);
  }

  /** Leaves every upload on the disk so that it can go on. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.ready;
    await Promise.all(
      [...this.#held.values()].map(async ({ session, cancelTimer, ending }) => {
        cancelTimer();
        if (ending === undefined) await session.suspend();
        else await ending.catch(() => undefined);
      }),
    );
  }

  async #finish(session: UploadSession, reason: string, again: boolean): Promise<UploadResult> {
    const { registry, recordings, clock, log } = this.#deps;
    const { id, record, received } = session;
    const { stream } = record;
    await session.finish(reason);
    // Nobody comes back from an upload that is over: viewers see the end at once.
    if (!again && registry.find(stream)?.publication === undefined) registry.find(stream)?.end(reason);
    const recording = await recordings.finish(stream, again);
    if (recording === 'failed')
      throw new UploadError('FULL', 'the disk of the server does not take the end of the recording');
    const base = `/${stream}`;
    const result: UploadResult = {
      offset: received,
      seconds: (recording?.duration ?? 0) / 1_000_000,
      playlist: recording === undefined ? '' : `${base}/playlist.m3u8`,
      file:
        recording === undefined
          ? ''
          : `${base}/recordings/${recording.id}/recording.${recording.webmBytes > 0 ? 'webm' : recording.audioOnly ? 'm4a' : 'mp4'}`,
    };
    log('upload ended', { stream, session: id, reason, bytes: received, seconds: result.seconds });
    this.#remember(`${stream} ${id}`, result, clock.now());
    return result;
  }

  #remember(key: string, result: UploadResult, now: number): void {
    for (const [known, { at }] of this.#results) {
      if (now - at < RESULT_MS && this.#results.size < MAX_RESULTS) break;
      this.#results.delete(known);
    }
    this.#results.set(key, { result, at: now });
  }

  #hold(session: UploadSession): void {
    this.#held.set(session.record.stream, {
      session,
      cancelTimer: () => undefined,
      ending: undefined,
      refused: false,
    });
    session.onEnd = (reason) => void this.finish(session, reason).catch(() => undefined);
    this.touch(session);
  }

  async #recover(recover: (streams: ReadonlySet<StreamName>) => Promise<void>): Promise<void> {
    const records = await this.#stored();
    await recover(new Set(records.map(({ stream }) => stream)));
    for (const record of records) {
      const folder = this.folderOf(record.stream);
      try {
        const limit = await spoolLimit(folder);
        this.#hold(await UploadSession.resume(folder, record, this.#deps, limit));
      } catch (error) {
        const reason = error instanceof HubError ? error.message : String(error);
        this.#deps.log('upload cannot be resumed', { stream: record.stream, reason });
        await this.#deps.recordings.finish(record.stream);
      }
    }
  }

  async #stored(): Promise<UploadRecord[]> {
    const found: UploadRecord[] = [];
    for (const app of await names(this.#deps.folder)) {
      for (const name of await names(join(this.#deps.folder, app))) {
        const stream = streamName(app, name);
        const folder = this.folderOf(stream);
        try {
          found.push(readRecord(await readFile(join(folder, SESSION_FILE), 'utf8'), stream));
        } catch {
          // It had not begun: nothing of it was acknowledged.
          await rm(folder, { recursive: true, force: true });
        }
      }
    }
    return found;
  }
}

/** File of the adapter for numbered chunks: `N END` for each that the spool has. */
export const CHUNK_JOURNAL = 'chunks';

/** Octets of the spool that whole chunks brought; undefined for an upload without chunks. */
async function spoolLimit(folder: string): Promise<number | undefined> {
  try {
    const lines = (await readFile(join(folder, CHUNK_JOURNAL), 'utf8')).split('\n').slice(0, -1);
    return Number(lines.at(-1)?.split(' ')[1] ?? 0);
  } catch {
    return undefined;
  }
}

function readRecord(text: string, stream: StreamName): UploadRecord {
  const value = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const { id, identity, protocol, gaps } = value;
  if (typeof id !== 'string' || !UPLOAD_SESSION.test(id) || typeof identity !== 'string')
    throw new TypeError('not a session');
  if (!Array.isArray(gaps) || !gaps.every(Number.isSafeInteger)) throw new TypeError('no gaps');
  return { id, stream, identity, protocol: protocol === 'ms2hls' ? 'ms2hls' : 'upload', gaps };
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(isNamePart);
  } catch {
    return [];
  }
}
