import { VirtualSocket } from './rtmp-socket.ts';

/** Bytes that wait for the next answer before the tunnel counts as full. */
const FULL_BYTES = 262_144;

/** One end of an RTMPT tunnel: what is written waits to be taken away by HTTP. */
export class TunnelSocket extends VirtualSocket {
  /** Set by the owner: called when there is something to take, and when reading may go on. */
  wake: () => void = () => undefined;
  readonly #resume: () => void;
  #waiting: Uint8Array[] = [];
  #length = 0;
  /** Tells the writer that there is room again, or that the last words are taken. */
  #taken: (() => void) | undefined;

  /** @param resume asks for more bytes to be pushed. */
  constructor(remoteAddress: string | undefined, resume: () => void) {
    super(remoteAddress);
    this.#resume = resume;
  }

  /** Bytes that wait to be taken. */
  get waitingBytes(): number {
    return this.#length;
  }

  /** True once the writer has said all; what waits are the last words. */
  get finishing(): boolean {
    return this.writableEnded;
  }

  /** Everything that waits, behind `before`. */
  takeBytes(before: Uint8Array): Buffer {
    const bytes = Buffer.concat([before, ...this.#waiting], before.length + this.#length);
    this.#waiting = [];
    this.#length = 0;
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
    return bytes;
  }

  override _read(): void {
    this.#resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.written += chunk.length;
    this.#waiting.push(chunk);
    this.#length += chunk.length;
    if (this.#length < FULL_BYTES) done();
    else this.#taken = done;
    this.wake();
  }

  override _final(done: () => void): void {
    if (this.#length === 0) done();
    else this.#taken = done;
    this.wake();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#waiting = [];
    this.#length = 0;
    this.#taken = undefined;
    done(error);
    this.wake();
  }
}
