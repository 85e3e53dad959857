import { createHash } from 'node:crypto';
import { type StreamName, streamName } from '@onair/media';
import type { FastifyRequest } from 'fastify';
import { HttpProblem, type HttpServer, type Reach, refusedForNow, whyOutOfReach } from '../../net/index.ts';
import { type PullDeps, StreamPull } from './stream-pull.ts';

/** Application under which fetched sources are published. */
const APP = 'proxy';
/** Addresses that are taken. */
const ADDRESS = /^(?:https?|rtmps?):\/\/[^\s/?#]+\/\S*$/;
const MAX_ADDRESS = 2048;
/** How often is looked for sources without viewers, milliseconds. */
const LOOK_MS = 1000;

/** Settings of the moment. */
export interface ProxyLimits {
  /** Addresses that are not of the public network are fetched, too. */
  readonly private: boolean;
  readonly maxSources: number;
  /** Milliseconds without a viewer after which a source is let go. */
  readonly idleMs: number;
}

/** What the proxies need. */
export interface ProxyDeps extends PullDeps {
  limits(): ProxyLimits;
  /** Throws unless whoever asks may have something fetched. */
  allow(request: FastifyRequest): Promise<void>;
}

/** A source that is fetched. */
interface Proxied {
  readonly stream: StreamName;
  readonly pull: StreamPull;
  /** When it was wanted last, milliseconds of the clock. */
  wantedAt: number;
}

/** What the page is told. The address is not in it: it may hold a key. */
export interface ProxyState {
  readonly stream: StreamName;
  readonly live: boolean;
  readonly failure?: string;
}

/** Live sources that are fetched for as long as somebody watches them. */
export class LiveProxies {
  readonly #deps: ProxyDeps;
  readonly #running = new Map<StreamName, Proxied>();
  #cancelLook: (() => void) | undefined;

  constructor(deps: ProxyDeps) {
    this.#deps = deps;
    this.#lookLater();
  }

  /** Fetches a source, or goes on with it. @throws HttpProblem `BAD_REQUEST`, `OVERLOADED`. */
  start(url: string): ProxyState {
    const { limits, clock } = this.#deps;
    hostOf(url);
    const stream = nameOf(url);
    const known = this.#running.get(stream);
    if (known !== undefined) {
      known.wantedAt = clock.now();
      return stateOf(known);
    }
    if (this.#running.size >= limits().maxSources) throw refusedForNow('OVERLOADED', 30, 'too many sources');
    const pull = new StreamPull({ url, stream, reach: this.#reach }, this.#deps);
    const proxied = { stream, pull, wantedAt: clock.now() };
    this.#running.set(stream, proxied);
    pull.start();
    return stateOf(proxied);
  }

  /**
   * Says early what connecting would say again: that the address is one that is not fetched from.
   * @throws HttpProblem `ADDRESS_NOT_PUBLIC`, `BAD_REQUEST`.
   */
  async check(url: string): Promise<void> {
    const detail = await whyOutOfReach(this.#reach, hostOf(url));
    if (detail !== undefined) throw new HttpProblem('ADDRESS_NOT_PUBLIC', { detail });
  }

  get #reach(): Reach {
    return this.#deps.limits().private ? 'anywhere' : 'public';
  }

  /** How a source is; undefined if it is not fetched. */
  state(stream: StreamName): ProxyState | undefined {
    const found = this.#running.get(stream);
    return found === undefined ? undefined : stateOf(found);
  }

  /** Lets everything go. */
  close(reason: string): void {
    this.#cancelLook?.();
    for (const { pull } of this.#running.values()) pull.close(reason);
    this.#running.clear();
  }

  #lookLater(): void {
    this.#cancelLook = this.#deps.clock.after(LOOK_MS, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const { clock, limits, sessions } = this.#deps;
    const now = clock.now();
    for (const proxied of this.#running.values()) {
      if (sessions.viewers(proxied.stream) > 0) proxied.wantedAt = now;
      else if (now - proxied.wantedAt >= limits().idleMs) {
        this.#running.delete(proxied.stream);
        proxied.pull.close('nobody watches');
      }
    }
  }
}

/** `POST /proxy/sources` with `{"url"}`, and `GET /proxy/sources/NAME`. */
export function registerLiveProxies(http: HttpServer, deps: ProxyDeps): LiveProxies {
  const proxies = new LiveProxies(deps);
  http.fastify.post<{ Body: unknown }>('/proxy/sources', async (request, reply) => {
    await deps.allow(request);
    const url = urlOf(request.body);
    await proxies.check(url);
    return reply.code(201).send(proxies.start(url));
  });
  http.fastify.get<{ Params: { readonly name: string } }>('/proxy/sources/:name', async (request) => {
    const state = proxies.state(`${APP}/${request.params.name}` as StreamName);
    if (state === undefined) throw new HttpProblem('NOT_FOUND');
    return state;
  });
  return proxies;
}

function urlOf(body: unknown): string {
  const url = typeof body === 'object' && body !== null && 'url' in body ? body.url : undefined;
  if (typeof url === 'string') return url.trim();
  throw new HttpProblem('BAD_REQUEST', { detail: 'a JSON object with url is wanted' });
}

/** @throws HttpProblem `BAD_REQUEST` for what is no address of a source. */
function hostOf(url: string): string {
  if (url.length <= MAX_ADDRESS && ADDRESS.test(url) && URL.canParse(url)) return new URL(url).hostname;
  throw new HttpProblem('BAD_REQUEST', { detail: 'url must be an address of http, https, rtmp or rtmps' });
}

/** The same for the same address, and nothing of the address can be read off it. */
function nameOf(url: string): StreamName {
  return streamName(APP, createHash('sha256').update(url).digest('base64url').slice(0, 12));
}

function stateOf({ stream, pull: { live, failure } }: Proxied): ProxyState {
  return { stream, live, ...(failure === undefined ? {} : { failure }) };
}
