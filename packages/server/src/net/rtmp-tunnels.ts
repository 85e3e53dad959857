import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseTunnelPath } from '@onair/media/rtmp';
import type { Config } from '../config/index.ts';
import { checkHost, checkOrigin } from './http-origin.ts';
import type { RtmpSocket } from './rtmp-socket.ts';
import { RtmpTunnel, refuse, send } from './rtmp-tunnel.ts';

/** Takes a tunnel as a connection. False if there are too many. */
export type AdoptTunnel = (socket: RtmpSocket, secure: boolean) => boolean;

/** Bytes of a tunnel's id before it is written out: nobody guesses it. */
const ID_BYTES = 18;

/** Every RTMPT tunnel, whichever HTTP listener its requests come by. */
export class RtmpTunnels {
  readonly #adopt: AdoptTunnel;
  readonly #settings: () => Config['http'];
  readonly #tunnels = new Map<string, RtmpTunnel>();

  /** @param settings tell which pages may tunnel. */
  constructor(adopt: AdoptTunnel, settings: () => Config['http']) {
    this.#adopt = adopt;
    this.#settings = settings;
  }

  /** Tunnels open now. */
  get size(): number {
    return this.#tunnels.size;
  }

  /**
   * Takes a request if it is one of RTMPT; otherwise gives false.
   * @param address of the client. @param secure true over TLS.
   */
  take(request: IncomingMessage, response: ServerResponse, address: string, secure: boolean): boolean {
    if (request.method !== 'POST' && request.method !== 'OPTIONS') return false;
    const asked = parseTunnelPath(request.url ?? '');
    if (asked === undefined) return false;
    request.on('error', () => undefined);
    if (!this.#admits(request, response)) {
      request.resume();
      refuse(response, 403, true);
      return true;
    }
    if (request.method === 'OPTIONS') {
      request.resume();
      refuse(response, 204, true);
      return true;
    }
    switch (asked.kind) {
      case 'ident':
        request.resume();
        refuse(response, 404, true); // Flash goes on with the address it has
        return true;
      case 'open':
        request.resume();
        this.#open(response, address, secure);
        return true;
      default: {
        const tunnel = this.#tunnels.get(asked.id);
        if (tunnel === undefined) refuse(response);
        else tunnel.step({ kind: asked.kind, sequence: asked.sequence, request, response });
        return true;
      }
    }
  }

  /** Programs pass; pages have to be of this server or listed, and hear so (Fetch §3.2). */
  #admits(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin } = request.headers;
    if (origin === undefined) return request.method !== 'OPTIONS';
    try {
      checkHost(request, this.#settings());
      checkOrigin(request, this.#settings());
    } catch {
      return false;
    }
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Vary', 'Origin');
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'POST');
      response.setHeader('Access-Control-Allow-Headers', 'Content-Type');
      response.setHeader('Access-Control-Max-Age', '86400');
    }
    return true;
  }

  /** Ends every tunnel. */
  close(): void {
    for (const { socket } of this.#tunnels.values()) socket.destroy();
  }

  #open(response: ServerResponse, address: string, secure: boolean): void {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const tunnel = new RtmpTunnel(id, address, () => this.#tunnels.delete(id));
    this.#tunnels.set(id, tunnel);
    if (this.#adopt(tunnel.socket, secure)) send(response, `${id}\n`);
    else {
      tunnel.socket.destroy();
      refuse(response, 503);
    }
  }
}
