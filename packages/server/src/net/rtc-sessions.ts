import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IceServer } from '@onair/contracts/rooms';
import { isNamePart, ParseError, type StreamName, streamName } from '@onair/media';
import { parseIceFragment } from '@onair/media/sdp';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerKind } from './http-headers.ts';
import { HttpProblem, refusedForNow } from './http-problem.ts';
import type { HttpServer } from './http-server.ts';
import { iceLinks } from './ice-servers.ts';

/** An offer that came by HTTP. */
export interface RtcOfferCall {
  readonly stream: StreamName;
  readonly sdp: string;
  /** Remote address without port. */
  readonly address: string;
  /** True if a proxy that is not trusted passed it on. */
  readonly forwarded: boolean;
  /** True for a program on this machine. */
  readonly local: boolean;
  /** Query of the address, without `?`; a bearer token stands in it as `key`. */
  readonly query: string;
  readonly bearer: string | undefined;
}

/** What became of an offer. */
export interface RtcSession {
  readonly answer: string;
  /** ICE user name of the other end, which tells a restart. */
  readonly remoteUfrag: string;
  /** Ends the session; the table is told by `ended`. Safe to call twice. */
  close(reason: string): void;
  /** Called by the table; `listener` is to be called once when the session is over. */
  onEnd(listener: () => void): void;
}

/** One of the two protocols over HTTP: WHIP (RFC 9725) or WHEP (draft-ietf-wish-whep). */
export interface RtcProtocol {
  readonly name: 'whip' | 'whep';
  /** How browsers are to treat the answers: media is open to pages of every origin. */
  readonly answers: AnswerKind;
  /** @throws HttpProblem */
  accept(call: RtcOfferCall): Promise<RtcSession>;
  maxSessions(): number;
}

const SDP_TYPE = 'application/sdp';
const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';
/** Longest body of any of these requests, in bytes. */
const MAX_BODY = 65_536;

interface Kept {
  readonly session: RtcSession;
  readonly path: string;
  readonly etag: string;
  /** Digest of the bearer token of the offer. */
  readonly owner: Buffer | undefined;
}

interface Call {
  readonly Params: { readonly app: string; readonly name: string; readonly id?: string };
}

/**
 * Registers the endpoint and its session resources; the returned function ends every session.
 * @param iceServers told to clients in `Link` headers.
 */
export function registerRtcProtocol(
  server: HttpServer,
  protocol: RtcProtocol,
  iceServers: () => readonly IceServer[],
): (reason: string) => void {
  const kept = new Map<string, Kept>();
  let coming = 0;
  const make = async (request: FastifyRequest<Call>, reply: FastifyReply): Promise<FastifyReply> => {
    if (kept.size + coming >= protocol.maxSessions()) {
      throw refusedForNow('OVERLOADED', 5, 'as many sessions over WebRTC as webrtc.maxSessions allows');
    }
    const call = offerOf(server, request);
    coming++;
    const session = await protocol.accept(call).finally(() => coming--);
    const id = randomBytes(16).toString('base64url');
    const path = `/${call.stream}/${protocol.name}/${id}`;
    const etag = `"${randomBytes(8).toString('hex')}"`;
    kept.set(id, { session, path, etag, owner: digest(call.bearer) });
    session.onEnd(() => kept.delete(id));
    const links = iceLinks(iceServers());
    return reply
      .code(201)
      .headers({
        location: path,
        etag,
        'accept-patch': FRAGMENT_TYPE,
        'cache-control': 'no-store',
        ...(links.length === 0 ? {} : { link: links.join(', ') }),
        ...exposed(protocol),
      })
      .type(SDP_TYPE)
      .send(session.answer);
  };
  const change = (request: FastifyRequest<Call>, reply: FastifyReply): FastifyReply => {
    const { session, etag } = find(kept, request, protocol);
    const wanted = request.headers['if-match'];
    if (wanted === undefined) throw new HttpProblem('IF_MATCH_REQUIRED');
    if (wanted !== etag && wanted !== '*') throw new HttpProblem('SESSION_CHANGED');
    const fragment = readingBody(() => parseIceFragment(textOf(request, FRAGMENT_TYPE)), 'BAD_REQUEST');
    if (fragment.iceUfrag !== undefined && fragment.iceUfrag !== session.remoteUfrag) {
      throw new HttpProblem('ICE_RESTART_REFUSED');
    }
    // Candidates need not be remembered: the client's own checks show where it is.
    return reply.code(204).headers(exposed(protocol)).send();
  };
  const end = (request: FastifyRequest<Call>, reply: FastifyReply): FastifyReply => {
    find(kept, request, protocol).session.close('ended by the client');
    return reply.code(200).headers(exposed(protocol)).send();
  };
  void server.fastify.register(async (scope) => {
    acceptBodies(scope);
    const config = { answers: protocol.answers, anyOrigin: protocol.answers === 'media' };
    const endpoint = `/:app/:name/${protocol.name}`;
    const resource = `${endpoint}/:id`;
    const options = { config, bodyLimit: MAX_BODY };
    scope.post<Call>(endpoint, options, make);
    scope.patch<Call>(resource, options, change);
    scope.delete<Call>(resource, { config }, end);
    preflights(scope, endpoint, 'POST', protocol);
    preflights(scope, resource, 'PATCH, DELETE', protocol);
  });
  return (reason) => {
    for (const { session } of [...kept.values()]) session.close(reason);
    kept.clear();
  };
}

function acceptBodies(scope: FastifyInstance): void {
  scope.addContentTypeParser([SDP_TYPE, FRAGMENT_TYPE], { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
}

/** `OPTIONS` and everything else that is not for this address. */
function preflights(scope: FastifyInstance, url: string, methods: string, protocol: RtcProtocol): void {
  const config = { answers: protocol.answers };
  const allow = `${methods}, OPTIONS`;
  scope.options(url, { config }, (_request, reply) =>
    reply
      .code(204)
      .headers({
        allow,
        ...(methods === 'POST' ? { 'accept-post': SDP_TYPE } : { 'accept-patch': FRAGMENT_TYPE }),
        ...(protocol.answers === 'media' || reply.getHeader('access-control-allow-origin') !== undefined
          ? {
              'access-control-allow-methods': allow,
              'access-control-allow-headers': 'authorization, content-type, if-match',
              'access-control-max-age': '600',
            }
          : {}),
        ...exposed(protocol),
      })
      .send(),
  );
  const rest = (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).filter(
    (method) => !methods.includes(method),
  );
  scope.route({
    method: rest,
    url,
    config: { ...config, anyOrigin: true },
    handler: () => {
      throw new HttpProblem('METHOD_NOT_ALLOWED', { headers: { allow } });
    },
  });
}

function exposed({ name }: RtcProtocol): Readonly<Record<string, string>> {
  return name === 'whep' || name === 'whip'
    ? { 'access-control-expose-headers': 'Location, ETag, Link, Retry-After' }
    : {};
}

function offerOf(server: HttpServer, request: FastifyRequest<Call>): RtcOfferCall {
  const { app, name } = request.params;
  if (!isNamePart(app) || !isNamePart(name)) throw new HttpProblem('STREAM_NAME_INVALID');
  const { address, forwarded, local } = server.client(request.raw);
  const bearer = bearerOf(request);
  const asked = request.url.indexOf('?');
  const query = new URLSearchParams(asked < 0 ? '' : request.url.slice(asked + 1));
  if (bearer !== undefined) query.set('key', bearer);
  return {
    stream: streamName(app, name),
    sdp: textOf(request, SDP_TYPE),
    address,
    forwarded,
    local,
    query: query.toString(),
    bearer,
  };
}

/** The token in the head of a request. RFC 6750 §2.1. */
export function bearerOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  return /^bearer +([\w.~+/-]{1,1024}=*) *$/i.exec(headers.authorization ?? '')?.[1];
}

function textOf(request: FastifyRequest<Call>, type: string): string {
  const given = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (given !== type) throw new HttpProblem('UNSUPPORTED_MEDIA_TYPE', { detail: `the body must be ${type}` });
  if (typeof request.body !== 'string') throw new HttpProblem('BAD_REQUEST', { detail: 'an empty body' });
  return request.body;
}

/** Runs a parser of ours on what came. @throws HttpProblem with the code for what it finds malformed. */
export function readingBody<T>(read: () => T, code: 'BAD_REQUEST' | 'OFFER_REFUSED'): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new HttpProblem(error.code === 'SDP_OFFER' ? code : 'BAD_REQUEST', { detail: error.message });
  }
}

/** The session of a resource. Whoever has its address and showed the same bearer may act on it. */
function find(kept: ReadonlyMap<string, Kept>, request: FastifyRequest<Call>, { name }: RtcProtocol): Kept {
  const { id = '', app, name: stream } = request.params;
  const found = kept.get(id);
  if (found === undefined || found.path !== `/${app}/${stream}/${name}/${id}`) {
    throw new HttpProblem('SESSION_NOT_FOUND');
  }
  if (found.owner === undefined) return found;
  const shown = digest(bearerOf(request));
  if (shown === undefined) throw keyRequired();
  if (!timingSafeEqual(shown, found.owner)) throw new HttpProblem('PUBLISH_REFUSED');
  return found;
}

/** The refusal of who showed no key at all. RFC 6750 §3. */
export function keyRequired(): HttpProblem {
  return new HttpProblem('STREAM_KEY_REQUIRED', { headers: { 'www-authenticate': 'Bearer realm="onair"' } });
}

function digest(bearer: string | undefined): Buffer | undefined {
  return bearer === undefined ? undefined : createHash('sha256').update(bearer).digest();
}
