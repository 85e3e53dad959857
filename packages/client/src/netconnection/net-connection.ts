import type { AmfValue } from '@onair/media/amf';
import { doorOf, type PagePlace } from './address.ts';
import { AsyncErrorEvent, NetStatusEvent, type StatusInfo } from './events.ts';
import { type ConnectionEvent, NetLink, type OpenCarrier, openCarrier } from './net-link.ts';
import { invoke, plainOf } from './values.ts';

/** Takes the answer to a call: its result, or what went wrong. */
export class Responder {
  readonly result: (value: unknown) => void;
  readonly status: ((status: unknown) => void) | undefined;

  constructor(result: (value: unknown) => void, status?: (status: unknown) => void) {
    this.result = result;
    this.status = status;
  }
}

/** What a {@link NetConnection} may be made with. */
export interface NetConnectionOptions {
  /** Opens what carries it; WebSocket and HTTP requests unless given. */
  readonly open?: OpenCarrier;
  /** Where the page is; the browser's address unless given. */
  readonly page?: PagePlace | undefined;
}

const links = new WeakMap<NetConnection, NetLink>();

/** The link of a connection that is connected. @throws Error if it is not. */
export function linkOf(connection: NetConnection): NetLink {
  const link = connection.connected ? links.get(connection) : undefined;
  if (link === undefined) throw new Error('Error #2126: NetConnection object must be connected.');
  return link;
}

/**
 * A connection to an application of the server, with the names that ActionScript gave them: `netStatus` tells
 * `NetConnection.Connect.Success`, `.Failed`, `.Rejected` and `.Closed`, `asyncError` what went wrong with a callback. The
 * server calls the methods of `client`.
 */
export class NetConnection extends EventTarget {
  /** Whose methods the server calls; what they return, or what a promise of theirs brings, is the answer. */
  client: object = this;
  readonly #options: NetConnectionOptions;
  #uri = '';
  #connected = false;

  constructor(options: NetConnectionOptions = {}) {
    super();
    this.#options = options;
  }

  /** True from `NetConnection.Connect.Success` until it is closed. */
  get connected(): boolean {
    return this.#connected;
  }

  /** The address given to `connect`. */
  get uri(): string {
    return this.#uri;
  }

  /**
   * Connects to `rtmp://HOST[:PORT]/APP` or the like. A connection there was is closed.
   * @param args go to the application's `onConnect`.
   * @throws TypeError for an address of another form.
   */
  connect(command: string, ...args: AmfValue[]): void {
    const page =
      'page' in this.#options ? this.#options.page : (globalThis as { location?: Location }).location;
    const door = doorOf(command, page);
    if (door === undefined)
      throw new TypeError(`rtmp://HOST[:PORT]/APP wanted, received ${command.slice(0, 80)}`);
    this.close();
    this.#uri = command;
    const pageUrl = page !== undefined && 'href' in page ? String(page.href).split(/[?#]/)[0]! : '';
    const properties = { flashVer: 'onair 9,0,124,2', swfUrl: '', pageUrl, objectEncoding: 0 };
    const link: NetLink = new NetLink(
      door,
      properties,
      args,
      {
        event: (event) => {
          if (links.get(this) === link) this.#event(event);
        },
        lost: (reason) => {
          if (links.get(this) !== link) return;
          links.delete(this);
          this.#ended(
            this.#connected ? 'NetConnection.Connect.Closed' : 'NetConnection.Connect.Failed',
            reason,
          );
        },
      },
      this.#options.open ?? openCarrier,
    );
    links.set(this, link);
  }

  /**
   * Calls a method of the application.
   * @param responder takes the answer; null if none is wanted.
   */
  call(command: string, responder: Responder | null = null, ...args: AmfValue[]): void {
    if (!this.#connected) return;
    const link = links.get(this);
    if (responder === null) {
      link?.run((session) => session.commandOn(0, command, ...args));
      return;
    }
    link?.call(command, args, (ok, value) => {
      if (ok) responder.result(plainOf(value));
      else responder.status?.(plainOf(value));
    });
  }

  /** Closes the connection and everything on it. */
  close(): void {
    const link = links.get(this);
    if (link === undefined) return;
    links.delete(this);
    link.close();
    if (this.#connected) this.#ended('NetConnection.Connect.Closed', 'closed');
  }

  #event(event: ConnectionEvent): void {
    switch (event.kind) {
      case 'connected': {
        this.#connected = true;
        this.#status({ ...statusOf(event.info), ...(plainOf(event.properties) as object) });
        return;
      }
      case 'refused': {
        links.get(this)?.close();
        links.delete(this);
        const info = statusOf(event.info);
        const closed = event.code === 'NetConnection.Connect.Closed';
        this.#connected = false;
        this.#status({
          ...info,
          code: event.code || 'NetConnection.Connect.Rejected',
          level: closed ? 'status' : 'error',
        });
        // A refusal ends the connection, which is told too.
        if (!closed) this.#ended('NetConnection.Connect.Closed', event.description);
        return;
      }
      case 'status':
        this.#status(statusOf(event.info));
        return;
      case 'call':
        void this.#called(event);
    }
  }

  async #called({ name, transactionId, args }: Extract<ConnectionEvent, { kind: 'call' }>): Promise<void> {
    const answer = (ok: boolean, value: AmfValue): void => {
      if (transactionId !== 0) links.get(this)?.run((session) => session.respond(transactionId, ok, value));
    };
    try {
      const value = await invoke(this.client, this, name, args);
      answer(true, value as AmfValue);
    } catch (error) {
      const description = error instanceof Error ? error.message : String(error);
      answer(false, { level: 'error', code: 'NetConnection.Call.Failed', description });
      this.dispatchEvent(new AsyncErrorEvent(error));
    }
  }

  #ended(code: string, description: string): void {
    this.#connected = false;
    this.#status({ code, level: code.endsWith('Failed') ? 'error' : 'status', description });
  }

  #status(info: StatusInfo): void {
    this.dispatchEvent(new NetStatusEvent(info));
  }
}

/** A status as it came. */
export function statusOf(info: AmfValue): StatusInfo {
  const { code, level, ...more } = plainOf(info) as Record<string, unknown>;
  return { ...more, code: String(code ?? ''), level: String(level ?? 'status') };
}
