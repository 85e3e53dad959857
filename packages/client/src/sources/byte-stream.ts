import { availabilityOf } from './availability.ts';

/** Why a byte stream ended. */
export interface StreamEnd {
  /** HTTP status if the server refused, 0 if the connection failed or broke, 200 if the server ended the stream. */
  readonly status: number;
  readonly detail: string;
}

/** Reads an endless HTTP response. Resolves when it is over; `bytes` belongs to the receiver. */
export async function readHttp(
  address: string,
  signal: AbortSignal,
  receive: (bytes: Uint8Array) => void,
): Promise<StreamEnd> {
  try {
    const response = await fetch(address.replace(/^ws/, 'http'), { cache: 'no-store', signal });
    if (availabilityOf(response.status) !== 'there' || response.body === null) {
      await response.body?.cancel();
      return { status: response.status, detail: `the server answered ${response.status}` };
    }
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { status: 200, detail: 'the server ended the stream' };
      receive(value);
    }
  } catch (error) {
    return { status: 0, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Reads the binary messages of a WebSocket as one byte stream. Resolves when it is over. */
export function readSocket(
  address: string,
  signal: AbortSignal,
  receive: (bytes: Uint8Array) => void,
): Promise<StreamEnd> {
  return new Promise((resolve) => {
    const socket = new WebSocket(address.replace(/^http/, 'ws'));
    socket.binaryType = 'arraybuffer';
    const abort = (): void => socket.close();
    signal.addEventListener('abort', abort, { once: true });
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer && !signal.aborted) receive(new Uint8Array(data));
    };
    socket.onclose = ({ code, reason }) => {
      signal.removeEventListener('abort', abort);
      const status = code === 1000 ? 200 : code === 1008 ? 403 : 0;
      resolve({ status, detail: reason || `the WebSocket was closed with ${code}` });
    };
  });
}
