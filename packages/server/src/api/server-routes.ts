import { ERROR_CODES, type Health, isErrorCode, type ServerInfo } from '@onair/contracts';
import { DEFAULT_APP } from '@onair/media';
import type { FastifyRequest } from 'fastify';
import { HttpProblem, hostNameOf } from '../net/index.ts';
import type { ApiDeps } from './ports.ts';
import type { ApiRoute } from './route.ts';
import { ref } from './schemas.ts';

/** The server itself. */
export function serverRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/health',
      id: 'getHealth',
      summary: 'State of the whole server. Also at `/healthz`, with status 503 while it stops.',
      audience: 'everybody',
      status: 200,
      answer: ref('Health'),
      errors: [],
      handle: () => healthOf(deps),
    },
    {
      method: 'GET',
      path: '/info',
      id: 'getInfo',
      summary: 'What the server is and where it listens.',
      audience: 'everybody',
      status: 200,
      answer: ref('ServerInfo'),
      errors: [],
      handle: ({ request, admin }) => infoFor(deps, request, admin),
    },
    {
      method: 'GET',
      path: '/pushes',
      id: 'listPushes',
      summary: 'Streams that are sent on to other servers, and how that is going.',
      audience: 'operator',
      status: 200,
      answer: ref('PushList'),
      errors: [],
      handle: () => ({ pushes: deps.pushes() }),
    },
    {
      method: 'GET',
      path: '/errors',
      id: 'listErrors',
      summary: 'Every error code and what it means.',
      audience: 'everybody',
      status: 200,
      answer: ref('ErrorList'),
      errors: [],
      handle: () => ({ errors: Object.entries(ERROR_CODES).map(([code, entry]) => ({ code, ...entry })) }),
    },
    {
      method: 'GET',
      path: '/errors/:code',
      id: 'getError',
      summary: 'What one error code means; the `type` of a problem document leads here.',
      audience: 'everybody',
      status: 200,
      answer: ref('ErrorEntry'),
      errors: ['NOT_FOUND'],
      handle: (call) => {
        const code = call.param('code');
        if (!isErrorCode(code)) throw new HttpProblem('NOT_FOUND');
        return { code, ...ERROR_CODES[code] };
      },
    },
  ];
}

/** State of the whole server. */
export function healthOf(deps: ApiDeps): Health {
  let publishers = 0;
  let viewers = 0;
  for (const { kind } of deps.sessions.list()) {
    if (kind === 'publisher') publishers++;
    else viewers++;
  }
  const { user, system } = process.cpuUsage();
  return {
    status: deps.stopping() ? 'stopping' : 'ok',
    uptime: Math.round(process.uptime() * 1000) / 1000,
    live: deps.streams.list().filter(({ state }) => state === 'live').length,
    publishers,
    viewers,
    eventLoopDelayMs: Math.round(deps.loop.p99Ms * 100) / 100,
    memoryBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
  };
}

function infoFor(deps: ApiDeps, request: FastifyRequest, admin: boolean): ServerInfo {
  const ports = deps.ports();
  const publishUrl = publishUrlFor(deps, request);
  const { address, local } = deps.client(request.raw);
  return {
    version: deps.version,
    nodeTime: Date.now(),
    ports,
    ...(publishUrl === undefined ? {} : { publishUrl }),
    admin,
    keyNeeded: deps.guard.keyNeeded(address),
    demoAccount: deps.admin.demoAccount(local),
  };
}

function publishUrlFor(deps: ApiDeps, request: FastifyRequest): string | undefined {
  const { rtmp } = deps.ports();
  const { publicUrl } = deps.config().http;
  const host = publicUrl === undefined ? hostNameOf(request.headers.host) : new URL(publicUrl).hostname;
  if (rtmp === undefined || host === undefined) return undefined;
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `rtmp://${name}${rtmp === 1935 ? '' : `:${rtmp}`}/${DEFAULT_APP}`;
}
