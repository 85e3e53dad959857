import { DecodeError, Field } from '@onair/contracts';
import { isNamePart, type StreamName, streamName } from '@onair/media';
import type { EventService } from './event-service.ts';
import { PollError } from './polls.ts';

/** The caller of a method, as far as a vote needs to know it. */
interface Caller {
  readonly id: string;
  readonly app: string;
  readonly address: string;
  readonly transport: string;
}

/** Name of the method by which viewers answer. */
export const VOTE_METHOD = 'onair.vote';
/** What a viewer's token looks like. */
export const VOTER_TOKEN = /^[A-Za-z0-9_-]{16,64}$/;

/**
 * `onair.vote(NAME, QUESTION, CHOICE, TOKEN?)` of every application: answers a question of the stream NAME. The
 * connection is the viewer; by HTTP, where each call is one of its own, the token is.
 * Throws Error with what is wrong.
 */
export function voteByMethod(events: EventService, caller: Caller, args: readonly unknown[]): object {
  try {
    const [name, id, choice, given] = args.map((value, i) => new Field(value, `args[${i}]`));
    if (!isNamePart(name?.value)) throw new Error('the first argument is the name of a stream');
    const stream: StreamName = streamName(caller.app, name.value);
    const token = caller.transport === 'http' ? tokenOf(given) : caller.id;
    const answer = events.vote(stream, id?.string(128) ?? '', choice?.count() ?? -1, {
      token,
      address: caller.address,
    });
    return { counts: answer.counts };
  } catch (error) {
    if (error instanceof PollError) throw new Error(`${error.code}: ${error.message}`, { cause: error });
    if (error instanceof DecodeError) throw new Error(error.message, { cause: error });
    throw error;
  }
}

function tokenOf(field: Field | undefined): string {
  const token = field?.value;
  if (typeof token === 'string' && VOTER_TOKEN.test(token)) return token;
  throw new Error(
    'by HTTP the fourth argument is a token of 16 to 64 letters that tells the viewer from others',
  );
}
