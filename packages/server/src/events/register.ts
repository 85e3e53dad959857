import { isNamePart, streamName } from '@onair/media';
import type { AdminGuard, PublishGuard } from '../auth/index.ts';
import { adminRemote, type Config } from '../config/index.ts';
import type { Stream, StreamRegistry } from '../hub/index.ts';
import { HttpProblem, type HttpServer, refusedForNow, type UpgradeRequest } from '../net/index.ts';
import { type EventAuthor, EventService } from './event-service.ts';
import { EventSockets } from './event-socket.ts';

/** What the events of all streams stand on. */
export interface EventsDeps {
  readonly registry: StreamRegistry;
  config(): Config;
  readonly admin: AdminGuard;
  readonly guard: PublishGuard;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** ms since the Unix epoch at stream time 0 of a stream, if its output tells dates. */
  dateOfZero(stream: Stream): number | undefined;
}

/** The service, and what ends it: resolves when the log is on the disk. */
export interface RegisteredEvents {
  readonly service: EventService;
  close(): Promise<void>;
}

const SOCKET = /^\/api\/v1\/streams\/(?<app>[^/]+)\/(?<name>[^/]+)\/events$/;

/** Makes the service of timed events and answers its WebSocket. */
export function registerEvents(server: HttpServer, deps: EventsDeps): RegisteredEvents {
  const service = new EventService({
    registry: deps.registry,
    folder: deps.config().data,
    timeAt: (stream, wallMs) => {
      const zero = deps.dateOfZero(stream);
      return zero === undefined ? stream.timeAt(wallMs) : (wallMs - zero) * 1000;
    },
    log: deps.log,
    wall: Date.now,
  });
  const sockets = new EventSockets(service, deps.registry);
  server.upgrades.add({
    pattern: SOCKET,
    origins: 'own',
    handle: async (upgrade) => {
      const { app, name } = upgrade.params;
      if (!isNamePart(app) || !isNamePart(name)) throw new HttpProblem('STREAM_NAME_INVALID');
      if (sockets.full) throw refusedForNow('OVERLOADED', 5);
      const author = await authorOf(upgrade, app, name, deps);
      sockets.serve(upgrade, streamName(app, name), author);
    },
  });
  return {
    service,
    close: async () => {
      sockets.close();
      await service.close();
    },
  };
}

/** Whoever may publish a stream may put events into it, and so may the operator. */
async function authorOf(
  { request, query, client }: UpgradeRequest,
  app: string,
  name: string,
  { admin, guard, config }: EventsDeps,
): Promise<EventAuthor | undefined> {
  const { address, local, forwarded } = client;
  if (local || adminRemote(config())) {
    const { authorization, cookie } = request.headers;
    if (admin.identify({ authorization, cookie, address }).kind === 'admin')
      return { by: 'operator', address };
  }
  const key = query.get('key');
  if (key === null && !local) return undefined;
  const asked = {
    app,
    name,
    query: key === null ? '' : `key=${key}`,
    address,
    protocol: 'events',
    forwarded,
  };
  const answer = await guard.authorize(asked);
  return answer.ok ? { by: answer.identity, address } : undefined;
}
