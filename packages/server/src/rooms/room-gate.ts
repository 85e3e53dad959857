import { ROOM_APP } from './room-app.ts';
import type { RoomDirectory } from './room-directory.ts';

/** Decides who may publish. */
interface Gate<Request, Answer> {
  authorize(request: Request): Promise<Answer>;
  keyNeeded(address: string): boolean;
}

/** What a {@link Gate} answers. */
type Answer =
  | { readonly ok: true; readonly identity: string }
  | { readonly ok: false; readonly code: 'PUBLISH_REFUSED'; readonly reason: string };

/** Leaves the streams of rooms to their talkers, who show the key that the room gave them, and all others to `gate`. */
export function roomGate<
  Request extends { readonly app: string; readonly name: string; readonly query: string },
  Other,
>(gate: Gate<Request, Other>, directory: () => RoomDirectory | undefined): Gate<Request, Other | Answer> {
  return {
    keyNeeded: (address) => gate.keyNeeded(address),
    authorize: async (request) => {
      const { app, name, query } = request;
      if (app !== ROOM_APP) return gate.authorize(request);
      const stream = `${app}/${name}`;
      const key = new URLSearchParams(query.slice(0, 4096)).get('key') ?? '';
      // The same identity after a reconnection, so that the talk goes on in the same publication.
      if (directory()?.mayPublish(stream, key) === true) return { ok: true, identity: stream };
      return {
        ok: false,
        code: 'PUBLISH_REFUSED',
        reason: 'only who talks in the room may publish its stream',
      };
    },
  };
}
