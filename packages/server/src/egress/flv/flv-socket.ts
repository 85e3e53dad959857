import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type LiveRequest, SocketTransport, Viewing } from '../live/index.ts';
import { TRY_LATER, ViewerSocket } from '../websocket/viewer-socket.ts';
import { joinFlv, WS_FLV_ENVELOPE } from './flv-feed.ts';
import type { FlvDeps } from './flv-http.ts';

/**
 * Answers an upgrade request with FLV in binary messages: the file header and each batch of tags is a message.
 * @throws HubError before anything was written.
 */
export function serveWsFlv(
  upgrade: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  request: LiveRequest,
  deps: FlvDeps,
): void {
  let viewing: Viewing | undefined;
  const options = { onClose: (reason: string) => viewing?.close(reason) };
  ViewerSocket.accept(upgrade, socket, head, options, (viewer) => {
    const end = (reason: string): void => {
      viewing?.close(reason);
      viewer.close(reason === 'too-slow' ? TRY_LATER : 1000, reason);
    };
    try {
      viewing = new Viewing(deps, {
        stream: request.stream,
        protocol: 'ws-flv',
        address: request.address,
        close: end,
      });
    } catch (error) {
      viewer.close(TRY_LATER, error instanceof Error ? error.message : 'refused');
      return;
    }
    const session = viewing;
    viewer.raw.on('drain', () => session.viewer?.drained());
    joinFlv(
      session,
      deps.kind,
      WS_FLV_ENVELOPE,
      new SocketTransport(viewer.raw, end),
      request.windowMs ?? deps.windowMs(),
    );
  });
}
