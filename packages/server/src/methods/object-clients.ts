import type { RtmpHandlers, RtmpPeer } from '../net/rtmp-handlers.ts';
import type { SharedObjects, SharedObjectUser } from './shared-objects.ts';

/** Lets RTMP clients use shared objects, beside what these handlers do. */
export function withSharedObjects(handlers: RtmpHandlers, objects: SharedObjects): RtmpHandlers {
  const users = new Map<RtmpPeer, SharedObjectUser>();
  return {
    ...handlers,
    sharedObject: (peer, message) => {
      let user = users.get(peer);
      if (user === undefined) {
        user = { app: peer.connect.app, send: (answer) => peer.sendSharedObject(answer) };
        users.set(peer, user);
      }
      objects.take(user, message);
    },
    left: (peer) => {
      const user = users.get(peer);
      users.delete(peer);
      if (user !== undefined) objects.left(user);
      handlers.left?.(peer);
    },
  };
}
