import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isNamePart, type StreamName, streamName } from '@onair/media';
import { Server as Engine } from 'engine.io';
import { Server, type Socket } from 'socket.io';
import { WebSocketServer } from 'ws';
import type { Config } from '../config/index.ts';
import {
  checkHost,
  checkOrigin,
  goneAtEnd,
  HttpProblem,
  type HttpServer,
  hostNameOf,
  iceSettings,
} from '../net/index.ts';
import { registerPeers } from './register-peers.ts';
import { ROOM_APP } from './room-app.ts';
import { RoomDirectory } from './room-directory.ts';
import { serveRoomSocket } from './room-socket.ts';

/** What the signalling of rooms is made with. */
export interface RegisterRoomsOptions {
  config(): Config;
  /** Counts wrong passwords per address. */
  readonly limiter: { retryAfter(address: string): number; failed(address: string): void };
  /** False if the server takes no talk by WHIP. */
  hasWebRtc(): boolean;
  /** What is to be done with a room's stream is another than before; `talking` is false once nobody may send to it. */
  staged(stream: StreamName, talking: boolean): void;
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** The signalling of rooms, reachable on every port of the HTTP server. */
export interface Rooms {
  readonly directory: RoomDirectory;
  /** Opens the port of the original's signalling server. Resolves with it; with undefined if the settings want none. */
  listenCompat(): Promise<number | undefined>;
  /** Ends every connection. Safe to call twice. */
  close(): void;
}

const PATH = '/socket.io/';
/** Longest message on the wire, bytes: an SDP with some room. */
const MAX_BYTES = 64 * 1024;
/** Connections at one time, over all rooms. */
const MAX_SOCKETS = 10_000;

/** Adds Socket.IO to the HTTP server: long polling and WebSocket, and the client's script. */
export function registerRooms(http: HttpServer, options: RegisterRoomsOptions): Rooms {
  const { config, limiter } = options;
  const nameKey = randomBytes(16);
  const directory = new RoomDirectory({
    policy: () => config().rooms,
    same: equal,
    secret: () => randomBytes(16).toString('base64url'),
    streamOf: (room, locked) => streamOfRoom(room, locked, nameKey),
    staged: options.staged,
  });
  let compatPort = -1;
  const engine = new Engine({
    wsEngine: WebSocketServer,
    maxHttpBufferSize: MAX_BYTES,
    perMessageDeflate: false,
    httpCompression: false,
    cors: { origin: (origin, callback) => callback(null, origin ?? false) },
    allowRequest: (request, callback) => {
      const full = engine.clientsCount >= MAX_SOCKETS && request.url?.includes('sid=') !== true;
      callback(null, !full && mayConnect(request, config().http, compatPort));
    },
  });
  const io = new Server({ serveClient: false });
  io.bind(engine);
  io.on('connection', (socket: Socket) => {
    const { address } = http.client(socket.request);
    serveRoomSocket(socket, {
      directory,
      settings: () => config().rooms,
      ice: (member) => iceSettings(config().ice, member, Date.now()),
      spills: () => config().rooms.spill && options.hasWebRtc(),
      retryAfter: () => limiter.retryAfter(address),
      failedPassword: () => limiter.failed(address),
      log: options.log,
    });
  });
  http.upgrades.add({
    pattern: /\/socket\.io\//,
    origins: 'any',
    handle: ({ request, socket, head }) => engine.handleUpgrade(request as never, socket, head),
  });
  const endPeers = registerPeers(http, {
    settings: () => config().rooms,
    ice: (id) => iceSettings(config().ice, id, Date.now()),
    same: equal,
  });
  registerPolling(http, (request, response) => engine.handleRequest(request as never, response));
  return {
    directory,
    async listenCompat() {
      const { compat, rooms } = config();
      if (!compat) return undefined;
      compatPort = await http.listenAlso(rooms.compatPort);
      return compatPort;
    },
    close() {
      endPeers();
      io.disconnectSockets(true);
      engine.close();
    },
  };
}

/** The framework hands requests through untouched: their bodies are read by the engine, which has limits of its own. */
function registerPolling(
  http: HttpServer,
  take: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  const script = createRequire(import.meta.url).resolve('socket.io/package.json');
  void http.fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.route({
      method: ['GET', 'POST', 'OPTIONS'],
      url: PATH,
      // Checked by `mayConnect`, which knows the port.
      config: { anyOrigin: true },
      handler: (request, reply) => {
        reply.hijack();
        // A poll that its page has left is how the engine learns that somebody is gone.
        goneAtEnd(request.raw, reply.raw);
        take(request.raw, reply.raw);
      },
    });
    scope.get(`${PATH}socket.io.js`, { config: { answers: 'asset' } }, async (_request, reply) => {
      const text = await readFile(join(script, '../client-dist/socket.io.min.js'));
      return reply.type('text/javascript; charset=utf-8').header('cache-control', 'max-age=86400').send(text);
    });
  });
}

/** Pages of this server and listed origins may; on the original's port also pages of other ports of the same host. */
function mayConnect(request: IncomingMessage, settings: Config['http'], compatPort: number): boolean {
  try {
    checkHost(request, settings);
    if (request.socket.localPort === compatPort && isSameHost(request)) return true;
    checkOrigin(request, settings);
    return true;
  } catch (error) {
    if (error instanceof HttpProblem) return false;
    throw error;
  }
}

function isSameHost({ headers: { origin, host } }: IncomingMessage): boolean {
  const name = hostNameOf(host);
  const page = origin === undefined ? undefined : /^https?:\/\/([^/]+)$/.exec(origin)?.[1];
  return name !== undefined && name === hostNameOf(page);
}

/** A room that has a password, or a name that no stream can have, becomes a stream whose name nobody can guess. */
function streamOfRoom(room: string, locked: boolean, key: Buffer): StreamName {
  const name =
    locked || !isNamePart(room)
      ? createHmac('sha256', key).update(room).digest('base64url').slice(0, 22)
      : room;
  return streamName(ROOM_APP, name);
}

function equal(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
