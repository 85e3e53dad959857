import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Takes a client that closes its side of the connection for gone before it has its answer, and destroys the response:
 * for answers that nobody knows the end of, or that are too dear to be made for nobody. All others are waited for
 * (RFC 9112 §9.6). HTTP/2 has no such half.
 */
export function goneAtEnd(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersionMajor >= 2) return;
  const { socket } = request;
  const gone = (): void => void response.destroy();
  socket.once('end', gone);
  response.once('close', () => socket.off('end', gone));
}
