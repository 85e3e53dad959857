import type { ErrorCode } from '@onair/contracts';
import { MAX_EVENT_BYTES } from '@onair/media';
import { HubError, type HubErrorCode } from '../hub/index.ts';
import { HttpProblem, refusedForNow } from '../net/index.ts';
import type { ApiDeps, EventAuthor } from './ports.ts';
import { type ApiCall, type ApiRoute, readOrRefuse, streamOf } from './route.ts';
import { ref } from './schemas.ts';

const REFUSALS: Partial<Record<HubErrorCode, ErrorCode>> = {
  EVENT_OFF_AIR: 'STREAM_OFF_AIR',
  EVENT_LIMIT: 'LIMIT_REACHED',
  EVENT_TIME: 'INVALID_FIELD',
};

/** Timed events of streams. */
export function eventRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/streams/:app/:name/events',
      id: 'fireEvent',
      summary:
        'Put a timed event into a stream: for the operator, and with `key` for whoever may publish it. An id that is known gives the event that has it.',
      audience: 'everybody',
      query: { key: { type: 'string', description: 'The stream key.' } },
      body: ref('EventRequest'),
      // Escapes make JSON longer than what it says.
      maxBodyBytes: 4 * MAX_EVENT_BYTES,
      status: 201,
      answer: ref('TimedEvent'),
      errors: [
        'INVALID_FIELD',
        'STREAM_NAME_INVALID',
        'PUBLISH_REFUSED',
        'STREAM_OFF_AIR',
        'LIMIT_REACHED',
        'BODY_TOO_LARGE',
        'TOO_MANY_REQUESTS',
        'TOO_MANY_ATTEMPTS',
        'ORIGIN_REFUSED',
        'HOST_REFUSED',
      ],
      handle: async (call) => {
        const stream = streamOf(call);
        const author = await authorOf(call, deps);
        try {
          return readOrRefuse(() => deps.events.fire(stream, call.body, author));
        } catch (error) {
          if (!(error instanceof HubError)) throw error;
          if (error.code === 'EVENT_RATE') throw refusedForNow('TOO_MANY_REQUESTS', 1, error.message);
          const code = REFUSALS[error.code];
          throw code === undefined
            ? refusedForNow('OVERLOADED', 5, error.message)
            : new HttpProblem(code, { detail: error.message });
        }
      },
    },
    {
      method: 'GET',
      path: '/streams/:app/:name/events',
      id: 'listEvents',
      summary: 'Events of a stream that are to come or going on.',
      audience: 'listeners',
      status: 200,
      answer: ref('TimedEventList'),
      errors: ['STREAM_NAME_INVALID', 'STREAM_NOT_FOUND'],
      handle: (call) => {
        const events = deps.events.standing(streamOf(call));
        if (events === undefined) throw new HttpProblem('STREAM_NOT_FOUND');
        return { events };
      },
    },
  ];
}

async function authorOf(call: ApiCall, deps: ApiDeps): Promise<EventAuthor> {
  const { address, forwarded } = deps.client(call.request.raw);
  if (call.admin) return { by: 'operator', address };
  const key = call.query.at('key');
  const query = key.present ? `key=${readOrRefuse(() => key.string(256))}` : '';
  const [app = '', name = ''] = [call.param('app'), call.param('name')];
  const answer = await deps.guard.authorize({ app, name, query, address, protocol: 'events', forwarded });
  if (!answer.ok) throw new HttpProblem(answer.code, { detail: answer.reason });
  return { by: answer.identity, address };
}
