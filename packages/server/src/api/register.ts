import { Field } from '@onair/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { adminRemote } from '../config/index.ts';
import { checkHost, HttpProblem, refusedForNow } from '../net/index.ts';
import { accessRoutes } from './access-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { StreamEvents } from './events.ts';
import { openApiOf } from './openapi.ts';
import { operatorRoutes } from './operator-routes.ts';
import type { ApiDeps } from './ports.ts';
import { roomRoutes } from './room-routes.ts';
import { type ApiCall, type ApiRoute, readOrRefuse, refuseUnknown } from './route.ts';
import type { JsonSchema } from './schemas.ts';
import { healthOf, serverRoutes } from './server-routes.ts';
import { streamRoutes } from './stream-routes.ts';

const PREFIX = '/api/v1';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Registers the API below `/api/v1`, `/healthz` and `/metrics`. */
export function registerApi(fastify: FastifyInstance, deps: ApiDeps): void {
  const events = new StreamEvents(deps);
  const routes = apiRoutes(deps, events);
  for (const route of routes) registerRoute(fastify, deps, route);
  registerOtherMethods(fastify, routes);
  fastify.options(`${PREFIX}/*`, (_request, reply) => reply.code(204).send());
  fastify.addHook('preClose', async () => events.close());
  fastify.get('/healthz', (_request, reply) => reply.code(deps.stopping() ? 503 : 200).send(healthOf(deps)));
  fastify.get('/metrics', async (request, reply) => {
    const open = deps.config().admin.metricsFromLoopback && deps.client(request.raw).local;
    if (open) checkHost(request.raw, deps.config().http);
    else demandAdmin(deps, request, reply);
    return reply.type(deps.metrics.contentType).send(await deps.metrics.text());
  });
}

/** The OpenAPI document of the API, as `docs/openapi.json` has it. */
export function apiDocument(deps: ApiDeps): JsonSchema {
  return openApiOf(apiRoutes(deps, new StreamEvents(deps)));
}

function apiRoutes(deps: ApiDeps, events: StreamEvents): readonly ApiRoute[] {
  const routes: ApiRoute[] = [
    ...streamRoutes(deps),
    {
      method: 'GET',
      path: '/events',
      id: 'followStreams',
      summary:
        'The list of streams as server-sent events: event `streams` with a StreamList as data, on every change and every two seconds while figures move.',
      audience: 'listeners',
      status: 200,
      answer: { type: 'string' },
      answerType: 'text/event-stream',
      errors: ['OVERLOADED'],
      handle: ({ request, reply }) => {
        if (request.method === 'HEAD') return reply.type('text/event-stream').send();
        events.add(reply);
        return undefined;
      },
    },
    ...eventRoutes(deps),
    ...operatorRoutes(deps),
    ...roomRoutes(deps),
    ...accessRoutes(deps),
    ...serverRoutes(deps),
  ];
  routes.push({
    method: 'GET',
    path: '/openapi.json',
    id: 'getOpenApi',
    summary: 'This document.',
    audience: 'everybody',
    status: 200,
    answer: { type: 'object' },
    errors: [],
    handle: () => openApiOf(routes),
  });
  return routes;
}

function registerRoute(fastify: FastifyInstance, deps: ApiDeps, route: ApiRoute): void {
  fastify.route({
    method: route.method,
    url: PREFIX + route.path,
    ...(route.maxBodyBytes === undefined ? {} : { bodyLimit: route.maxBodyBytes }),
    handler: async (request, reply) => {
      if (route.id === 'signIn') demandReach(deps, request);
      const admin = admit(deps, route, request, reply);
      const query = new Field(request.query);
      readOrRefuse(() => refuseUnknown(query, Object.keys(route.query ?? {})));
      const params = request.params as Readonly<Record<string, string>>;
      const call: ApiCall = {
        request,
        reply,
        admin,
        query,
        body: new Field(request.body),
        param: (name) => params[name] ?? '',
      };
      const answer = await route.handle(call);
      if (reply.sent) return reply;
      return route.status === 204 ? reply.code(204).send() : reply.code(route.status).send(answer);
    },
  });
}

/** True if the request has the operator's rights; refuses it if the route demands them. */
function admit(deps: ApiDeps, route: ApiRoute, request: FastifyRequest, reply: FastifyReply): boolean {
  const open =
    route.audience === 'everybody' ||
    (route.audience === 'listeners' && deps.config().admin.publicStreamList);
  if (!open) {
    demandAdmin(deps, request, reply);
    return true;
  }
  const { address, local } = deps.client(request.raw);
  if (!local && !adminRemote(deps.config())) return false;
  const { authorization, cookie } = request.headers;
  return deps.admin.identify({ authorization, cookie, address }).kind === 'admin';
}

function demandReach(deps: ApiDeps, request: FastifyRequest): void {
  const { local } = deps.client(request.raw);
  if (!local && !adminRemote(deps.config())) throw new HttpProblem('ADMIN_LOCAL_ONLY');
  checkHost(request.raw, deps.config().http);
}

/** @throws HttpProblem unless the request has the operator's rights. */
function demandAdmin(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): void {
  demandReach(deps, request);
  const { authorization, cookie } = request.headers;
  const { address } = deps.client(request.raw);
  const identity = deps.admin.identify({ authorization, cookie, address });
  if (identity.kind === 'admin') return;
  if (identity.kind === 'limited') throw refusedForNow('TOO_MANY_ATTEMPTS', identity.retryAfter);
  reply.header('www-authenticate', 'Bearer realm="onair"');
  throw new HttpProblem(identity.kind === 'wrong' ? 'AUTH_FAILED' : 'AUTH_REQUIRED');
}

function registerOtherMethods(fastify: FastifyInstance, routes: readonly ApiRoute[]): void {
  const known = new Map<string, Set<string>>();
  for (const { path, method } of routes) known.set(path, (known.get(path) ?? new Set()).add(method));
  for (const [path, methods] of known) {
    const allow = [...methods, ...(methods.has('GET') ? ['HEAD'] : [])].join(', ');
    fastify.route({
      method: METHODS.filter((method) => !methods.has(method)),
      url: PREFIX + path,
      handler: async () => {
        throw new HttpProblem('METHOD_NOT_ALLOWED', { headers: { allow } });
      },
    });
  }
}
