import type { IncomingMessage } from 'node:http';
import type { SessionInfo, StreamInfo } from '@onair/contracts';
import { isNamePart, type StreamName, streamName } from '@onair/media';
import type { AdminGuard } from '../auth/index.ts';
import { adminRemote, type Config } from '../config/index.ts';
import { checkHost, HttpProblem, type HttpServer } from '../net/index.ts';
import { statXml } from './stat.ts';

/** What the pages of nginx-rtmp stand on. */
export interface NginxPagesDeps {
  config(): Config;
  readonly admin: AdminGuard;
  readonly streams: { list(): readonly StreamInfo[] };
  readonly sessions: {
    list(): readonly SessionInfo[];
    kick(id: string, reason: string): boolean;
    move(id: string, to: StreamName): boolean;
  };
  /** Begins or ends the recording of a live stream. */
  record(stream: StreamName, on: boolean): { readonly file: string } | 'already' | 'off air' | 'failed';
  readonly version: string;
  /** ms since 1970. */
  wall(): number;
}

/** Serves `nginx.stat` and `nginx.control` where the configuration names addresses for them. */
export function registerNginxPages(server: HttpServer, deps: NginxPagesDeps): void {
  const { stat, control } = deps.config().nginx;
  const numbers = new Map<string, number>();
  let last = 0;
  const idOf = ({ id }: SessionInfo): number => {
    const number = numbers.get(id) ?? ++last;
    numbers.set(id, number);
    return number;
  };
  /** Forgets the numbers of sessions that are over. */
  const sessions = (): readonly SessionInfo[] => {
    const list = deps.sessions.list();
    if (numbers.size > 2 * list.length + 1000) {
      const there = new Set(list.map(({ id }) => id));
      for (const id of numbers.keys()) if (!there.has(id)) numbers.delete(id);
    }
    return list;
  };
  if (stat !== undefined) {
    const rates = new OutRates();
    server.fastify.get(stat, (request, reply) => {
      admit(request.raw, deps, server);
      const now = deps.wall();
      const streams = deps.streams.list();
      rates.look(streams, now);
      const text = statXml({
        streams,
        sessions: sessions(),
        version: deps.version,
        uptime: process.uptime(),
        now,
        bitrateOut: (name) => rates.of(name),
        idOf,
      });
      return reply.type('text/xml').header('cache-control', 'no-store').send(text);
    });
  }
  if (control !== undefined) {
    server.fastify.get<{ Params: Record<string, string>; Querystring: Record<string, unknown> }>(
      `${control}/:section/:method`,
      (request, reply) => {
        admit(request.raw, deps, server);
        const { section, method } = request.params;
        reply.header('cache-control', 'no-store').type('text/plain; charset=utf-8');
        const { app, name, addr, clientid, newname } = request.query;
        if (!isNamePart(app) || !(name === undefined || isNamePart(name)))
          return reply.code(400).send('Application not specified');
        if (section === 'record') {
          if (name === undefined) return reply.code(400).send('Live stream not found');
          if (method !== 'start' && method !== 'stop') return reply.code(400).send('Undefined method');
          const answer = deps.record(streamName(app, name), method === 'start');
          if (answer === 'already') return reply.send('');
          if (typeof answer === 'object') return reply.send(answer.file);
          return reply.code(400).send(answer === 'failed' ? 'Recorder error' : 'No publisher');
        }
        const does =
          section === 'drop' ? DROP : section === 'redirect' ? redirectTo(app, newname) : undefined;
        const kinds = KINDS[method ?? ''];
        if (kinds === undefined || (does === undefined && section !== 'redirect'))
          return reply.code(404).send('');
        if (does === undefined) return reply.code(400).send('newname not specified');
        const meant = sessions().filter(
          (one) =>
            kinds.includes(one.kind) &&
            (name === undefined ? one.stream.startsWith(`${app}/`) : one.stream === `${app}/${name}`) &&
            (addr === undefined || one.address === addr) &&
            (clientid === undefined || idOf(one) === Number(clientid)) &&
            does(deps.sessions, one.id),
        );
        return reply.send(String(meant.length));
      },
    );
  }
}

type Deed = (sessions: NginxPagesDeps['sessions'], id: string) => boolean;

const DROP: Deed = (sessions, id) => sessions.kick(id, 'dropped by control');

function redirectTo(app: string, name: unknown): Deed | undefined {
  if (!isNamePart(name)) return undefined;
  const to = streamName(app, name);
  return (sessions, id) => sessions.move(id, to);
}

const KINDS: Readonly<Record<string, readonly SessionInfo['kind'][]>> = {
  publisher: ['publisher'],
  subscriber: ['viewer'],
  client: ['publisher', 'viewer'],
};

/**
 * Lets programs on this machine in, as nginx-rtmp's scripts are written, and whoever has the operator's rights; no
 * page of another origin, whose browser would reach this machine for it.
 * @throws HttpProblem
 */
function admit(request: IncomingMessage, deps: NginxPagesDeps, server: HttpServer): void {
  const { address, local } = server.client(request);
  if (!local && !adminRemote(deps.config())) throw new HttpProblem('ADMIN_LOCAL_ONLY');
  checkHost(request, deps.config().http);
  const { authorization, cookie, origin, 'sec-fetch-site': site } = request.headers;
  const foreign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (foreign || (origin !== undefined && site === undefined)) throw new HttpProblem('ORIGIN_REFUSED');
  if (local && deps.config().nginx.fromLoopback) return;
  if (deps.admin.identify({ authorization, cookie, address }).kind !== 'admin')
    throw new HttpProblem('AUTH_REQUIRED');
}

/** Bits per second to viewers, between the last two looks that lay a second apart. */
class OutRates {
  #before = { at: 0, bytes: new Map<string, number>() };
  #rates = new Map<string, number>();

  look(streams: readonly StreamInfo[], now: number): void {
    const elapsed = now - this.#before.at;
    if (elapsed < 1000) return;
    const known = this.#before.bytes;
    this.#rates = new Map(
      streams.map(({ name, bytesOut }) => {
        const sent = bytesOut - (known.get(name) ?? bytesOut);
        return [name, Math.max(0, (sent * 8000) / elapsed)];
      }),
    );
    this.#before = { at: now, bytes: new Map(streams.map(({ name, bytesOut }) => [name, bytesOut])) };
  }

  of(name: string): number {
    return this.#rates.get(name) ?? 0;
  }
}
