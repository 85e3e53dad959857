import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditRecord, DecodeError, decodeAuditRecord, Field } from '@onair/contracts';
import { AppendFile } from '../disk/index.ts';

/** Octets of one of the two files; then the older one goes. */
const MAX_FILE = 4_194_304;
/** Octets of an event's data that are kept on disk. */
const MAX_DATA = 4096;
/** Records that can be read through the API. */
const MAX_RECORDS = 500;

/** What an audit log works with. */
export interface AuditLogDeps {
  /** Data folder; without one nothing outlives the process. */
  readonly folder?: string;
  /** Octets of one file, 4 MiB if left out. */
  readonly maxFile?: number;
  /** Told when the disk takes nothing. */
  failed(error: unknown): void;
}

/**
 * Who did what and when, one line of JSON each in `event-log.jsonl` of the data folder; `event-log.1.jsonl` is what
 * was before, so that the two together never exceed twice the size of one.
 */
export class AuditLog {
  readonly #deps: AuditLogDeps;
  #records: AuditRecord[] = [];
  #file: AppendFile | undefined;
  readonly #lines: Buffer[] = [];
  #working: Promise<void> = Promise.resolve();

  /** Reads what is there. @throws Error if the folder cannot be used. */
  constructor(deps: AuditLogDeps) {
    this.#deps = deps;
    if (deps.folder === undefined) return;
    mkdirSync(deps.folder, { recursive: true, mode: 0o700 });
    this.#read(this.#path('.1'));
    const size = this.#read(this.#path(''));
    this.#file = new AppendFile(this.#path(''), size);
  }

  /** The latest, newest first. */
  get records(): readonly AuditRecord[] {
    return this.#records.toReversed();
  }

  /** Adds one; it is on the disk a moment later. */
  add(record: AuditRecord): void {
    const kept = shortened(record);
    this.#records.push(kept);
    if (this.#records.length > MAX_RECORDS) this.#records.shift();
    if (this.#file === undefined) return;
    this.#lines.push(Buffer.from(`${JSON.stringify(kept)}\n`));
    if (this.#lines.length === 1)
      this.#working = this.#working.then(() => this.#write()).catch((error) => this.#deps.failed(error));
  }

  /** Resolves when everything is on the disk. */
  async close(): Promise<void> {
    await this.#working;
    await this.#file?.close().catch((error) => this.#deps.failed(error));
  }

  /** Writes what has come until now, with one wait for the disk. */
  async #write(): Promise<void> {
    for (const line of this.#lines.splice(0)) {
      if (this.#file!.size + line.length > (this.#deps.maxFile ?? MAX_FILE)) {
        await this.#file!.close();
        await rename(this.#path(''), this.#path('.1'));
        this.#file = new AppendFile(this.#path(''));
      }
      this.#file!.append(line);
    }
    await this.#file!.flush();
  }

  #path(part: string): string {
    return join(this.#deps.folder ?? '', `event-log${part}.jsonl`);
  }

  /** Takes the records of a file; returns how many octets of it are whole lines. */
  #read(path: string): number {
    if (!existsSync(path)) return 0;
    const bytes = readFileSync(path);
    const end = bytes.lastIndexOf(0x0a) + 1;
    for (const line of bytes
      .toString('utf8', 0, end)
      .split('\n')
      .slice(-MAX_RECORDS - 1)) {
      const record = recordOf(line);
      if (record !== undefined) this.#records.push(record);
    }
    this.#records = this.#records.slice(-MAX_RECORDS);
    return end;
  }
}

function recordOf(line: string): AuditRecord | undefined {
  try {
    return decodeAuditRecord(new Field(JSON.parse(line)));
  } catch (error) {
    // A line that a crash or somebody's editor broke tells nothing; the others still do.
    if (error instanceof SyntaxError || error instanceof DecodeError) return undefined;
    throw error;
  }
}

function shortened(record: AuditRecord): AuditRecord {
  const text = JSON.stringify(record.event.data ?? null);
  if (text.length <= MAX_DATA) return record;
  return { ...record, event: { ...record.event, data: { cut: text.length } } };
}
