import type { Socket } from 'node:net';
import type { ViewerEnd, ViewerTransport } from '../../hub/index.ts';

/** Writes shared buffers to a TCP or TLS socket. The socket's owner closes it after `ended`. */
export class SocketTransport implements ViewerTransport {
  readonly #socket: Socket;
  readonly #ended: (reason: ViewerEnd) => void;
  readonly #onSkip: ((blocks: number) => void) | undefined;

  constructor(socket: Socket, ended: (reason: ViewerEnd) => void, onSkip?: (blocks: number) => void) {
    this.#socket = socket;
    this.#ended = ended;
    this.#onSkip = onSkip;
  }

  get blocked(): boolean {
    return this.#socket.writableNeedDrain || !this.#socket.writable;
  }

  get backlog(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  skipped(blocks: number): void {
    this.#onSkip?.(blocks);
  }

  end(reason: ViewerEnd): void {
    this.#ended(reason);
  }
}
