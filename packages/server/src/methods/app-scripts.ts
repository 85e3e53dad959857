import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { isNamePart } from '@onair/media';
import { type ScriptRequest, ScriptThread } from './script-thread.ts';

/** Most scripts of a folder. */
const MAX_SCRIPTS = 100;
/** Changes of the folder are looked at together, in milliseconds. */
const SETTLE_MS = 100;
/** Pauses before a script that ended is started again, in milliseconds; the last one repeats. */
const RESTART_MS = [0, 1000, 5000, 30_000] as const;

/** What the scripts of a folder need. */
export interface AppScriptsDeps {
  readonly folder: string;
  /** Time a call may take, ms. */
  callMs(): number;
  request(app: string, thread: ScriptThread, request: ScriptRequest): void;
  readonly log: (level: 'info' | 'error', message: string, fields: Readonly<Record<string, unknown>>) => void;
}

interface Script {
  readonly file: string;
  /** What tells versions of the file apart. */
  version: string;
  thread: ScriptThread | undefined;
  restarts: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * The application scripts of a folder: `live.js`, `live.mjs`, `live.mts` or `live.ts` is that of `live`, the first of them. A file that changes replaces its script
 * once the new one has been loaded; one that cannot be loaded leaves the old one at work.
 */
export class AppScripts {
  readonly #deps: AppScriptsDeps;
  readonly #scripts = new Map<string, Script>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: AppScriptsDeps) {
    this.#deps = deps;
  }

  /** Loads what is there and follows the folder. @throws if there is no such folder. */
  async open(): Promise<void> {
    this.#watcher = watch(this.#deps.folder, () => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        void this.#scan();
      }, SETTLE_MS);
    });
    this.#watcher.on('error', (error) => this.#deps.log('error', 'the folder of scripts', { err: error }));
    await this.#scan();
  }

  /** The script of an application at work. */
  of(app: string): ScriptThread | undefined {
    return this.#scripts.get(app)?.thread;
  }

  /** Ends every script. Safe to call twice. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
    for (const script of this.#scripts.values()) this.#drop(script);
    this.#scripts.clear();
  }

  async #scan(): Promise<void> {
    if (this.#closed) return;
    const found = new Map<string, { readonly file: string; readonly version: string }>();
    for (const entry of readdirSync(this.#deps.folder).sort()) {
      const [, app] = /^(.+?)(?<!\.d)\.m?[jt]s$/.exec(entry) ?? [];
      if (!isNamePart(app) || found.has(app) || found.size >= MAX_SCRIPTS) continue;
      const file = join(this.#deps.folder, entry);
      const { mtimeMs, size } = statSync(file, { throwIfNoEntry: false }) ?? {};
      if (mtimeMs !== undefined) found.set(app, { file, version: `${file} ${mtimeMs} ${size}` });
    }
    for (const [app, script] of this.#scripts) {
      if (found.has(app)) continue;
      this.#drop(script);
      this.#scripts.delete(app);
      this.#deps.log('info', 'application script removed', { app });
    }
    const loading: Promise<void>[] = [];
    for (const [app, { file, version }] of found) {
      const known = this.#scripts.get(app);
      if (known?.version === version) continue;
      const script: Script = known ?? { file, version, thread: undefined, restarts: 0, timer: undefined };
      script.version = version;
      script.restarts = 0;
      this.#scripts.set(app, script);
      loading.push(this.#load(app, script, file));
    }
    await Promise.all(loading);
  }

  async #load(app: string, script: Script, file: string): Promise<void> {
    const { log, callMs, request } = this.#deps;
    const thread: ScriptThread = new ScriptThread(file, callMs, {
      request: (asked) => request(app, thread, asked),
      ended: (reason) => this.#ended(app, script, thread, reason),
    });
    try {
      await thread.ready;
    } catch (error) {
      log('error', 'application script not loaded', { app, reason: (error as Error).message });
      return;
    }
    if (this.#closed || this.#scripts.get(app) !== script) {
      thread.end('not wanted any more');
      return;
    }
    const before = script.thread;
    script.thread = thread;
    log('info', 'application script loaded', { app });
    await before?.retire();
  }

  #ended(app: string, script: Script, thread: ScriptThread, reason: string): void {
    if (script.thread !== thread) return;
    script.thread = undefined;
    if (this.#closed || this.#scripts.get(app) !== script) return;
    this.#deps.log('error', 'application script ended', { app, reason });
    const pause = RESTART_MS[Math.min(script.restarts++, RESTART_MS.length - 1)]!;
    script.timer = setTimeout(() => void this.#load(app, script, script.file), pause);
  }

  #drop(script: Script): void {
    clearTimeout(script.timer);
    const { thread } = script;
    script.thread = undefined;
    thread?.end('removed');
  }
}
