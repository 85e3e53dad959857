import { readProblem } from '@onair/contracts/errors';
import {
  decodeUploadResult,
  decodeUploadServerText,
  UPLOAD_SUBPROTOCOL,
  type UploadResult,
} from '@onair/contracts/upload';
import { BackOff } from '../sources/back-off.ts';
import { type ChunkSpool, MemorySpool, openSpool } from './chunk-spool.ts';

/** How an upload is. */
export type UploadState = 'connecting' | 'sending' | 'waiting' | 'ending' | 'done' | 'failed';

/** What a page shows of an upload. */
export interface UploadStatus {
  readonly state: UploadState;
  /** Octets that the server does not have yet. */
  readonly queued: number;
  /** Octets that the server has on its disk. */
  readonly stored: number;
  /** Why it failed: a code of the server's errors, and its text. */
  readonly failure?: { readonly code: string; readonly detail: string };
  readonly result?: UploadResult;
}

/** The parts of a WebSocket that are used. */
export interface UploadSocketPort {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** What an {@link UploadPublisher} works with; the browser's own unless given. */
export interface UploadOptions {
  /** Address of the server, e.g. `https://example.org`. */
  readonly server: string;
  /** `APP/NAME`. */
  readonly stream: string;
  /** Stream key, where one is needed. */
  readonly key?: string;
  onStatus(status: UploadStatus): void;
  readonly connect?: (url: string, protocol: string) => UploadSocketPort;
  readonly fetch?: typeof globalThis.fetch;
  readonly spool?: Promise<ChunkSpool>;
}

interface Chunk {
  readonly offset: number;
  readonly length: number;
}

/**
 * Sends a recording to the server while it is made. What the server has not on its disk yet is kept, so that nothing
 * is lost when the connection is; it comes back by itself and goes on where the server says.
 */
export class UploadPublisher {
  readonly #options: UploadOptions;
  readonly #url: URL;
  readonly #spool: Promise<ChunkSpool>;
  readonly #backOff = new BackOff();
  #chunks: Chunk[] = [];
  #socket: { readonly port: UploadSocketPort; ready: boolean } | undefined;
  /** Octets pushed, put into the spool, stored by the server, and sent on this connection. */
  readonly #at = { pushed: 0, kept: 0, stored: 0, sent: 0, window: 0 };
  #work: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #status: UploadStatus = { state: 'connecting', queued: 0, stored: 0 };
  #ending = false;
  /** Connection on which the end was told. */
  #endSent: UploadSocketPort | undefined;

  constructor(options: UploadOptions) {
    this.#options = options;
    const session = newSession();
    this.#url = new URL(`${options.server.replace(/\/$/, '')}/${options.stream}/upload`);
    this.#url.searchParams.set('session', session);
    if (options.key !== undefined && options.key !== '') this.#url.searchParams.set('key', options.key);
    this.#spool = options.spool ?? openSpool(session).catch(() => new MemorySpool());
    void this.#connect();
  }

  get status(): UploadStatus {
    return this.#status;
  }

  /** Takes the next bytes of the recording. */
  push(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length === 0 || this.#over || this.#ending) return;
    const chunk = { offset: this.#at.pushed, length: bytes.length };
    this.#at.pushed += bytes.length;
    this.#do(async (spool) => {
      await spool.put(chunk.offset, bytes);
      this.#chunks.push(chunk);
      this.#at.kept = chunk.offset + chunk.length;
    });
    this.#tell({});
    this.#pump();
  }

  /** The recording is complete: sends the rest and ends. */
  end(): void {
    if (this.#over) return;
    this.#ending = true;
    this.#tell({ state: 'ending' });
    this.#pump();
  }

  /** Leaves it as it is; the server ends the upload after a while. */
  abandon(): void {
    if (!this.#over) this.#finish({ state: 'failed', failure: { code: 'ABANDONED', detail: '' } });
  }

  get #over(): boolean {
    return this.#status.state === 'done' || this.#status.state === 'failed';
  }

  /** Asks first over HTTP, which tells why the server refuses; a WebSocket does not. */
  async #connect(): Promise<void> {
    const fetching = this.#options.fetch ?? ((...what) => fetch(...what));
    const url = new URL(this.#url);
    url.searchParams.set('offset', '0');
    try {
      const response = await fetching(url, { method: 'POST' });
      // It ended, but the word of it was lost with the connection.
      if (response.status === 410 && this.#ending) {
        const result = decodeUploadResult(await (await fetching(this.#url)).text());
        this.#at.stored = result.offset;
        this.#finish({ state: 'done', result });
        return;
      }
      if (!response.ok && response.status < 500 && response.status !== 429) {
        const known = readProblem(await response.json().catch(() => undefined));
        const code = known?.code ?? String(response.status);
        this.#finish({ state: 'failed', failure: { code, detail: known?.detail ?? known?.title ?? '' } });
        return;
      }
      if (!response.ok) throw new Error('not now');
    } catch {
      this.#retry();
      return;
    }
    if (!this.#over) this.#open();
  }

  #open(): void {
    const url = this.#url.href.replace(/^http/, 'ws');
    const connect = this.#options.connect ?? ((to, protocol) => new WebSocket(to, protocol));
    const port = connect(url, UPLOAD_SUBPROTOCOL) as UploadSocketPort;
    const socket = { port, ready: false };
    this.#socket = socket;
    port.binaryType = 'arraybuffer';
    port.onmessage = ({ data }) => {
      if (this.#socket === socket && typeof data === 'string') this.#message(data);
    };
    port.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#retry();
    };
  }

  #message(text: string): void {
    const message = decodeUploadServerText(text);
    switch (message.type) {
      case 'ready':
        if (message.offset < this.#at.stored) {
          const detail = 'the server has forgotten the upload';
          this.#finish({ state: 'failed', failure: { code: 'UPLOAD_FORGOTTEN', detail } });
          return;
        }
        this.#socket!.ready = true;
        this.#backOff.reset();
        this.#at.sent = message.offset;
        this.#at.window = message.window;
        this.#tell({ state: this.#ending ? 'ending' : 'sending' });
        this.#pump();
        return;
      case 'ack':
        this.#stored(message.offset);
        this.#pump();
        return;
      case 'done':
        this.#stored(message.offset);
        this.#finish({ state: 'done', result: message });
        return;
      case 'error':
        // As a full disk: it passes, and the close that follows leads to another try.
        if (message.code === 'OVERLOADED') return;
        this.#finish({ state: 'failed', failure: { code: message.code, detail: message.detail } });
    }
  }

  #stored(offset: number): void {
    this.#at.stored = Math.max(this.#at.stored, offset);
    this.#do(async (spool) => {
      while (this.#chunks.length > 0) {
        const first = this.#chunks[0]!;
        if (first.offset + first.length > this.#at.stored) break;
        this.#chunks.shift();
        await spool.remove(first.offset);
      }
    });
    this.#tell({});
  }

  /** Sends what the window has room for, in order. */
  #pump(): void {
    this.#do(async (spool) => {
      for (;;) {
        const socket = this.#socket;
        const { sent, pushed, kept, stored, window } = this.#at;
        if (socket?.ready !== true || this.#over) return;
        if (sent >= kept) {
          if (this.#ending && kept === pushed) this.#sendEnd(socket.port);
          return;
        }
        if (sent - stored >= window) return;
        const chunk = this.#chunks.find(({ offset, length }) => sent >= offset && sent < offset + length);
        const bytes = chunk === undefined ? undefined : await spool.get(chunk.offset);
        if (this.#socket !== socket) return;
        if (chunk === undefined || bytes === undefined) {
          const detail = 'what was kept of the recording is gone';
          this.#finish({ state: 'failed', failure: { code: 'UPLOAD_LOST', detail } });
          return;
        }
        socket.port.send(bytes.subarray(sent - chunk.offset));
        this.#at.sent = chunk.offset + chunk.length;
      }
    });
  }

  #sendEnd(port: UploadSocketPort): void {
    if (this.#endSent === port) return;
    this.#endSent = port;
    port.send('{"type":"end"}');
  }

  #retry(): void {
    if (this.#over) return;
    this.#tell({ state: this.#ending ? 'ending' : 'waiting' });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), this.#backOff.next());
  }

  /** One step after the other, so that nothing is sent before it is kept. */
  #do(step: (spool: ChunkSpool) => Promise<void>): void {
    this.#work = this.#work
      .then(async () => step(await this.#spool))
      .catch((error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error);
        if (!this.#over) this.#finish({ state: 'failed', failure: { code: 'SPOOL', detail } });
      });
  }

  #finish(last: Partial<UploadStatus> & Pick<UploadStatus, 'state'>): void {
    clearTimeout(this.#timer);
    this.#tell(last);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.port.close();
    void this.#spool.then((spool) => spool.close()).catch(() => undefined);
  }

  #tell(change: Partial<UploadStatus>): void {
    const { pushed, stored } = this.#at;
    this.#status = { ...this.#status, queued: Math.max(0, pushed - stored), stored, ...change };
    this.#options.onStatus(this.#status);
  }
}

/** A name for an upload that nobody guesses. */
function newSession(): string {
  const random = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...random))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}
