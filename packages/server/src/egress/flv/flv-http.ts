import type { Socket } from 'node:net';
import type { PackagerKind, Stream } from '../../hub/index.ts';
import type { TagPackager } from '../../packager/tags/index.ts';
import { endlessHead, type LiveDeps, type LiveRequest, serveEndless } from '../live/index.ts';
import { FLV_ENVELOPE, joinFlv } from './flv-feed.ts';

/** What the FLV outputs need. */
export interface FlvDeps extends LiveDeps {
  readonly kind: PackagerKind<TagPackager>;
  /** Merge window for viewers who ask for none, in milliseconds. */
  windowMs(): number;
}

const HEAD = endlessHead('video/x-flv');

/** True if there is something to watch now or soon; otherwise the caller answers 404. */
export function hasPicture(stream: Stream | undefined): boolean {
  return stream !== undefined && (stream.state === 'live' || stream.state === 'waiting');
}

/**
 * Answers a request with an endless FLV file. Takes the socket over: nothing else may be written to it.
 * @throws HubError before anything was written.
 */
export function serveHttpFlv(socket: Socket, request: LiveRequest, deps: FlvDeps): void {
  if (request.head === true) {
    socket.end(HEAD);
    return;
  }
  const { viewing, transport } = serveEndless(socket, HEAD, 'http-flv', request, deps);
  joinFlv(viewing, deps.kind, FLV_ENVELOPE, transport, request.windowMs ?? deps.windowMs());
}
