import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const endless = new WeakSet<object>();

/**
 * Lets the body of a request take as long as it likes: the deadline for whole requests counts no more on its connection.
 * Whoever calls this watches for silence, and closes the connection after the answer.
 */
export function allowEndlessBody(request: IncomingMessage): void {
  endless.add(request.socket);
}

/** True for a connection whose request is late by permission. */
export function mayBeLate(socket: Socket): boolean {
  return endless.has(socket);
}
