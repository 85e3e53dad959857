import { DecodeError, Field } from '@onair/contracts';
import { isNamePart, ParseError } from '@onair/media';
import {
  type AmfValue,
  amfOfJson,
  jsonOfAmf,
  type RemotingMessage,
  readRemoting,
  writeRemoting,
} from '@onair/media/amf';
import { HttpProblem, type HttpServer, refusedForNow } from '../net/index.ts';
import { newSessionId } from '../observe/index.ts';
import type { MethodService } from './method-service.ts';
import { type ClientInfo, MethodError, type MethodErrorCode } from './script-thread.ts';

/** Longest name of a method, in characters. */
const MAX_METHOD = 128;
/** Arguments of one call. */
const MAX_ARGUMENTS = 64;

/** The status of a call that came to nothing. */
export const METHOD_STATUS: Readonly<
  Record<MethodErrorCode, 'METHOD_NOT_FOUND' | 'METHOD_FAILED' | 'METHOD_TIMEOUT' | 'OVERLOADED'>
> = {
  METHOD_NOT_FOUND: 'METHOD_NOT_FOUND',
  METHOD_FAILED: 'METHOD_FAILED',
  METHOD_TIMEOUT: 'METHOD_TIMEOUT',
  METHOD_BUSY: 'OVERLOADED',
};

/** A call as JSON says it. */
export interface JsonCall {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Reads `{ "method", "args"? }`. @throws DecodeError */
export function readCall(field: Field): JsonCall {
  const method = field.at('method').string(MAX_METHOD);
  const args = field.at('args').present ? field.at('args').list((item) => item.value, MAX_ARGUMENTS) : [];
  return { method, args };
}

/** `POST /rpc/APP`: a call as JSON, or a packet of AMF remoting. */
export function registerMethodRoutes(server: HttpServer, methods: MethodService): void {
  const { fastify } = server;
  void fastify.register(async (scope) => {
    scope.addContentTypeParser('application/x-amf', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    scope.post<{ Params: { readonly app: string } }>('/rpc/:app', async (request, reply) => {
      const { app } = request.params;
      if (!isNamePart(app)) throw new HttpProblem('STREAM_NAME_INVALID');
      const { address } = server.client(request.raw);
      const client: ClientInfo = { id: newSessionId(), app, address, transport: 'http' };
      if (Buffer.isBuffer(request.body)) {
        const answers = await remoting(client, request.body, methods);
        return reply.type('application/x-amf').send(Buffer.from(answers));
      }
      try {
        const { method, args } = readCall(new Field(request.body));
        return { result: (await methods.call(client, method, args)) ?? null };
      } catch (error) {
        throw problemOf(error);
      }
    });
  });
}

function problemOf(error: unknown): unknown {
  if (error instanceof DecodeError)
    return new HttpProblem('INVALID_FIELD', { detail: error.message, errors: [error.fault] });
  if (!(error instanceof MethodError)) return error;
  if (error.code === 'METHOD_BUSY') return refusedForNow('OVERLOADED', 1, error.message);
  return new HttpProblem(METHOD_STATUS[error.code], { detail: error.message });
}

/** Calls one after the other, as a NetConnection over HTTP does. */
async function remoting(client: ClientInfo, bytes: Buffer, methods: MethodService): Promise<Uint8Array> {
  let calls: RemotingMessage[];
  try {
    calls = readRemoting(bytes);
  } catch (error) {
    if (error instanceof ParseError) throw new HttpProblem('BAD_REQUEST', { detail: error.message });
    throw error;
  }
  const answers: RemotingMessage[] = [];
  for (const { target, response, value } of calls) {
    try {
      const result = await methods.call(client, target.slice(0, MAX_METHOD), argumentsOf(value));
      answers.push({ target: `${response}/onResult`, response: 'null', value: amfOfJson(result) });
    } catch (error) {
      const description = error instanceof Error ? error.message : 'The call failed.';
      const status: AmfValue = { level: 'error', code: 'NetConnection.Call.Failed', description };
      answers.push({ target: `${response}/onStatus`, response: 'null', value: status });
    }
  }
  return writeRemoting(answers);
}

/** The arguments of a call as JSON. @throws MethodError for what JSON does not hold. */
export function argumentsOf(values: AmfValue): unknown[] {
  const args = jsonOfAmf(Array.isArray(values) ? values : [values]);
  if (!Array.isArray(args) || args.length > MAX_ARGUMENTS)
    throw new MethodError('METHOD_FAILED', 'the arguments are nested too deep or too many');
  return args;
}
