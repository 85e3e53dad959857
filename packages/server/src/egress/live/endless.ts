import type { Socket } from 'node:net';
import type { StreamName } from '@onair/media';
import { cutSocket } from '../../net/index.ts';
import { SocketTransport } from './socket-transport.ts';
import { type LiveDeps, Viewing } from './viewing.ts';

/** Who asks for an endless file over HTTP. */
export interface LiveRequest {
  readonly stream: StreamName;
  readonly address: string;
  /** Merge window asked for, in milliseconds. */
  readonly windowMs?: number;
  /** Answer the head only. */
  readonly head?: boolean;
}

/** Head of the answer. Written by hand: a response object costs half as much again per write. */
export function endlessHead(contentType: string): string {
  return [
    'HTTP/1.1 200 OK',
    `Content-Type: ${contentType}`,
    'Cache-Control: no-store',
    'Access-Control-Allow-Origin: *',
    'Timing-Allow-Origin: *',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    '',
    '',
  ].join('\r\n');
}

/** An answer that goes on until the stream or the viewer ends. */
export interface EndlessAnswer {
  readonly viewing: Viewing;
  readonly transport: SocketTransport;
  readonly end: (reason: string) => void;
}

/**
 * Takes the socket of a request over and writes the head; nothing else may write to it.
 * @param left called once, when the viewer is gone.
 * @throws HubError before anything was written.
 */
export function serveEndless(
  socket: Socket,
  head: string,
  protocol: string,
  request: LiveRequest,
  deps: LiveDeps,
  left: () => void = () => undefined,
): EndlessAnswer {
  const open = { done: false };
  const leave = (reason: string): void => {
    if (open.done) return;
    open.done = true;
    viewing.close(reason);
    left();
  };
  const end = (reason: string): void => {
    leave(reason);
    if (reason === 'stream-ended') socket.end();
    else if (reason === 'too-slow') cutSocket(socket);
    else socket.destroy();
  };
  const viewing = new Viewing(deps, {
    stream: request.stream,
    protocol,
    address: request.address,
    close: end,
  });
  socket.setNoDelay(true);
  socket.setTimeout(0);
  socket.on('close', () => leave('connection closed'));
  socket.on('error', () => leave('connection failed'));
  // An answer without end has nothing that could be waited for.
  socket.on('end', () => socket.end());
  socket.on('drain', () => viewing.viewer?.drained());
  // Whatever the client still sends is not looked at, but must be taken, so that its end is seen.
  socket.resume();
  socket.write(head);
  return { viewing, transport: new SocketTransport(socket, end), end };
}
