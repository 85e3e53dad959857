import { DecodeError, type ErrorCode, type Field } from '@onair/contracts';
import { isNamePart, type StreamName, streamName } from '@onair/media';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpProblem } from '../net/index.ts';
import type { JsonSchema } from './schemas.ts';

/** Who may call a route: everybody, everybody who may see the list of streams, the operator. */
export type Audience = 'everybody' | 'listeners' | 'operator';

/** What a handler gets besides fastify's objects. */
export interface ApiCall {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** True if the request has the operator's rights. */
  readonly admin: boolean;
  /** Query parameters; unknown ones were refused. */
  readonly query: Field;
  /** The parsed body. */
  readonly body: Field;
  /** A part of the path. */
  param(name: string): string;
}

/** One operation of the API: what OpenAPI tells about it and what it does. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `/api/v1`, with `:name` parameters. */
  readonly path: string;
  /** Unique name of the operation. */
  readonly id: string;
  readonly summary: string;
  readonly audience: Audience;
  /** Schemas of the query parameters. */
  readonly query?: Readonly<Record<string, JsonSchema>>;
  /** Schema of the body. */
  readonly body?: JsonSchema;
  /** Longest body in bytes, where it is not `http.maxBodyBytes`. */
  readonly maxBodyBytes?: number;
  readonly status: 200 | 201 | 204;
  /** Schema of the answer's body; none with 204. */
  readonly answer?: JsonSchema;
  /** Media type of the answer, JSON if left out. */
  readonly answerType?: string;
  /** Codes beyond those that every route can answer with. */
  readonly errors: readonly ErrorCode[];
  /** Returns the body of the answer, or undefined if the handler has answered itself. */
  handle(call: ApiCall): unknown;
}

/** Reads fields from outside; what is wrong becomes a problem document that names the path. */
export function readOrRefuse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) {
      throw new HttpProblem('INVALID_FIELD', { detail: error.message, errors: [error.fault] });
    }
    throw error;
  }
}

/** Refuses fields that are not `known`. @throws DecodeError */
export function refuseUnknown(field: Field, known: readonly string[]): void {
  for (const name of Object.keys(field.object())) {
    if (known.includes(name)) continue;
    const path = field.path === '' ? name.slice(0, 64) : `${field.path}.${name.slice(0, 64)}`;
    throw new DecodeError({ path, expected: 'no field of this name', received: 'an unknown field' });
  }
}

/** An application or stream name. @throws DecodeError */
export function readNamePart(field: Field): string {
  return isNamePart(field.value) ? field.value : field.fail('1 to 64 characters of A-Z a-z 0-9 _ -');
}

/** The stream that the path of a request names. @throws HttpProblem `STREAM_NAME_INVALID`. */
export function streamOf(call: ApiCall): StreamName {
  try {
    return streamName(call.param('app'), call.param('name'));
  } catch {
    throw new HttpProblem('STREAM_NAME_INVALID');
  }
}
