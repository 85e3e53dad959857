import { SESSION_KINDS, type SessionInfo } from '@onair/contracts';
import { HttpProblem } from '../net/index.ts';
import { type ApiDeps, publicStream, publicStreams } from './ports.ts';
import { type ApiRoute, readOrRefuse, streamOf } from './route.ts';
import { ref } from './schemas.ts';

/** Sessions in one answer unless `limit` says otherwise, and at most. */
const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 1000;

/** Streams and the sessions on them. */
export function streamRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/streams',
      id: 'listStreams',
      summary: 'Every stream.',
      audience: 'listeners',
      status: 200,
      answer: ref('StreamList'),
      errors: [],
      handle: ({ admin }) => {
        return { streams: admin ? deps.streams.list() : publicStreams(deps) };
      },
    },
    {
      method: 'GET',
      path: '/streams/:app/:name',
      id: 'getStream',
      summary: 'One stream.',
      audience: 'listeners',
      status: 200,
      answer: ref('Stream'),
      errors: ['STREAM_NAME_INVALID', 'STREAM_NOT_FOUND'],
      handle: (call) => {
        const stream = deps.streams.find(streamOf(call));
        if (stream === undefined) throw new HttpProblem('STREAM_NOT_FOUND');
        return call.admin ? stream : publicStream(stream);
      },
    },
    {
      method: 'DELETE',
      path: '/streams/:app/:name',
      id: 'kickPublisher',
      summary: 'End the publication of a stream.',
      audience: 'operator',
      status: 204,
      errors: ['STREAM_NAME_INVALID', 'STREAM_NOT_FOUND'],
      handle: (call) => {
        if (!deps.streams.kick(streamOf(call), 'ended by the operator')) {
          throw new HttpProblem('STREAM_NOT_FOUND', { detail: 'nobody publishes under this name' });
        }
      },
    },
    {
      method: 'GET',
      path: '/streams/:app/:name/relay',
      id: 'getRelayTree',
      summary: 'The relay tree of a stream: who passes it on to whom.',
      audience: 'operator',
      status: 200,
      answer: ref('RelayTree'),
      errors: ['STREAM_NAME_INVALID'],
      handle: (call) => deps.relay.tree(streamOf(call)),
    },
    {
      method: 'GET',
      path: '/sessions',
      id: 'listSessions',
      summary: 'Sessions, oldest first.',
      audience: 'operator',
      query: {
        kind: { type: 'string', enum: [...SESSION_KINDS] },
        stream: { type: 'string', description: 'Only those of this stream, `APP/NAME`.' },
        limit: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
        after: { type: 'string', description: '`next` of the page before.' },
      },
      status: 200,
      answer: ref('SessionList'),
      errors: ['INVALID_FIELD'],
      handle: ({ query }) => {
        const { kind, stream, limit, after } = readOrRefuse(() => ({
          ...query.optional('kind', (field) => field.oneOf(SESSION_KINDS)),
          ...query.optional('stream', (field) => field.string(129)),
          limit: query.at('limit').present ? readLimit(query.at('limit').string(10)) : DEFAULT_LIMIT,
          ...query.optional('after', (field) => field.string(100)),
        }));
        if (limit === undefined) {
          readOrRefuse(() => query.at('limit').fail(`a whole number from 1 to ${MAX_LIMIT}`));
        }
        const wanted = deps.sessions
          .list()
          .filter((session) => kind === undefined || session.kind === kind)
          .filter((session) => stream === undefined || session.stream === stream);
        return page(wanted, limit ?? DEFAULT_LIMIT, after);
      },
    },
    {
      method: 'GET',
      path: '/sessions/:id',
      id: 'getSession',
      summary: 'One session.',
      audience: 'operator',
      status: 200,
      answer: ref('Session'),
      errors: ['SESSION_NOT_FOUND'],
      handle: (call) => {
        const session = deps.sessions.find(call.param('id'));
        if (session === undefined) throw new HttpProblem('SESSION_NOT_FOUND');
        return session;
      },
    },
    {
      method: 'DELETE',
      path: '/sessions/:id',
      id: 'kickSession',
      summary: 'End one session.',
      audience: 'operator',
      status: 204,
      errors: ['SESSION_NOT_FOUND'],
      handle: (call) => {
        if (!deps.sessions.kick(call.param('id'), 'ended by the operator')) {
          throw new HttpProblem('SESSION_NOT_FOUND');
        }
      },
    },
  ];
}

function readLimit(text: string): number | undefined {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= MAX_LIMIT ? value : undefined;
}

/** A place in the order of sessions that stays right while sessions come and go. */
function placeOf(session: SessionInfo): string {
  return `${String(Math.floor(session.since)).padStart(15, '0')}-${session.id}`;
}

function page(sessions: readonly SessionInfo[], limit: number, after: string | undefined) {
  const ordered = sessions
    .map((session) => ({ place: placeOf(session), session }))
    .filter(({ place }) => after === undefined || place > after)
    .sort((a, b) => (a.place < b.place ? -1 : 1));
  const shown = ordered.slice(0, limit);
  const more = ordered.length > limit;
  return {
    sessions: shown.map(({ session }) => session),
    ...(more ? { next: shown.at(-1)!.place } : {}),
  };
}
