import type { FastifyReply, FastifyRequest } from 'fastify';
import { MAX_ACCOUNT_LENGTH, SIGN_IN_COOKIE, TooManyKeys } from '../auth/index.ts';
import { HttpProblem, refusedForNow } from '../net/index.ts';
import { type ApiDeps, shownKey } from './ports.ts';
import { type ApiRoute, readNamePart, readOrRefuse, refuseUnknown } from './route.ts';
import { ref } from './schemas.ts';

/** Sign-in and stream keys. */
export function accessRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/session',
      id: 'getSignIn',
      summary: 'Whose request this is.',
      audience: 'everybody',
      status: 200,
      answer: ref('SignInState'),
      errors: [],
      handle: ({ admin }) => ({ admin }),
    },
    {
      method: 'POST',
      path: '/session',
      id: 'signIn',
      summary: 'Exchange the operator’s token, or the name and password of `auth.demoAccount`, for a cookie.',
      audience: 'everybody',
      body: ref('SignIn'),
      status: 200,
      answer: ref('SignInState'),
      errors: [
        'INVALID_FIELD',
        'AUTH_FAILED',
        'ADMIN_LOCAL_ONLY',
        'TOO_MANY_ATTEMPTS',
        'ORIGIN_REFUSED',
        'HOST_REFUSED',
      ],
      handle: async ({ request, reply, body }) => {
        const shown = readOrRefuse(() => {
          refuseUnknown(body, ['token', 'user', 'password']);
          const { user } = body.optional('user', (field) => field.string(MAX_ACCOUNT_LENGTH));
          if (user === undefined) return { token: body.at('token').string(256) };
          return { user, password: body.at('password').string(MAX_ACCOUNT_LENGTH) };
        });
        const client = deps.client(request.raw);
        const { admin } = deps;
        const answer =
          'token' in shown
            ? admin.signIn(shown.token, client.address)
            : await admin.signInAs(shown.user, shown.password, client);
        if (!('secret' in answer)) {
          if (answer.kind === 'limited') throw refusedForNow('TOO_MANY_ATTEMPTS', answer.retryAfter);
          throw new HttpProblem('AUTH_FAILED');
        }
        setCookie(deps, request, reply, answer.secret, deps.config().auth.sessionMs);
        return { admin: true };
      },
    },
    {
      method: 'DELETE',
      path: '/session',
      id: 'signOut',
      summary: 'Sign out.',
      audience: 'everybody',
      status: 204,
      errors: ['ORIGIN_REFUSED', 'HOST_REFUSED'],
      handle: ({ request, reply }) => {
        deps.admin.signOut(request.headers.cookie);
        setCookie(deps, request, reply, '', 0);
      },
    },
    {
      method: 'GET',
      path: '/keys',
      id: 'listKeys',
      summary: 'Stream keys without their secrets.',
      audience: 'operator',
      status: 200,
      answer: ref('KeyList'),
      errors: [],
      handle: () => ({ keys: deps.keys.list().map(shownKey) }),
    },
    {
      method: 'POST',
      path: '/keys',
      id: 'createKey',
      summary: 'Make a stream key. The answer is the only place where its secret ever stands.',
      audience: 'operator',
      body: ref('KeyRequest'),
      status: 201,
      answer: ref('NewKey'),
      errors: ['INVALID_FIELD', 'LIMIT_REACHED'],
      handle: ({ reply, body }) => {
        const scope = readOrRefuse(() => {
          refuseUnknown(body, ['app', 'name', 'label']);
          return {
            app: readNamePart(body.at('app')),
            ...body.optional('name', readNamePart),
            ...body.optional('label', (field) => field.string(200)),
          };
        });
        try {
          const key = deps.keys.create(scope);
          reply.header('location', `/api/v1/keys/${key.id}`);
          return key;
        } catch (error) {
          if (error instanceof TooManyKeys) throw new HttpProblem('LIMIT_REACHED', { detail: error.message });
          throw error;
        }
      },
    },
    {
      method: 'DELETE',
      path: '/keys/:id',
      id: 'deleteKey',
      summary: 'Remove a stream key. Who publishes with it goes on until the next connection.',
      audience: 'operator',
      status: 204,
      errors: ['KEY_NOT_FOUND'],
      handle: (call) => {
        if (!deps.keys.remove(call.param('id'))) throw new HttpProblem('KEY_NOT_FOUND');
      },
    },
  ];
}

function setCookie(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  secret: string,
  lifeMs: number,
): void {
  const secure = deps.client(request.raw).secure ? '; Secure' : '';
  const age = Math.floor(lifeMs / 1000);
  reply.header(
    'set-cookie',
    `${SIGN_IN_COOKIE}=${secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`,
  );
}
