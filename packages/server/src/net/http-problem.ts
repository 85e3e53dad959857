import {
  ERROR_CODES,
  type ErrorCode,
  type FieldFault,
  PROBLEM_TYPE,
  type Problem,
  problem,
  statusOf,
} from '@onair/contracts';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../observe/index.ts';

/** What an error answer tells beyond its code. */
export interface HttpProblemDetails {
  readonly detail?: string;
  readonly errors?: readonly FieldFault[];
  /** Further headers, e.g. `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by a handler: becomes a problem document (RFC 9457). */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: ErrorCode;
  readonly details: HttpProblemDetails;

  constructor(code: ErrorCode, details: HttpProblemDetails = {}) {
    super(details.detail ?? ERROR_CODES[code].title);
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return statusOf(this.code);
  }
}

/** A refusal for now: with `Retry-After` in seconds. */
export function refusedForNow(code: ErrorCode, seconds: number, detail?: string): HttpProblem {
  return new HttpProblem(code, {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(seconds))) },
    ...(detail === undefined ? {} : { detail }),
  });
}

/** The body for an error; `id` names the request in the log. */
export function problemBody(error: HttpProblem, id: string): Problem {
  const { detail, errors } = error.details;
  return problem(error.code, {
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
    instance: `urn:onair:request:${id}`,
  });
}

/** Answers with a problem document. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: HttpProblem): FastifyReply {
  return reply
    .code(error.status)
    .headers({ 'cache-control': 'no-store', ...error.details.headers })
    .type(PROBLEM_TYPE)
    .send(Buffer.from(JSON.stringify(problemBody(error, request.id))));
}

/** Makes every thrown error and every fault that fastify finds a problem document. */
export function installProblems(fastify: FastifyInstance, logger: Logger): void {
  fastify.setErrorHandler((error: FastifyError, request, reply) => {
    const known = error instanceof HttpProblem ? error : fromFramework(error);
    if (known.status >= 500 && !(error instanceof HttpProblem)) {
      logger.error(
        { err: error, request: request.id, method: request.method, url: request.url },
        'request failed',
      );
    }
    return sendProblem(request, reply, known);
  });
}

const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_MAX_PARAM_LENGTH: 'URI_TOO_LONG',
  FST_ERR_BAD_URL: 'BAD_REQUEST',
  FST_ERR_NOT_FOUND: 'NOT_FOUND',
};

/** The problem for an error that fastify or a library raised. */
export function fromFramework(error: {
  readonly code?: string;
  readonly statusCode?: number;
  readonly message: string;
}): HttpProblem {
  const code = FRAMEWORK_CODES[error.code ?? ''];
  if (code !== undefined) return new HttpProblem(code);
  const status = error.statusCode ?? 500;
  if (status === 404) return new HttpProblem('NOT_FOUND');
  if (status === 413) return new HttpProblem('BODY_TOO_LARGE');
  if (status === 415) return new HttpProblem('UNSUPPORTED_MEDIA_TYPE');
  if (status === 408) return new HttpProblem('REQUEST_TIMEOUT');
  if (status === 503) return refusedForNow('OVERLOADED', 1, 'the server is stopping');
  return new HttpProblem(status >= 400 && status < 500 ? 'BAD_REQUEST' : 'INTERNAL');
}

/** A whole HTTP/1.1 answer with a problem document, for sockets that no response object owns. */
export function rawProblem(error: HttpProblem, id: string, statusText: string): string {
  const body = JSON.stringify(problemBody(error, id));
  const head = [
    `HTTP/1.1 ${error.status} ${statusText}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    ...Object.entries(error.details.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
