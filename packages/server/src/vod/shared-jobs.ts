import { HttpProblem, refusedForNow } from '../net/index.ts';

/** What {@link SharedJobs} may take of the machine. */
export interface JobLimits {
  /** Jobs that work at one time … */
  readonly running: number;
  /** … and that wait for one of them to be done; more are refused. */
  readonly waiting: number;
  /** Longest time that one may work, in milliseconds. */
  readonly workMs: number;
  /** Octets of results that are kept for those who ask later; those asked for longest ago go first. */
  readonly keptBytes: number;
}

interface Job<T> {
  readonly key: string;
  readonly abort: AbortController;
  readonly work: (signal: AbortSignal) => Promise<T>;
  result: Promise<T>;
  resolve(made: T): void;
  reject(why: unknown): void;
  askers: number;
}

/**
 * Work whose result several may ask for: those who ask for the same at one time share one job, which ends when nobody
 * waits for it any more.
 */
export class SharedJobs<T extends { readonly bytes: Uint8Array }> {
  readonly #limits: JobLimits;
  /** All that somebody waits for, by key. */
  readonly #jobs = new Map<string, Job<T>>();
  #waiting: Job<T>[] = [];
  readonly #running = new Set<Job<T>>();
  /** Results, the one asked for last at the end. */
  readonly #kept = new Map<string, T>();
  #keptBytes = 0;
  #closed = false;

  constructor(limits: JobLimits) {
    this.#limits = limits;
  }

  /** Jobs at work and waiting, and octets kept. */
  get state(): { readonly running: number; readonly waiting: number; readonly keptBytes: number } {
    return { running: this.#running.size, waiting: this.#waiting.length, keptBytes: this.#keptBytes };
  }

  /**
   * The result of `work`, which is begun if there is none.
   * @param work lets go when its signal is aborted. @param gone resolves when the asker is gone.
   * @throws HttpProblem `OVERLOADED` if enough wait already, and what the work throws.
   */
  async get(key: string, work: (signal: AbortSignal) => Promise<T>, gone: Promise<unknown>): Promise<T> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.#keep(key, kept);
      return kept;
    }
    const job = this.#jobs.get(key) ?? this.#begin(key, work);
    job.askers++;
    let waits = true;
    const leave = (): void => {
      if (!waits) return;
      waits = false;
      if (--job.askers === 0) this.#drop(job, new HttpProblem('GONE', { detail: 'nobody waits any more' }));
    };
    gone.then(leave, leave);
    try {
      return await job.result;
    } finally {
      leave();
    }
  }

  /** Ends all work and refuses more. Safe to call twice. */
  close(): void {
    this.#closed = true;
    for (const job of [...this.#jobs.values()]) this.#drop(job, stopping());
    this.#kept.clear();
    this.#keptBytes = 0;
  }

  #begin(key: string, work: Job<T>['work']): Job<T> {
    if (this.#closed) throw stopping();
    const { running, waiting } = this.#limits;
    const busy = this.#running.size >= running;
    if (busy && this.#waiting.length >= waiting) {
      throw refusedForNow('OVERLOADED', 2, `${waiting} wait for this work already`);
    }
    const abort = new AbortController();
    const job = { key, work, abort, askers: 0 } as Job<T>;
    job.result = new Promise((resolve, reject) => Object.assign(job, { resolve, reject }));
    this.#jobs.set(key, job);
    if (busy) this.#waiting.push(job);
    else void this.#run(job);
    return job;
  }

  async #run(job: Job<T>): Promise<void> {
    this.#running.add(job);
    const { workMs } = this.#limits;
    const late = setTimeout(() => {
      this.#drop(job, refusedForNow('OVERLOADED', 5, `the work takes longer than ${workMs / 1000} seconds`));
    }, workMs);
    try {
      const made = await job.work(job.abort.signal);
      if (this.#jobs.get(job.key) === job) this.#keep(job.key, made);
      job.resolve(made);
    } catch (error) {
      job.reject(error);
    }
    clearTimeout(late);
    if (this.#jobs.get(job.key) === job) this.#jobs.delete(job.key);
    this.#running.delete(job);
    const next = this.#waiting.shift();
    if (next !== undefined) void this.#run(next);
  }

  /** Nobody gets a result of it; one that works has its place until it has let go. */
  #drop(job: Job<T>, why: unknown): void {
    if (this.#jobs.get(job.key) !== job) return;
    this.#jobs.delete(job.key);
    this.#waiting = this.#waiting.filter((one) => one !== job);
    job.reject(why);
    job.abort.abort(why);
  }

  #keep(key: string, made: T): void {
    if (this.#kept.delete(key)) this.#keptBytes -= made.bytes.length;
    if (made.bytes.length > this.#limits.keptBytes) return;
    this.#kept.set(key, made);
    this.#keptBytes += made.bytes.length;
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#keptBytes <= this.#limits.keptBytes) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= bytes.length;
    }
  }
}

function stopping(): HttpProblem {
  return refusedForNow('OVERLOADED', 1, 'the server is stopping');
}
