import { Field } from '@onair/contracts';
import { isNamePart, type StreamName, streamName } from '@onair/media';
import { amfOfJson, jsonOfAmf } from '@onair/media/amf';
import { AppScripts } from './app-scripts.ts';
import {
  type ClientInfo,
  type Hook,
  MethodError,
  type ScriptRequest,
  type ScriptThread,
} from './script-thread.ts';
import type { SharedObjects } from './shared-objects.ts';

/** A client that can be called. */
export interface CallableClient extends ClientInfo {
  /** Calls a method of the client. @param answer false: none is waited for. Rejects if there is no answer. */
  ask(method: string, args: readonly unknown[], answer: boolean): Promise<unknown>;
}

/** What the methods stand on. */
export interface MethodServiceDeps {
  /** Folder of the scripts; none without. */
  readonly folder: string | undefined;
  /** Time a call may take, ms. */
  callMs(): number;
  /** What scripts reach of the shared objects. */
  readonly objects: Pick<SharedObjects, 'read' | 'write' | 'send'>;
  /** Puts a script's event into a stream. Throws like the service of events. */
  fire(stream: StreamName, request: Field, app: string): void;
  /** Methods that every application has, with or without a script. What they throw is told to the caller. */
  readonly own?: ReadonlyMap<string, (client: ClientInfo, args: readonly unknown[]) => unknown>;
  readonly log: (
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields: Readonly<Record<string, unknown>>,
  ) => void;
}

/** Lets clients call the methods of application scripts, and scripts call clients. */
export class MethodService {
  readonly #deps: MethodServiceDeps;
  readonly #scripts: AppScripts | undefined;
  readonly #clients = new Map<string, CallableClient>();

  constructor(deps: MethodServiceDeps) {
    this.#deps = deps;
    if (deps.folder === undefined) return;
    this.#scripts = new AppScripts({
      folder: deps.folder,
      callMs: deps.callMs,
      log: deps.log,
      request: (app, thread, request) => this.#request(app, thread, request),
    });
  }

  /** Loads the scripts. Rejects if there is no such folder. */
  async open(): Promise<void> {
    await this.#scripts?.open();
  }

  /** True if the application has methods: its script's, or those that every application has. */
  serves(app: string): boolean {
    return this.#deps.own !== undefined || this.#scripts?.of(app) !== undefined;
  }

  /** Makes a client known to its application's script; the returned function takes that back. */
  join(client: CallableClient): () => void {
    this.#clients.set(client.id, client);
    return () => {
      if (!this.#clients.delete(client.id)) return;
      this.#scripts
        ?.of(client.app)
        ?.hook('onLeave', infoOf(client), null)
        .catch(() => undefined);
    };
  }

  /** Calls a method of the application's script. Rejects with a {@link MethodError}. */
  async call(client: ClientInfo, method: string, args: readonly unknown[]): Promise<unknown> {
    const own = this.#deps.own?.get(method);
    if (own !== undefined) {
      try {
        return own(infoOf(client), args);
      } catch (error) {
        throw new MethodError('METHOD_FAILED', error instanceof Error ? error.message : 'the method failed');
      }
    }
    const thread = this.#scripts?.of(client.app);
    if (thread === undefined)
      throw new MethodError('METHOD_NOT_FOUND', `Method not found (${method.slice(0, 80)}).`);
    return await thread.call(infoOf(client), method, args);
  }

  /**
   * Asks a hook of the application's script. A script that refuses, throws or does not answer refuses.
   * @returns why it is refused, undefined if it is not.
   */
  async refuses(hook: Hook, client: ClientInfo, target: unknown = null): Promise<string | undefined> {
    try {
      const answer = await this.#scripts?.of(client.app)?.hook(hook, infoOf(client), target);
      return answer === false ? 'refused by the application' : undefined;
    } catch (error) {
      return error instanceof MethodError ? error.message : 'the application failed';
    }
  }

  /** Ends the scripts. */
  close(): void {
    this.#scripts?.close();
    this.#clients.clear();
  }

  #request(app: string, thread: ScriptThread, request: ScriptRequest): void {
    switch (request.kind) {
      case 'log':
        this.#deps.log(request.level, request.text, { app });
        return;
      case 'broadcast': {
        const args = JSON.parse(request.args) as unknown[];
        for (const client of this.#clients.values())
          if (client.app === app) void client.ask(request.method, args, false).catch(() => undefined);
        return;
      }
      case 'ask':
        void this.#ask(app, thread, request);
        return;
      case 'event':
        this.#event(app, request.stream, request.event);
        return;
      case 'object':
        this.#object(app, thread, request);
    }
  }

  async #ask(
    app: string,
    thread: ScriptThread,
    request: Extract<ScriptRequest, { kind: 'ask' }>,
  ): Promise<void> {
    const client = this.#clients.get(request.client);
    try {
      if (client?.app !== app) throw new Error('the client has gone, or cannot be called');
      const value = await client.ask(request.method, JSON.parse(request.args) as unknown[], true);
      thread.answer(request.id, true, JSON.stringify(value ?? null));
    } catch (error) {
      thread.answer(request.id, false, error instanceof Error ? error.message : 'no answer');
    }
  }

  #object(app: string, thread: ScriptThread, request: Extract<ScriptRequest, { kind: 'object' }>): void {
    const { objects } = this.#deps;
    const { id, name, persistent } = request;
    try {
      const [key = '', ...args] = JSON.parse(request.args) as [string?, ...unknown[]];
      let answer: unknown = null;
      if (request.does === 'read') {
        const found = objects.read(app, name, persistent);
        if (found === undefined) throw new Error('there is no such shared object, and none can be made');
        answer = jsonOfAmf(found);
      } else if (request.does === 'send')
        objects.send(
          app,
          name,
          String(key),
          args.map((value) => amfOfJson(value)),
        );
      else {
        const value = request.does === 'remove' ? undefined : amfOfJson(args[0]);
        if (!objects.write(app, name, persistent, String(key), value))
          throw new Error('the shared object is too large, or there is none');
      }
      thread.answer(id, true, JSON.stringify(answer ?? null));
    } catch (error) {
      thread.answer(id, false, error instanceof Error ? error.message : 'it failed');
    }
  }

  #event(app: string, name: string, json: string): void {
    try {
      if (!isNamePart(name)) throw new TypeError('no name of a stream');
      this.#deps.fire(streamName(app, name), new Field(JSON.parse(json)), app);
    } catch (error) {
      this.#deps.log('warn', 'an event of the application was refused', {
        app,
        reason: (error as Error).message,
      });
    }
  }
}

function infoOf({ id, app, address, transport }: ClientInfo): ClientInfo {
  return { id, app, address, transport };
}
