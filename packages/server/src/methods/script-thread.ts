import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** A client as scripts see it. */
export interface ClientInfo {
  readonly id: string;
  readonly app: string;
  readonly address: string;
  /** `rtmp`, `websocket` or `http`. */
  readonly transport: string;
}

/** Places at which a script may refuse. */
export type Hook = 'onConnect' | 'onPublish' | 'onPlay' | 'onLeave';

/** Why a call was not answered with a value. */
export type MethodErrorCode = 'METHOD_NOT_FOUND' | 'METHOD_FAILED' | 'METHOD_TIMEOUT' | 'METHOD_BUSY';

/** A call that came to nothing; the message is for the caller. */
export class MethodError extends Error {
  override readonly name = 'MethodError';
  readonly code: MethodErrorCode;

  constructor(code: MethodErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a script asks of the server. Texts are JSON. */
export type ScriptRequest =
  | {
      readonly kind: 'ask';
      readonly id: number;
      readonly client: string;
      readonly method: string;
      readonly args: string;
    }
  | { readonly kind: 'broadcast'; readonly method: string; readonly args: string }
  | {
      readonly kind: 'object';
      readonly id: number;
      readonly does: 'read' | 'set' | 'remove' | 'send';
      readonly name: string;
      readonly persistent: boolean;
      readonly args: string;
    }
  | { readonly kind: 'event'; readonly stream: string; readonly event: string }
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly text: string };

/** Who owns a thread. */
export interface ScriptOwner {
  request(request: ScriptRequest): void;
  /** The thread ended by itself or was ended since it did not answer; its calls were refused. */
  ended(reason: string): void;
}

type FromThread =
  | ScriptRequest
  | { readonly kind: 'ready'; readonly methods: readonly string[]; readonly hooks: readonly Hook[] }
  | { readonly kind: 'failed'; readonly text: string }
  | { readonly kind: 'result'; readonly id: number; readonly ok: boolean; readonly value: string };

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: MethodError) => void;
  readonly timer: NodeJS.Timeout;
}

const WORKER = new URL('../../worker/script-worker.mjs', import.meta.url);
/** Calls that may wait for one script. */
const MAX_PENDING = 256;
/** Memory of a script, in MiB. */
const MAX_HEAP_MB = 128;
/** A thread that does nothing else for so long after a call was late is hanging, in milliseconds. */
const HANG_MS = 100;
/** A script that is not ready by then never will be, in milliseconds. */
const START_MS = 10_000;

/** One application script at work in a thread of its own. A call that is not answered in time ends the thread if that hangs. */
export class ScriptThread {
  /** Settles when the script has been loaded; rejects with what it said. */
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #owner: ScriptOwner;
  readonly #callMs: () => number;
  readonly #pending = new Map<number, Pending>();
  #methods: ReadonlySet<string> = new Set();
  #hooks: ReadonlySet<Hook> = new Set();
  #last = 0;
  #over = false;
  #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  /** @param callMs time a call may take, ms. */
  constructor(file: string, callMs: () => number, owner: ScriptOwner) {
    this.#owner = owner;
    this.#callMs = callMs;
    this.#worker = new Worker(WORKER, {
      workerData: { url: pathToFileURL(file).href },
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    const timer = setTimeout(() => this.end('it was not ready in time'), START_MS);
    this.ready.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
    this.#worker.on('message', (message: FromThread) => this.#take(message));
    this.#worker.on('error', (error) => this.end(error instanceof Error ? error.message : String(error)));
    this.#worker.on('exit', () => this.end('it ended itself'));
  }

  /** True if the script has a method of this name. */
  has(method: string): boolean {
    return this.#methods.has(method);
  }

  /** Calls a method. Rejects with a {@link MethodError}. */
  call(client: ClientInfo, method: string, args: readonly unknown[]): Promise<unknown> {
    if (!this.#methods.has(method))
      return Promise.reject(
        new MethodError('METHOD_NOT_FOUND', `Method not found (${method.slice(0, 80)}).`),
      );
    return this.#send({ kind: 'call', client, method, args: JSON.stringify(args) });
  }

  /** Asks a hook; true if there is none. Rejects with a {@link MethodError}. */
  async hook(hook: Hook, client: ClientInfo, target: unknown): Promise<unknown> {
    return this.#hooks.has(hook) ? await this.#send({ kind: 'hook', hook, client, target }) : true;
  }

  /** Gives a script the answer of a client. */
  answer(id: number, ok: boolean, value: string): void {
    if (!this.#over) this.#worker.postMessage({ kind: 'answer', id, ok, value });
  }

  /** Ends the thread; what waits is refused. Safe to call twice. */
  end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle?.reject(new Error(reason));
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new MethodError('METHOD_FAILED', 'the application script ended'));
    }
    this.#pending.clear();
    void this.#worker.terminate();
    this.#owner.ended(reason);
  }

  /** Ends the thread once nothing waits for it. */
  async retire(): Promise<void> {
    const deadline = performance.now() + this.#callMs();
    while (this.#pending.size > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));
    this.end('replaced');
  }

  #send(message: object): Promise<unknown> {
    if (this.#over) return Promise.reject(new MethodError('METHOD_FAILED', 'the application script ended'));
    if (this.#pending.size >= MAX_PENDING)
      return Promise.reject(new MethodError('METHOD_BUSY', 'too many calls wait for the application script'));
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#late(id), this.#callMs());
      this.#pending.set(id, { resolve, reject, timer });
      this.#worker.postMessage({ ...message, id });
    });
  }

  /** Refuses a call that takes too long. A thread that does nothing else either is hanging. */
  #late(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.reject(new MethodError('METHOD_TIMEOUT', `no answer within ${this.#callMs()} ms`));
    const { performance: times } = this.#worker;
    const before = times.eventLoopUtilization();
    setTimeout(() => {
      if (this.#over) return;
      const { active, idle } = times.eventLoopUtilization();
      if (idle === before.idle && active > before.active) this.end('a method did not come to its end');
    }, HANG_MS).unref();
  }

  #take(message: FromThread): void {
    if (this.#over) return;
    switch (message.kind) {
      case 'ready':
        this.#methods = new Set(message.methods);
        this.#hooks = new Set(message.hooks);
        this.#settle?.resolve();
        return;
      case 'failed':
        this.end(message.text);
        return;
      case 'result': {
        const pending = this.#pending.get(message.id);
        if (pending === undefined) return;
        this.#pending.delete(message.id);
        clearTimeout(pending.timer);
        if (message.ok) pending.resolve(JSON.parse(message.value));
        else pending.reject(new MethodError('METHOD_FAILED', message.value));
        return;
      }
      default:
        this.#owner.request(message);
    }
  }
}
