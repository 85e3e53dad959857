/** What of `WebSocket` a connection uses. */
export interface SocketPort {
  binaryType: string;
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** Opens a socket. @throws where the address is none. */
export type OpenSocket = (address: string, protocol: string) => SocketPort;

/** Opens one of the browser's. */
export const openSocket: OpenSocket = (address, protocol) => new WebSocket(address, protocol) as SocketPort;

/** What comes by a socket. */
export interface SocketListener {
  text(text: string): void;
  binary(bytes: Uint8Array): void;
  closed(code: number, reason: string): void;
  /** A message that `text` or `binary` threw at. */
  malformed(error: Error): void;
}

/** Hears a socket out, from before it is open to its end. */
export function listenTo(socket: SocketPort, listener: SocketListener): void {
  socket.binaryType = 'arraybuffer';
  socket.onmessage = ({ data }) => {
    try {
      if (typeof data === 'string') listener.text(data);
      else if (data instanceof ArrayBuffer) listener.binary(new Uint8Array(data));
    } catch (error) {
      listener.malformed(error as Error);
    }
  };
  socket.onclose = ({ code, reason }) => listener.closed(code, reason);
}

/** Nothing of a socket is heard any longer. */
export function leave(socket: SocketPort): void {
  socket.onmessage = socket.onclose = null;
}

/** Sends a command if the socket is open. @returns whether it was sent. */
export function sendJson(socket: SocketPort | undefined, message: object): boolean {
  if (socket?.readyState !== OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

const OPEN = 1;
