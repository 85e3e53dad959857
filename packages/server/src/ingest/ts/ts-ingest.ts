import type { IncomingMessage } from 'node:http';
import { isNamePart, streamName } from '@onair/media';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  allowEndlessBody,
  bearerOf,
  HttpProblem,
  type HttpServer,
  keyRequired,
  refusedForNow,
} from '../../net/index.ts';
import { type PublishGate, problemOf } from '../upload/index.ts';
import { TsPublisher, type TsPublisherDeps } from './ts-publisher.ts';

/** What the route needs. */
export interface TsIngestDeps extends TsPublisherDeps {
  readonly gate: PublishGate;
}

/** After how long without a byte a publisher is given up, in milliseconds. */
const SILENCE_MS = 15_000;
/** How long a connection stays after an answer in the middle of its body, in milliseconds: until the answer is read. */
const LINGER_MS = 1_000;

interface Call {
  readonly Params: { readonly app: string; readonly file: string };
}

/** `POST` and `PUT /APP/NAME.ts`: a transport stream without end, or with one. */
export function registerTsIngest(server: HttpServer, deps: TsIngestDeps): void {
  server.registerMedia((scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    scope.route<Call>({
      method: ['POST', 'PUT'],
      url: '/:app/:file.ts',
      bodyLimit: Number.MAX_SAFE_INTEGER,
      handler: (request, reply) => publish(request, reply, server, deps),
    });
  });
}

async function publish(
  request: FastifyRequest<Call>,
  reply: FastifyReply,
  server: HttpServer,
  deps: TsIngestDeps,
): Promise<object> {
  const { app, file: name } = request.params;
  const { raw } = request;
  try {
    if (!isNamePart(app) || !isNamePart(name)) throw new HttpProblem('STREAM_NAME_INVALID');
    const stream = streamName(app, name);
    const identity = await identify(request, server, deps.gate);
    allowEndlessBody(raw);
    const reception = new Reception(raw, deps);
    const { address } = server.client(raw);
    const peer = {
      protocol: 'http-ts',
      address,
      identity,
      revoked: (reason: string) => reception.revoked(reason),
    };
    const bytes = await reception.into(new TsPublisher(stream, peer, deps));
    return { stream, bytes };
  } catch (error) {
    throw problemOf(error);
  } finally {
    closeAfter(raw, reply);
  }
}

async function identify(
  request: FastifyRequest<Call>,
  server: HttpServer,
  gate: PublishGate,
): Promise<string> {
  const { app, file: name } = request.params;
  const { address, forwarded } = server.client(request.raw);
  const mark = request.url.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : request.url.slice(mark + 1));
  const bearer = bearerOf(request);
  if (bearer !== undefined) query.set('key', bearer);
  const asked = { app, name, query: query.toString(), address, forwarded, protocol: 'http-ts' };
  const answer = await gate.authorize(asked);
  if (answer.ok) return answer.identity;
  if (answer.code === 'TOO_MANY_ATTEMPTS') throw refusedForNow('TOO_MANY_ATTEMPTS', 60, answer.reason);
  if (answer.code === 'PUBLISH_REFUSED' && answer.barred !== true && !query.has('key')) throw keyRequired();
  throw new HttpProblem(answer.code, { detail: answer.reason });
}

/** Pours one body into a publisher, as it comes. */
class Reception {
  readonly #body: IncomingMessage;
  readonly #deps: TsIngestDeps;
  #stop: (reason: Error) => void = () => undefined;
  #heard: number;

  constructor(body: IncomingMessage, deps: TsIngestDeps) {
    this.#body = body;
    this.#deps = deps;
    this.#heard = deps.clock.now();
  }

  /** The hub ends it. */
  revoked(reason: string): void {
    this.#stop(new HttpProblem('GONE', { detail: reason }));
  }

  /** Resolves with the number of bytes at the end of the body, or if it is cut off; rejects with what went wrong. */
  async into(publisher: TsPublisher): Promise<number> {
    const body = this.#body;
    let cancel: () => void = () => undefined;
    try {
      const whole = await new Promise<boolean>((resolve, reject) => {
        this.#stop = reject;
        cancel = this.#watch(reject);
        body.on('data', (part: Buffer) => {
          this.#heard = this.#deps.clock.now();
          try {
            publisher.push(part);
          } catch (error) {
            reject(error);
          }
        });
        body.once('end', () => resolve(true));
        body.once('error', () => resolve(false));
        body.once('close', () => resolve(false));
        if (body.destroyed) resolve(false);
      });
      if (whole) publisher.end('the body ended');
      else publisher.close('the connection was lost');
      return publisher.bytes;
    } catch (error) {
      publisher.close(error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      cancel();
      body.removeAllListeners('data');
    }
  }

  /** Calls `stop` after a silence; the returned function ends the watch. */
  #watch(stop: (error: Error) => void): () => void {
    const { clock } = this.#deps;
    let cancel: () => void;
    const look = (): void => {
      const left = this.#heard + SILENCE_MS - clock.now();
      if (left <= 0)
        stop(new HttpProblem('REQUEST_TIMEOUT', { detail: `silent for ${SILENCE_MS / 1000} s` }));
      else cancel = clock.after(left, look);
    };
    cancel = clock.after(SILENCE_MS, look);
    return () => cancel();
  }
}

/** Closes the connection behind the answer: of a body that goes on nothing more is wanted. */
function closeAfter(request: IncomingMessage, reply: FastifyReply): void {
  if (request.httpVersionMajor < 2) reply.header('connection', 'close');
  if (request.complete) return;
  request.resume();
  reply.raw.once('finish', () => {
    const timer = setTimeout(() => request.destroy(), LINGER_MS).unref();
    request.once('close', () => clearTimeout(timer));
  });
}
