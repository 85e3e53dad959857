import { type RtmpeClient, type RtmpeEnd, RtmpeServer } from '@onair/media/rtmp';
import { handshakeCrypto } from './handshake-crypto.ts';
import { type RtmpSocket, VirtualSocket } from './rtmp-socket.ts';

/** The inside of an RTMPE connection: RTMP without handshake. Owns the socket below. */
export class RtmpeSocket extends VirtualSocket {
  readonly #below: RtmpSocket;
  readonly #end: RtmpeEnd;
  /** What was written before the handshake was over. */
  #early: (() => void) | undefined;

  private constructor(below: RtmpSocket, end: RtmpeEnd) {
    super(below.remoteAddress);
    this.#below = below;
    this.#end = end;
    below.on('data', (bytes: Uint8Array) => this.#receive(bytes));
    below.on('end', () => this.push(null));
    below.on('error', (error) => this.destroy(error));
    below.on('close', () => this.destroy());
  }

  /** The server's side. @param head bytes received already. */
  static accept(below: RtmpSocket, head: Uint8Array): RtmpeSocket {
    const made = new RtmpeSocket(below, new RtmpeServer(handshakeCrypto));
    made.#receive(head);
    return made;
  }

  /** The client's side, over a socket that may still be connecting. */
  static open(below: RtmpSocket, end: RtmpeClient): RtmpeSocket {
    const made = new RtmpeSocket(below, end);
    below.write(end.start());
    return made;
  }

  override _read(): void {
    this.#below.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#end.ready) this.#send(chunk, done);
    else this.#early = () => this.#send(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#below.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#early = undefined;
    if (this.#below.writableFinished) this.#below.destroySoon();
    else this.#below.destroy();
    done(error);
  }

  #receive(bytes: Uint8Array): void {
    if (this.destroyed) return;
    try {
      const { send, plain } = this.#end.receive(bytes);
      if (send !== undefined) this.#below.write(send);
      const early = this.#early;
      if (this.#end.ready && early !== undefined) {
        this.#early = undefined;
        early();
      }
      if (plain !== undefined && !this.push(plain)) this.#below.pause();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #send(chunk: Uint8Array, done: () => void): void {
    this.written += chunk.length;
    if (this.#below.write(this.#end.seal(chunk))) done();
    else this.#below.once('drain', done);
  }
}
