import { type ErrorCode, PROBLEM_TYPE, statusOf } from '@onair/contracts';
import type { ApiRoute } from './route.ts';
import { type JsonSchema, ref, SCHEMAS } from './schemas.ts';

/** Codes that a route answers with because of whom it is for. */
function audienceErrors(route: ApiRoute): readonly ErrorCode[] {
  if (route.audience === 'everybody') return [];
  const sign: ErrorCode[] = [
    'AUTH_REQUIRED',
    'AUTH_FAILED',
    'ADMIN_LOCAL_ONLY',
    'TOO_MANY_ATTEMPTS',
    'HOST_REFUSED',
  ];
  return route.audience === 'operator' && route.method !== 'GET' ? [...sign, 'ORIGIN_REFUSED'] : sign;
}

/** The OpenAPI 3.1 document of the routes. */
export function openApiOf(routes: readonly ApiRoute[]): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of routes) {
    const path = `/api/v1${route.path.replaceAll(/:(\w+)/g, '{$1}')}`;
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'onair',
      version: '1',
      description:
        'Streams, sessions, stream keys and the server itself. Every error is a problem document (RFC 9457) whose `code` is stable. Times are milliseconds since 1970.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The token in the data folder.' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'onair_session', description: 'Set by signIn.' },
      },
    },
  };
}

function operationOf(route: ApiRoute): JsonSchema {
  const parameters = [
    ...[...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...Object.entries(route.query ?? {}).map(([name, schema]) => ({
      name,
      in: 'query',
      required: false,
      schema,
    })),
  ];
  return {
    operationId: route.id,
    summary: route.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } }),
    responses: { [route.status]: successOf(route), ...failuresOf(route) },
    ...securityOf(route),
  };
}

function securityOf(route: ApiRoute): JsonSchema {
  if (route.audience === 'everybody') return {};
  const proofs = [{ token: [] }, { cookie: [] }];
  return { security: route.audience === 'operator' ? proofs : [{}, ...proofs] };
}

function successOf(route: ApiRoute): JsonSchema {
  if (route.answer === undefined) return { description: 'Done.' };
  return {
    description: 'The answer.',
    content: { [route.answerType ?? 'application/json']: { schema: route.answer } },
  };
}

function failuresOf(route: ApiRoute): Record<string, JsonSchema> {
  const byStatus = new Map<number, Set<ErrorCode>>();
  for (const code of [...route.errors, ...audienceErrors(route)]) {
    const codes = byStatus.get(statusOf(code)) ?? new Set();
    byStatus.set(statusOf(code), codes.add(code));
  }
  const answers: Record<string, JsonSchema> = {};
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    answers[status] = {
      description: [...codes].sort().join(', '),
      content: { [PROBLEM_TYPE]: { schema: ref('Problem') } },
    };
  }
  return answers;
}
