import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** How a child process ended. */
export interface Exit {
  /** Exit code, or null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Lines of a child's error output that are kept for messages. */
const MAX_LINES = 400;

const alive = new Set<Child>();
process.once('exit', () => {
  for (const child of alive) child.signal('SIGKILL');
});
// A run that is ended by a signal, or whose first process is gone, ends without that event otherwise.
for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect']) process.once(event, () => process.exit(1));

/**
 * A child process with one owner: who starts it calls {@link Child.stop}, which returns only after it is gone.
 * It is ended by its process id, and killed when the test process itself ends.
 */
export class Child {
  /** Name in messages, e.g. `ffmpeg`. */
  readonly name: string;
  /** Settles when the process is gone; never rejects. */
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  #partial = '';
  #exit: Exit | undefined;

  constructor(name: string, command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.name = name;
    this.#process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    alive.add(this);
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => this.#note(text));
    this.exited = new Promise((resolve) => {
      const end = (exit: Exit): void => {
        if (this.#exit !== undefined) return;
        this.#exit = exit;
        alive.delete(this);
        resolve(exit);
      };
      this.#process.once('error', (error) => {
        this.#note(`${String(error)}\n`);
        if (this.#process.pid === undefined) end({ code: 127, signal: null });
      });
      // `close` and not `exit`: its output has been read by then.
      this.#process.once('close', (code, signal) => end({ code, signal }));
    });
  }

  /** Process id, 0 when it could not be started. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Standard output; the owner must read it. */
  get stdout(): Readable {
    if (this.#process.stdout === null) throw new Error(`${this.name} has no standard output`);
    return this.#process.stdout;
  }

  /** Lines of its error output so far, oldest first, at most the last 400. */
  get errorLines(): readonly string[] {
    return this.#lines;
  }

  /** Call `listener` with each line of error output. Returns the function that ends this. */
  onErrorLine(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Send a signal; nothing happens when the process is gone. */
  signal(signal: NodeJS.Signals): void {
    if (this.#exit === undefined && this.#process.pid !== undefined) this.#process.kill(signal);
  }

  /** End it with `signal`, with SIGKILL when it is still there after `graceMs`. Returns when it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 5000): Promise<Exit> {
    if (this.#exit !== undefined) return this.#exit;
    this.signal('SIGCONT');
    this.signal(signal);
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  #note(text: string): void {
    const parts = (this.#partial + text).split(/\r?\n|\r/);
    this.#partial = parts.pop() ?? '';
    for (const line of parts) {
      this.#lines.push(line);
      if (this.#lines.length > MAX_LINES) this.#lines.shift();
      for (const listener of this.#listeners) listener(line);
    }
  }
}

/** Children started through {@link Child} that are still running, as `name pid`. */
export function runningChildren(): string[] {
  return [...alive].map((child) => `${child.name} ${child.pid}`);
}

/**
 * Every living descendant of this process, whoever started it, as `command pid`. Zombies that are about to be
 * reaped do not count.
 */
export function descendants(root: number = process.pid): string[] {
  const byParent = new Map<number, { pid: number; name: string }[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    let stat: string;
    try {
      stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
    } catch {
      continue; // It ended between the two calls.
    }
    const close = stat.lastIndexOf(')');
    const [state, parent] = stat.slice(close + 2).split(' ');
    if (state === 'Z') continue;
    const siblings = byParent.get(Number(parent)) ?? [];
    siblings.push({ pid: Number(entry), name: stat.slice(stat.indexOf('(') + 1, close) });
    byParent.set(Number(parent), siblings);
  }
  const found: string[] = [];
  const walk = (pid: number): void => {
    for (const child of byParent.get(pid) ?? []) {
      found.push(`${child.name} ${child.pid}`);
      walk(child.pid);
    }
  };
  walk(root);
  return found;
}
