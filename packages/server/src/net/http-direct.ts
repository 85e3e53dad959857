import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../observe/index.ts';
import { redactUrl } from '../observe/index.ts';
import { answerProblem } from './http-answer.ts';
import { HttpProblem } from './http-problem.ts';

/**
 * Answers requests for media without the framework, which costs more than all the rest of them. Must not throw
 * later than in the call; an {@link HttpProblem} thrown in it is answered.
 * @returns false for what it does not know: that goes to the routes.
 */
export type DirectHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** What answers in front of the framework's routes. */
export class DirectHandlers {
  readonly #handlers: DirectHandler[] = [];
  readonly #logger: Logger;
  #closing = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Adds a handler; the first that takes a request answers it. */
  add(handler: DirectHandler): void {
    this.#handlers.push(handler);
  }

  /** From now on connections close after their answer. */
  close(): void {
    this.#closing = true;
  }

  /** True if a handler took the request. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    try {
      // HTTP/2 has no such thing, and closes its sessions by itself.
      if (this.#closing && request.httpVersionMajor < 2) response.shouldKeepAlive = false;
      for (const handler of this.#handlers) if (handler(request, response)) return true;
      return false;
    } catch (error) {
      if (!(error instanceof HttpProblem)) {
        this.#logger.error(
          { err: error, method: request.method, url: redactUrl(request.url ?? '') },
          'request failed',
        );
      }
      answerProblem(request, response, error instanceof HttpProblem ? error : new HttpProblem('INTERNAL'));
      return true;
    }
  }
}
