import { type AmfValue, amfProperties } from '@onair/media/amf';
import type { CallRequest, CallResult, RtmpServerSession } from '@onair/media/rtmp';

/** Calls of one client that may wait for their answers. */
const MAX_UNANSWERED = 32;
/** Longest time a client may take to answer, in milliseconds. */
const ANSWER_MS = 10_000;

/** Answers a call of a client; a rejection's message goes to the client. */
export type AnswerCall = (request: CallRequest) => Promise<AmfValue>;

/** The method calls of one connection, in both directions. */
export class RtmpCalls {
  readonly #session: RtmpServerSession;
  /** Runs something that makes the session speak; what it says is sent. */
  readonly #say: (speak: () => void) => void;
  readonly #asked = new Map<number, { settle(answer: CallResult | undefined): void }>();
  #unanswered = 0;

  constructor(session: RtmpServerSession, say: (speak: () => void) => void) {
    this.#session = session;
    this.#say = say;
  }

  /** True if the client need not publish or play: a call of it was answered with a value, or it uses what all share. */
  kept = false;

  /** A client calls. @param answer who knows methods, if anybody does. */
  called(request: CallRequest, answer: AnswerCall | undefined): void {
    const { transactionId, name } = request;
    const reply = (ok: boolean, value: AmfValue): void =>
      this.#say(() => this.#session.answerCall(transactionId, ok, value));
    if (answer === undefined) reply(false, `Method not found (${name.slice(0, 80)}).`);
    else if (this.#unanswered >= MAX_UNANSWERED) reply(false, 'Too many calls wait for their answers.');
    else {
      this.#unanswered++;
      answer(request)
        .then(
          (value) => {
            this.kept = true;
            reply(true, value);
          },
          (error: unknown) => reply(false, error instanceof Error ? error.message : 'The call failed.'),
        )
        .finally(() => {
          this.#unanswered--;
        });
    }
  }

  /** Calls a method of the client. Rejects with its words, or if it does not answer. */
  call(method: string, args: readonly AmfValue[]): Promise<AmfValue> {
    return new Promise((resolve, reject) => {
      this.#say(() => {
        const id = this.#session.call(method, ...args);
        const timer = setTimeout(() => settle(undefined), ANSWER_MS);
        const settle = (answer: CallResult | undefined): void => {
          clearTimeout(timer);
          this.#asked.delete(id);
          if (answer?.ok === true) resolve(answer.values[0]);
          else reject(new Error(faultOf(answer)));
        };
        this.#asked.set(id, { settle });
      });
    });
  }

  /** The client answers. */
  answered(answer: CallResult): void {
    this.#asked.get(answer.transactionId)?.settle(answer);
  }

  /** The connection is over: nobody answers any more. */
  close(): void {
    for (const { settle } of [...this.#asked.values()]) settle(undefined);
  }
}

function faultOf(answer: CallResult | undefined): string {
  const description = answer === undefined ? undefined : amfProperties(answer.values[0])?.description;
  return typeof description === 'string' ? description : 'the client did not answer';
}
