import type { Duplex } from 'node:stream';
import type { ViewerEnd, ViewerTransport } from '../../hub/index.ts';

/** Writes shared buffers to a socket of any kind. The socket's owner closes it after `ended`. */
export class SocketTransport implements ViewerTransport {
  readonly #socket: Duplex;
  readonly #ended: (reason: ViewerEnd) => void;
  readonly #onSkip: ((blocks: number) => void) | undefined;

  constructor(socket: Duplex, ended: (reason: ViewerEnd) => void, onSkip?: (blocks: number) => void) {
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
