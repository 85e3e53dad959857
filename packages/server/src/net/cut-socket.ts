import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Ends a connection whose peer has stopped reading. A plain close would keep megabytes waiting in the system for a
 * window that never opens, and the peer would not learn of it; a reset (RFC 9293 §3.10.7.4) frees them at once, and a
 * player that is only slow sees the end and comes back. Under TLS the socket is destroyed: Node resets bare TCP only.
 */
export function cutSocket(socket: Duplex): void {
  if (socket instanceof Socket && !(socket instanceof TLSSocket) && !socket.destroyed)
    socket.resetAndDestroy();
  else socket.destroy();
}
