import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** Where an application's callbacks go and how, as in the configuration. */
export interface CallbackRule {
  /** Application; every one without. */
  readonly app?: string | undefined;
  readonly onConnect?: string | undefined;
  readonly onDisconnect?: string | undefined;
  readonly onPublish?: string | undefined;
  readonly onPlay?: string | undefined;
  readonly onPublishDone?: string | undefined;
  readonly onPlayDone?: string | undefined;
  readonly onDone?: string | undefined;
  readonly onUpdate?: string | undefined;
  readonly onRecordStarted?: string | undefined;
  readonly onRecordDone?: string | undefined;
  readonly onPlaylist?: string | undefined;
  readonly method: 'post' | 'get';
  readonly timeoutMs: number;
  readonly updateMs: number;
  readonly updateStrict: boolean;
  readonly admits: boolean;
  readonly relays: boolean;
  readonly redirects: boolean;
}

/** Places at which somebody is asked or told. */
export type CallbackName =
  | 'onConnect'
  | 'onDisconnect'
  | 'onPublish'
  | 'onPlay'
  | 'onPublishDone'
  | 'onPlayDone'
  | 'onDone'
  | 'onUpdate'
  | 'onRecordStarted'
  | 'onRecordDone'
  | 'onPlaylist';

/** What the other end said: 2xx, 3xx with a Location, anything else, or nothing in time. */
export type CallbackAnswer =
  | { readonly kind: 'allow' }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'refuse'; readonly reason: string }
  | { readonly kind: 'silent'; readonly reason: string };

/** Calls that may wait at one time; those beyond are refused. */
const MAX_WAITING = 512;
/** Longest `Location`, and longest head of an answer, in bytes. */
const MAX_LOCATION = 1024;
const MAX_HEAD = 16_384;
/** Longest value of a field, in characters, and fields of the client's own. */
const MAX_VALUE = 1024;
const MAX_OWN_FIELDS = 32;

/** Calls addresses of the configuration with forms, as nginx-rtmp does. */
export class CallbackClient {
  #waiting = 0;
  readonly #abort = new AbortController();

  /** Calls `url`. Never rejects; a redirect is told, not followed, and the body of the answer is not read. */
  async call(
    url: string,
    rule: Pick<CallbackRule, 'method' | 'timeoutMs'>,
    fields: URLSearchParams,
  ): Promise<CallbackAnswer> {
    if (this.#waiting >= MAX_WAITING) return { kind: 'silent', reason: 'too many callbacks wait' };
    this.#waiting++;
    try {
      return await this.#call(new URL(url), rule, fields.toString());
    } catch (error) {
      return { kind: 'silent', reason: error instanceof Error ? error.message : 'the callback failed' };
    } finally {
      this.#waiting--;
    }
  }

  /** Ends what waits. */
  close(): void {
    this.#abort.abort();
  }

  #call(
    url: URL,
    { method, timeoutMs }: Pick<CallbackRule, 'method' | 'timeoutMs'>,
    form: string,
  ): Promise<CallbackAnswer> {
    const post = method === 'post';
    if (!post) url.search += `${url.search === '' ? '?' : '&'}${form}`;
    const body = post ? Buffer.from(form) : undefined;
    const headers = {
      'user-agent': 'onair',
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.length) }),
    };
    const ask = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(timeoutMs)]);
    return new Promise((resolve, reject) => {
      const request = ask(
        url,
        { method: post ? 'POST' : 'GET', headers, agent: false, signal, maxHeaderSize: MAX_HEAD },
        (response) => {
          response.on('error', () => undefined);
          response.destroy();
          resolve(answerOf(response.statusCode ?? 0, response.headers.location));
        },
      );
      request.on('error', (error) =>
        reject(error.name === 'TimeoutError' || signal.aborted ? new Error('no answer in time') : error),
      );
      request.end(body);
    });
  }
}

function answerOf(status: number, location: string | undefined): CallbackAnswer {
  if (status >= 200 && status < 300) return { kind: 'allow' };
  if (status >= 300 && status < 400 && location !== undefined && location.length <= MAX_LOCATION)
    return { kind: 'redirect', location };
  return { kind: 'refuse', reason: `the callback answered ${status}` };
}

/** The form of a call; fields that the client itself gave come last and replace none. @param own its query */
export function formOf(fields: Readonly<Record<string, string | number>>, own = ''): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value).slice(0, MAX_VALUE));
  let count = 0;
  for (const [name, value] of new URLSearchParams(own.slice(0, 4096))) {
    if (++count > MAX_OWN_FIELDS) break;
    if (!form.has(name)) form.set(name, value.slice(0, MAX_VALUE));
  }
  return form;
}
