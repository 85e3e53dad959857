/** What moves the bytes of an RTMP connection. */
export interface Carrier {
  /** Sends bytes, in order; they belong to the carrier from now on. */
  send(bytes: Uint8Array): void;
  /** Bytes that wait to leave. */
  readonly waiting: number;
  /** Ends it once everything has left; nothing is told any more. */
  close(): void;
}

/** Whoever uses a carrier. */
export interface CarrierListener {
  /** Bytes may be sent. */
  opened(): void;
  received(bytes: Uint8Array): void;
  /** It is over, not by `close`. Called once. */
  closed(reason: string): void;
}

/** Longest WebSocket message that is sent, in bytes; the server takes four times that. */
const MAX_MESSAGE = 262_144;

/** RTMP over WebSocket. */
export function openSocket(url: string, listener: CarrierListener): Carrier {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  let over = false;
  const end = (reason: string): void => {
    if (over) return;
    over = true;
    listener.closed(reason);
  };
  socket.addEventListener('open', () => {
    if (!over) listener.opened();
  });
  socket.addEventListener('message', ({ data }) => {
    if (!over && data instanceof ArrayBuffer) listener.received(new Uint8Array(data));
  });
  socket.addEventListener('close', ({ code, reason }) =>
    end(reason === '' ? `the connection was closed (${code})` : reason),
  );
  return {
    send(bytes) {
      if (socket.readyState !== WebSocket.OPEN) return;
      for (let at = 0; at < bytes.length; at += MAX_MESSAGE) {
        socket.send(bytes.subarray(at, at + MAX_MESSAGE) as Uint8Array<ArrayBuffer>);
      }
    },
    get waiting() {
      return socket.bufferedAmount;
    },
    close() {
      over = true;
      socket.close(1000);
    },
  };
}
