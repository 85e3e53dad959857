import { Duplex, type DuplexOptions } from 'node:stream';

/** What RTMP runs over: a TCP or TLS socket, a tunnel through HTTP, or the inside of RTMPE. */
export interface RtmpSocket extends Duplex {
  readonly bytesWritten: number;
  readonly remoteAddress?: string | undefined;
  /** Destroys it as soon as everything written has left. */
  destroySoon(): void;
}

/** How a connection came, by the scheme of its address; over WebSocket or TLS and WebSocket with these added. */
export type RtmpTransportName =
  | 'rtmp'
  | 'rtmps'
  | 'rtmpt'
  | 'rtmpts'
  | 'rtmpe'
  | 'rtmpte'
  | 'rtmp+ws'
  | 'rtmp+wss';

/** A socket that is not the system's. */
export abstract class VirtualSocket extends Duplex implements RtmpSocket {
  readonly remoteAddress: string | undefined;
  /** Bytes taken of those written. */
  protected written = 0;

  constructor(remoteAddress: string | undefined, options?: DuplexOptions) {
    super(options);
    this.remoteAddress = remoteAddress;
  }

  get bytesWritten(): number {
    return this.written;
  }

  destroySoon(): void {
    if (this.destroyed) return;
    if (this.writableFinished) {
      this.destroy();
      return;
    }
    this.once('finish', () => this.destroy());
    this.end();
  }
}
