import { join } from 'node:path';
import { isNamePart } from '@onair/media';
import { type AmfValue, amfOfJson, jsonOfAmf } from '@onair/media/amf';
import type { CallRequest } from '@onair/media/rtmp';
import { HttpProblem, type HttpServer, refusedForNow } from '../net/index.ts';
import { notAdmitted } from '../net/rtmp-end.ts';
import type { RtmpHandlers, RtmpPeer } from '../net/rtmp-handlers.ts';
import { argumentsOf, registerMethodRoutes } from './method-routes.ts';
import { type CallableClient, MethodService, type MethodServiceDeps } from './method-service.ts';
import { MethodSockets } from './method-socket.ts';
import { withSharedObjects } from './object-clients.ts';
import { SharedObjects } from './shared-objects.ts';

/** The methods at work. */
export interface RegisteredMethods {
  /** RTMP clients reach the methods, and hooks are asked, in front of these handlers; without scripts, these alone. */
  rtmp(handlers: Pick<RtmpHandlers, 'publish' | 'play'>): RtmpHandlers;
  close(): void;
}

/** Loads the application scripts and answers calls by HTTP and WebSocket. Rejects if there is no such folder. */
export async function registerMethods(
  server: HttpServer,
  deps: Omit<MethodServiceDeps, 'objects'> & { readonly data: string },
): Promise<RegisteredMethods> {
  const objects: SharedObjects = new SharedObjects({
    folder: join(deps.data, 'shared-objects'),
    serves: (app) => methods.serves(app),
    fault: (error) => deps.log('error', 'a shared object cannot be kept', { err: error }),
  });
  const methods: MethodService = new MethodService({ ...deps, objects });
  await methods.open();
  const sockets = new MethodSockets(methods);
  registerMethodRoutes(server, methods);
  server.upgrades.add({
    pattern: /^\/rpc\/(?<app>[^/]+)$/,
    origins: 'own',
    handle: (upgrade) => {
      const { app } = upgrade.params;
      if (!isNamePart(app)) throw new HttpProblem('STREAM_NAME_INVALID');
      if (!methods.serves(app)) throw new HttpProblem('NOT_FOUND');
      if (sockets.full) throw refusedForNow('OVERLOADED', 5);
      sockets.serve(upgrade, app);
    },
  });
  return {
    rtmp: (handlers) => {
      if (deps.folder !== undefined) return withSharedObjects(rtmpHandlers(methods, handlers), objects);
      // Without scripts nobody calls clients, so that none of them needs to be known.
      return deps.own === undefined
        ? handlers
        : { ...handlers, call: (peer, call) => called(methods, peer, call) };
    },
    close: () => {
      sockets.close();
      methods.close();
      objects.close();
    },
  };
}

function rtmpHandlers(
  methods: MethodService,
  handlers: Pick<RtmpHandlers, 'publish' | 'play'>,
): RtmpHandlers {
  const leaves = new WeakMap<RtmpPeer, () => void>();
  return {
    admit: async (peer) => {
      const client = clientOf(peer);
      const refused = await methods.refuses('onConnect', client, { query: peer.connect.query });
      if (refused !== undefined) return notAdmitted(refused);
      leaves.set(peer, methods.join(client));
      return undefined;
    },
    left: (peer) => leaves.get(peer)?.(),
    call: (peer, call) => called(methods, peer, call),
    publish: async (peer, request) => {
      const reason = await methods.refuses('onPublish', clientOf(peer), { stream: request.name });
      if (reason !== undefined) return { refused: 'NetStream.Publish.Denied', reason };
      return await handlers.publish(peer, request);
    },
    play: async (peer, request) => {
      const reason = await methods.refuses('onPlay', clientOf(peer), { stream: request.name });
      if (reason !== undefined) return { refused: 'NetStream.Play.Failed', reason };
      return await handlers.play(peer, request);
    },
  };
}

async function called(
  methods: MethodService,
  peer: RtmpPeer,
  { name, args }: CallRequest,
): Promise<AmfValue> {
  return amfOfJson(await methods.call(clientOf(peer), name, argumentsOf([...args])));
}

function clientOf(peer: RtmpPeer): CallableClient {
  return {
    id: peer.id,
    app: peer.connect.app,
    address: peer.address,
    transport: 'rtmp',
    ask: async (method, args, answer) => {
      const asked = peer.call(
        method,
        args.map((value) => amfOfJson(value)),
      );
      if (!answer) {
        asked.catch(() => undefined);
        return undefined;
      }
      return jsonOfAmf(await asked);
    },
  };
}
