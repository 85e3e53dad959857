import type { Logger } from '../observe/index.ts';
import { redactUrl } from '../observe/index.ts';
import { answerProblem } from './http-answer.ts';
import type { Exchange } from './http-exchange.ts';
import { HttpProblem } from './http-problem.ts';

/**
 * Answers requests for media without the framework, which costs more than all the rest of them. Must not throw
 * later than in the call; an {@link HttpProblem} thrown in it is answered.
 * @returns false for what it does not know: that goes to the routes.
 */
export type DirectHandler = (exchange: Exchange) => boolean;

/** What answers in front of the framework's routes. */
export class DirectHandlers {
  readonly #handlers: DirectHandler[] = [];
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Adds a handler; the first that takes a request answers it. */
  add(handler: DirectHandler): void {
    this.#handlers.push(handler);
  }

  /** True if a handler took the request. */
  take(exchange: Exchange): boolean {
    try {
      for (const handler of this.#handlers) if (handler(exchange)) return true;
      return false;
    } catch (error) {
      if (!(error instanceof HttpProblem)) {
        const { method, url } = exchange;
        this.#logger.error({ err: error, method, url: redactUrl(url) }, 'request failed');
      }
      answerProblem(exchange, error instanceof HttpProblem ? error : new HttpProblem('INTERNAL'));
      return true;
    }
  }
}
