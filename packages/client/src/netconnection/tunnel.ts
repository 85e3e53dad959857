import { concatBytes } from '@onair/media/bytes';
import {
  TUNNEL_CONTENT_TYPE,
  TUNNEL_EMPTY_BODY,
  type TunnelRequest,
  tunnelId,
  tunnelPath,
} from '@onair/media/rtmp';
import type { Carrier, CarrierListener } from './carrier.ts';

/** An answer that took so long was held by the server, in milliseconds: ask again at once. */
const HELD_MS = 200;
/** Waits between requests that brought nothing and were answered at once, in milliseconds. */
const IDLE_MS = { first: 10, last: 100 } as const;

/** RTMP in HTTP requests: one that asks for bytes is always under way, and one that brings them when there are some. */
export function openTunnel(url: string, listener: CarrierListener): Carrier {
  return new Tunnel(url, listener);
}

class Tunnel implements Carrier {
  readonly #url: string;
  readonly #listener: CarrierListener;
  readonly #abort = new AbortController();
  #id = '';
  #sequence = 0;
  /** Answers that came before those of earlier numbers. */
  readonly #answers = new Map<number, Uint8Array>();
  #taken = 0;
  #parts: Uint8Array[] = [];
  #sending = false;
  #state: 'open' | 'closing' | 'over' = 'open';

  constructor(url: string, listener: CarrierListener) {
    this.#url = url;
    this.#listener = listener;
    void this.#begin();
  }

  get waiting(): number {
    return this.#parts.reduce((sum, { length }) => sum + length, 0);
  }

  send(bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#parts.push(bytes);
    // Whatever else is said in this turn goes the same way.
    queueMicrotask(() => void this.#flush());
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    void this.#flush();
  }

  async #begin(): Promise<void> {
    try {
      const answer = await this.#post({ kind: 'open' }, TUNNEL_EMPTY_BODY);
      const id = tunnelId(new TextDecoder('latin1').decode(answer.subarray(0, 128)));
      if (id === undefined) throw new Error('the server opened no tunnel');
      this.#id = id;
      if (this.#state === 'open') this.#listener.opened();
      await this.#flush();
      await this.#listen();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Asks for bytes as long as the tunnel lasts. */
  async #listen(): Promise<void> {
    let pauseMs: number = IDLE_MS.first;
    while (this.#state === 'open') {
      const asked = performance.now();
      if (await this.#step('idle', TUNNEL_EMPTY_BODY)) pauseMs = IDLE_MS.first;
      else if (performance.now() - asked < HELD_MS) {
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        pauseMs = Math.min(IDLE_MS.last, pauseMs * 2);
      }
    }
  }

  async #flush(): Promise<void> {
    if (this.#sending || this.#id === '') return;
    this.#sending = true;
    try {
      while (this.#parts.length > 0) {
        const body = concatBytes(this.#parts);
        this.#parts = [];
        await this.#step('send', body);
      }
      if (this.#state === 'closing') {
        this.#state = 'over';
        await this.#post({ kind: 'close', id: this.#id, sequence: this.#sequence++ }, TUNNEL_EMPTY_BODY);
        this.#abort.abort();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#sending = false;
    }
  }

  /** One request; true if its answer brought something. */
  async #step(kind: 'send' | 'idle', body: Uint8Array): Promise<boolean> {
    const sequence = this.#sequence++;
    const answer = await this.#post({ kind, id: this.#id, sequence }, body);
    this.#answers.set(sequence, answer);
    for (
      let next = this.#answers.get(this.#taken);
      next !== undefined;
      next = this.#answers.get(this.#taken)
    ) {
      this.#answers.delete(this.#taken++);
      if (next.length > 1 && this.#state === 'open') this.#listener.received(next.subarray(1));
    }
    return answer.length > 1;
  }

  async #post(request: TunnelRequest, body: Uint8Array): Promise<Uint8Array> {
    const answer = await fetch(this.#url + tunnelPath(request), {
      method: 'POST',
      headers: { 'Content-Type': TUNNEL_CONTENT_TYPE },
      body: body as Uint8Array<ArrayBuffer>,
      cache: 'no-store',
      credentials: 'omit',
      signal: this.#abort.signal,
    });
    if (!answer.ok) throw new Error(`the tunnel is over: HTTP ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  }

  #fail(error: unknown): void {
    const told = this.#state === 'open';
    this.#state = 'over';
    this.#abort.abort();
    if (told) this.#listener.closed(error instanceof Error ? error.message : String(error));
  }
}
