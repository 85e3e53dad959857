import type { AmfValue } from '@onair/media/amf';
import type { SharedObjectEvent, SharedObjectMessage } from '@onair/media/rtmp';
import { AsyncErrorEvent, NetStatusEvent, type SyncChange, SyncEvent } from './events.ts';
import { linkOf, type NetConnection } from './net-connection.ts';
import type { NetLink } from './net-link.ts';
import { invoke, plainOf } from './values.ts';

/**
 * A remote shared object: properties that all clients of an application share, with the names that ActionScript gave them. `sync`
 * tells each change, `netStatus` what is refused; `send` calls a method of everybody's `client`.
 */
export class SharedObject extends EventTarget {
  /** Whose methods `send` of others, and of this page, calls. */
  client: object = this;
  readonly #name: string;
  readonly #persistent: boolean;
  #link: NetLink | undefined;
  #version = 0;
  #joined = false;
  #data: Record<string, unknown> = Object.create(null);

  /** @param name of the object. @param persistent whether it outlives its users. */
  private constructor(name: string, persistent: boolean) {
    super();
    this.#name = name;
    this.#persistent = persistent;
  }

  /**
   * An object of the application at the other end of the connection that it is connected by.
   * @param _remotePath the connection's address, as ActionScript wants it; not looked at.
   */
  static getRemote(name: string, _remotePath?: string, persistent = false): SharedObject {
    return new SharedObject(name, persistent);
  }

  /** The properties as far as they are known here. Change them by `setProperty`. */
  get data(): Readonly<Record<string, unknown>> {
    return this.#data;
  }

  /** @throws Error if the connection is not connected. */
  connect(connection: NetConnection): void {
    this.close();
    const link = linkOf(connection);
    this.#link = link;
    link.watchObject(this.#name, (message) => this.#take(message));
    this.#send([{ kind: 'use' }]);
  }

  /** Sets a property for everybody; null removes it. */
  setProperty(name: string, value: AmfValue = null): void {
    if (value === null || value === undefined) this.#send([{ kind: 'requestRemove', names: [name] }]);
    else {
      this.#data[name] = value;
      this.#send([{ kind: 'requestChange', values: [[name, value]] }]);
    }
  }

  /** Calls a method of the `client` of everybody who uses the object, this page included. */
  send(method: string, ...args: AmfValue[]): void {
    this.#send([{ kind: 'sendMessage', method, args }]);
  }

  /** Uses it no more. */
  close(): void {
    this.#send([{ kind: 'release' }]);
    this.#link?.watchObject(this.#name, undefined);
    this.#link = undefined;
    this.#joined = false;
  }

  #send(events: readonly SharedObjectEvent[]): void {
    const message = { name: this.#name, version: this.#version, persistent: this.#persistent, events };
    this.#link?.run((session) => session.sendSharedObject({ ...message, encoding: 0 }));
  }

  #take({ version, events }: SharedObjectMessage): void {
    this.#version = version;
    const changes: SyncChange[] = [];
    for (const event of events) this.#event(event, changes);
    if (changes.length > 0) this.dispatchEvent(new SyncEvent(changes));
  }

  #event(event: SharedObjectEvent, changes: SyncChange[]): void {
    switch (event.kind) {
      case 'useSuccess':
        this.#joined = true;
        return;
      case 'clear':
        this.#data = Object.create(null);
        changes.push({ code: 'clear' });
        return;
      case 'change':
        for (const [name, value] of event.values) {
          changes.push({ code: 'change', name, oldValue: this.#data[name] });
          this.#data[name] = plainOf(value);
        }
        return;
      case 'success':
        for (const name of event.names) changes.push({ code: 'success', name });
        return;
      case 'remove':
        for (const name of event.names) {
          changes.push({ code: 'delete', name, oldValue: this.#data[name] });
          delete this.#data[name];
        }
        return;
      case 'sendMessage':
        try {
          invoke(this.client, this, event.method, event.args);
        } catch (error) {
          this.dispatchEvent(new AsyncErrorEvent(error));
        }
        return;
      case 'status':
        this.dispatchEvent(new NetStatusEvent({ code: event.code, level: event.level }));
        if (this.#joined) changes.push({ code: 'reject' });
        return;
      default:
        return; // clients say these
    }
  }
}
