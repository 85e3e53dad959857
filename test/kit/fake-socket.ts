import type { SocketPort } from '@onair/client/sources';
import { FMP4_HEADER_LENGTH, type Fmp4Header, writeFmp4Header } from '@onair/contracts/fmp4-socket';

/** The header of a message of the fMP4 socket; what is not told is 0. */
export function fmp4Header(type: number, more: Partial<Fmp4Header> = {}): Fmp4Header {
  const flags = { independent: false, discontinuity: false };
  const times = { time: 0, duration: 0, compositionOffset: 0, wallClock: 0 };
  return { type, ...flags, track: 0, epoch: 1, sequence: 0, ...times, ...more };
}

/** A whole message of the fMP4 socket. */
export function fmp4Message(head: Fmp4Header, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FMP4_HEADER_LENGTH + payload.length);
  writeFmp4Header(bytes, 0, head);
  bytes.set(payload, FMP4_HEADER_LENGTH);
  return bytes;
}

/** A WebSocket whose server is the test. */
export class FakeSocket implements SocketPort {
  binaryType = '';
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  /** What the page sent, read as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it waits for
  readonly sent: any[] = [];
  readonly url: string;
  closedWith: number | undefined;

  constructor(url: string) {
    this.url = url;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code?: number): void {
    this.readyState = 3;
    this.closedWith = code ?? 1005;
  }

  /** The server says something. */
  text(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** The server sends bytes. */
  bytes(bytes: Uint8Array): void {
    this.onmessage?.({ data: bytes.slice().buffer });
  }
}
