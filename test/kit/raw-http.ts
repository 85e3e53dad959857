import { connect, type Socket } from 'node:net';
import type { Owned, Scope } from './scope.ts';
import { until } from './until.ts';

/** A TCP connection to an HTTP port that sends what it is told and keeps what it hears. */
export class RawHttp implements Owned {
  readonly socket: Socket;
  /** Milliseconds from opening until the connection was gone; undefined while it is there. */
  closedMs: number | undefined;
  #heard = Buffer.alloc(0);
  readonly #begin = performance.now();

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (bytes) => {
      this.#heard = Buffer.concat([this.#heard, bytes]);
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closedMs = performance.now() - this.#begin;
    });
  }

  /** Everything heard, one character per byte. */
  get heard(): string {
    return this.#heard.toString('latin1');
  }

  /** Bytes heard. */
  get bytes(): Buffer {
    return this.#heard;
  }

  /** Status of the first answer; 0 before. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.heard)?.[1] ?? 0);
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array | string): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** Sends a request of these lines; `Host` is added. */
  request(line: string, headers: Readonly<Record<string, string>> = {}): this {
    const all = { Host: '127.0.0.1', ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.send(`${line} HTTP/1.1\r\n${lines.join('')}\r\n`);
    return this;
  }

  /** Asks for a WebSocket at a path. */
  upgrade(path: string, headers: Readonly<Record<string, string>> = {}): this {
    return this.request(`GET ${path}`, {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      ...headers,
    });
  }

  /** Waits for the head of the answer; its status. */
  async answered(timeoutMs = 10_000): Promise<number> {
    await until(() => this.heard.includes('\r\n\r\n') || this.closedMs !== undefined, {
      timeoutMs,
      message: 'an answer',
    });
    return this.status;
  }

  /** Waits until the server has closed the connection; how long it took, in milliseconds from opening. */
  async gone(timeoutMs = 10_000): Promise<number> {
    await until(() => this.closedMs !== undefined, { timeoutMs, message: 'the server closes' });
    return this.closedMs!;
  }

  async stop(): Promise<void> {
    this.socket.destroy();
  }
}

/** Opens a raw connection that the scope closes. */
export function openHttp(scope: Scope, port: number): RawHttp {
  return scope.own(new RawHttp(port));
}
