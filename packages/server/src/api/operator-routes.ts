import { decodeCueList, ERROR_CODES, type ErrorCode, type Poll } from '@onair/contracts';
import type { StreamName } from '@onair/media';
import { HttpProblem } from '../net/index.ts';
import type { ApiDeps, EventAuthor } from './ports.ts';
import { type ApiCall, type ApiRoute, readOrRefuse, refuseUnknown, streamOf } from './route.ts';
import { ref } from './schemas.ts';

/** What a viewer's token looks like. */
const TOKEN = /^[A-Za-z0-9_-]{16,64}$/;

/** The operator's console: who did what, what waits, the buttons, and questions to the viewers. */
export function operatorRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/event-log',
      id: 'listEventLog',
      summary: 'Who did what with events, newest first. It outlives a restart.',
      audience: 'operator',
      status: 200,
      answer: ref('EventLog'),
      errors: [],
      handle: () => ({ records: deps.events.records }),
    },
    {
      method: 'GET',
      path: '/schedule',
      id: 'listSchedule',
      summary: 'Events of all streams that wait for their time, the next first.',
      audience: 'operator',
      status: 200,
      answer: ref('Schedule'),
      errors: [],
      handle: () => ({ scheduled: deps.events.scheduled }),
    },
    {
      method: 'DELETE',
      path: '/streams/:app/:name/schedule/:id',
      id: 'cancelEvent',
      summary: 'Take an event back that waits for its time.',
      audience: 'operator',
      status: 204,
      errors: ['STREAM_NAME_INVALID', 'EVENT_NOT_FOUND'],
      handle: (call) => {
        if (!deps.events.cancel(streamOf(call), call.param('id'), operatorOf(call, deps)))
          throw new HttpProblem('EVENT_NOT_FOUND');
      },
    },
    {
      method: 'GET',
      path: '/cues',
      id: 'listCues',
      summary: 'Buttons of the operator’s console.',
      audience: 'operator',
      status: 200,
      answer: ref('CueList'),
      errors: [],
      handle: () => ({ cues: deps.events.cues }),
    },
    {
      method: 'POST',
      path: '/cues',
      id: 'setCues',
      summary: 'Replace the buttons of the operator’s console.',
      audience: 'operator',
      body: ref('CueList'),
      // Escapes make JSON longer than what it says.
      maxBodyBytes: 1_048_576,
      status: 200,
      answer: ref('CueList'),
      errors: ['INVALID_FIELD', 'BODY_TOO_LARGE'],
      handle: async ({ body }) => {
        const { cues } = readOrRefuse(() => {
          refuseUnknown(body, ['cues']);
          return decodeCueList(body);
        });
        await deps.events.setCues(cues);
        return { cues: deps.events.cues };
      },
    },
    {
      method: 'GET',
      path: '/polls',
      id: 'listAllPolls',
      summary: 'Questions to the viewers of all streams and their answers until now, newest first.',
      audience: 'operator',
      status: 200,
      answer: ref('PollList'),
      errors: [],
      handle: () => ({ polls: deps.events.polls(true) }),
    },
    ...pollRoutes(deps),
  ];
}

function pollRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/streams/:app/:name/polls',
      id: 'listPolls',
      summary: 'Questions to the viewers of a stream, newest first.',
      audience: 'listeners',
      status: 200,
      answer: ref('PollList'),
      errors: ['STREAM_NAME_INVALID'],
      handle: (call) => ({ polls: deps.events.polls(call.admin, streamOf(call)) }),
    },
    {
      method: 'POST',
      path: '/streams/:app/:name/polls/:id/votes',
      id: 'vote',
      summary:
        'Answer a question. The first answer of each `voter` counts: a token that the viewer makes up and keeps.',
      audience: 'everybody',
      body: ref('Vote'),
      status: 201,
      answer: ref('Poll'),
      errors: [
        'INVALID_FIELD',
        'STREAM_NAME_INVALID',
        'POLL_NOT_FOUND',
        'POLL_CLOSED',
        'ALREADY_ANSWERED',
        'LIMIT_REACHED',
        'ORIGIN_REFUSED',
        'HOST_REFUSED',
      ],
      handle: (call) => {
        const { choice, token } = readOrRefuse(() => {
          refuseUnknown(call.body, ['choice', 'voter']);
          const voter = call.body.at('voter');
          const given = voter.string(64);
          return {
            choice: call.body.at('choice').count(),
            token: TOKEN.test(given) ? given : voter.fail('16 to 64 characters of A-Z a-z 0-9 _ -'),
          };
        });
        const { address } = deps.client(call.request.raw);
        return takeVote(deps, streamOf(call), call.param('id'), choice, { token, address });
      },
    },
    {
      method: 'POST',
      path: '/streams/:app/:name/polls/:id/end',
      id: 'endPoll',
      summary: 'Take no more answers, and show them to the viewers as the event `poll-result`.',
      audience: 'operator',
      status: 200,
      answer: ref('Poll'),
      errors: ['STREAM_NAME_INVALID', 'POLL_NOT_FOUND'],
      handle: (call) => {
        const poll = deps.events.endPoll(streamOf(call), call.param('id'), operatorOf(call, deps));
        if (poll === undefined) throw new HttpProblem('POLL_NOT_FOUND');
        return poll;
      },
    },
  ];
}

function takeVote(
  deps: ApiDeps,
  stream: StreamName,
  id: string,
  choice: number,
  voter: { readonly token: string; readonly address: string },
): Poll {
  try {
    return deps.events.vote(stream, id, choice, voter);
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message: string };
    if (typeof code !== 'string' || !Object.hasOwn(ERROR_CODES, code)) throw error;
    throw new HttpProblem(code as ErrorCode, { detail: message });
  }
}

function operatorOf(call: ApiCall, deps: ApiDeps): EventAuthor {
  return { by: 'operator', address: deps.client(call.request.raw).address };
}
