/** A connection that takes bytes; what egress adapters implement. */
export interface ViewerTransport {
  /** True while the connection holds bytes it could not hand on; then nothing more is written. */
  readonly blocked: boolean;
  /** Bytes that wait in the process. */
  readonly backlog: number;
  /** Takes shared bytes; must not change them. Never throws. */
  write(bytes: Uint8Array): void;
  /** The viewer missed `blocks` blocks and goes on at an independent one. */
  skipped?(blocks: number): void;
  /** The stream is over or the viewer is too slow. Called at most once; nothing is written afterwards. */
  end(reason: ViewerEnd): void;
}

/** Why a viewer's feed ended. */
export type ViewerEnd = 'stream-ended' | 'too-slow' | 'server-stopping';

/** What a viewer has had so far. */
export interface ViewerCounters {
  bytes: number;
  writes: number;
  skips: number;
  skippedBlocks: number;
}

/** Position of a viewer that waits for the next independent block. */
export const AWAITS_START = -1;

/** A cursor: a position in a pump's batches plus a transport. It owns no data. */
export class Viewer {
  readonly transport: ViewerTransport;
  readonly counters: ViewerCounters = { bytes: 0, writes: 0, skips: 0, skippedBlocks: 0 };
  /** Index of the batch to be written next, or {@link AWAITS_START}. */
  position = AWAITS_START;
  /** Epoch the viewer's decoder is set up for; 0 for none. */
  epoch = 0;
  opened = false;
  paused = false;
  closed = false;
  /** Monotonic ms since when the transport has been blocked, or undefined. */
  blockedSince: number | undefined;
  /** Seq of the block after the last one sent. */
  nextSeq = 0;
  readonly #service: (viewer: Viewer) => void;
  readonly #leave: (viewer: Viewer) => void;

  constructor(
    transport: ViewerTransport,
    service: (viewer: Viewer) => void,
    leave: (viewer: Viewer) => void,
  ) {
    this.transport = transport;
    this.#service = service;
    this.#leave = leave;
  }

  /** The transport can take bytes again. */
  drained(): void {
    this.blockedSince = undefined;
    if (!this.closed) this.#service(this);
  }

  /** Stops the feed; the connection stays. */
  pause(): void {
    this.paused = true;
  }

  /** Goes on at the newest independent block. */
  play(): void {
    if (!this.paused) return;
    this.paused = false;
    this.position = AWAITS_START;
    if (!this.closed) this.#service(this);
  }

  /** Leaves the pump. Safe to call twice. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#leave(this);
  }
}
