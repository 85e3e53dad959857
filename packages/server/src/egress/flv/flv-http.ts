import type { Socket } from 'node:net';
import type { StreamName } from '@onair/media';
import type { PackagerKind, Stream } from '../../hub/index.ts';
import type { TagPackager } from '../../packager/tags/index.ts';
import { type LiveDeps, SocketTransport, Viewing } from '../live/index.ts';
import { FLV_ENVELOPE, joinFlv } from './flv-feed.ts';

/** What the FLV outputs need. */
export interface FlvDeps extends LiveDeps {
  readonly kind: PackagerKind<TagPackager>;
  /** Merge window for viewers who ask for none, in milliseconds. */
  windowMs(): number;
}

/** Who asks for an FLV stream. */
export interface FlvRequest {
  readonly stream: StreamName;
  readonly address: string;
  /** Merge window asked for, in milliseconds. */
  readonly windowMs?: number;
  /** Answer the head only. */
  readonly head?: boolean;
}

// Written by hand: a response object costs half as much again per write.
const HEAD = [
  'HTTP/1.1 200 OK',
  'Content-Type: video/x-flv',
  'Cache-Control: no-store',
  'Access-Control-Allow-Origin: *',
  'Timing-Allow-Origin: *',
  'X-Content-Type-Options: nosniff',
  'Connection: close',
  '',
  '',
].join('\r\n');

/** True if there is something to watch now or soon; otherwise the caller answers 404. */
export function hasPicture(stream: Stream | undefined): boolean {
  return stream !== undefined && (stream.state === 'live' || stream.state === 'waiting');
}

/**
 * Answers a request with an endless FLV file. Takes the socket over: nothing else may be written to it.
 * @throws HubError before anything was written.
 */
export function serveHttpFlv(socket: Socket, request: FlvRequest, deps: FlvDeps): void {
  if (request.head === true) {
    socket.end(HEAD);
    return;
  }
  let viewing: Viewing | undefined;
  const end = (reason: string): void => {
    viewing?.close(reason);
    if (reason === 'stream-ended') socket.end();
    else socket.destroy();
  };
  viewing = new Viewing(deps, {
    stream: request.stream,
    protocol: 'http-flv',
    address: request.address,
    close: end,
  });
  const session = viewing;
  socket.setNoDelay(true);
  socket.setTimeout(0);
  socket.on('close', () => session.close('connection closed'));
  socket.on('error', () => session.close('connection failed'));
  socket.on('drain', () => session.viewer?.drained());
  // Whatever the client still sends is not looked at, but must be taken, so that its end is seen.
  socket.resume();
  socket.write(HEAD);
  const transport = new SocketTransport(socket, end);
  joinFlv(session, deps.kind, FLV_ENVELOPE, transport, request.windowMs ?? deps.windowMs());
}
