import { isNamePart, type StreamName, splitStreamName, streamName } from '@onair/media';
import { verdictOf } from './auth/index.ts';
import type { ConfigStore } from './config/index.ts';
import { DemandPulls, type PullDeps, PullSet } from './ingest/pull/index.ts';
import { answerProblem, type Exchange, type HttpClient, HttpProblem, type HttpServer } from './net/index.ts';
import type { RtmpHandlers } from './net/rtmp-handlers.ts';
import { playedStreams } from './played-stream.ts';

/** What stands in front of every output, and of RTMP publishers. */
export interface Doors {
  /** These handlers for whom `auth.lists` lets in; sources on demand are there before they are played. */
  rtmp(handlers: RtmpHandlers): RtmpHandlers;
  /** Begins with `pulls`. */
  start(): void;
  close(reason: string): void;
}

/**
 * Holds `auth.lists` at whatever plays, and fetches sources on demand when somebody asks for them. To be registered
 * before anything is that answers for a stream.
 */
export function registerDoors(http: HttpServer, config: ConfigStore, deps: PullDeps): Doors {
  const demand = new DemandPulls(deps);
  const pulls = new PullSet(deps);
  let unlisten: (() => void) | undefined;

  const mayPlay = (stream: StreamName, client: Pick<HttpClient, 'address' | 'forwarded'>): boolean =>
    verdictOf(config.current.auth.lists, 'play', { app: splitStreamName(stream).app, ...client }) !== 'deny';
  const shut = (): boolean => config.current.auth.lists.length > 0 || demand.any;

  /** What there is to wait for. @throws HttpProblem `PLAY_REFUSED` */
  const enter = (method: string, url: string, client: () => HttpClient): Promise<boolean> | undefined => {
    if (!shut()) return undefined;
    let ready: Promise<boolean> | undefined;
    for (const { stream, live } of playedStreams(method, url)) {
      if (!mayPlay(stream, client()))
        throw new HttpProblem('PLAY_REFUSED', { detail: `nobody plays ${stream} from this address` });
      if (live) ready ??= demand.wanted(stream);
    }
    return ready;
  };
  http.intercept((exchange) => {
    const ready = enter(exchange.method, exchange.url, () => http.client(exchange));
    if (ready === undefined) return false;
    void ready.then((live) => answer(exchange, live));
    return true;
  });
  http.upgrades.guard(async ({ request, client }) => {
    await enter('GET', request.url ?? '', () => client);
  });

  return {
    rtmp: (handlers) => ({
      ...handlers,
      publish: async (peer, request) => {
        const { lists } = config.current.auth;
        const comer = { app: request.app, address: peer.address };
        if (verdictOf(lists, 'publish', comer) === 'deny')
          return { refused: 'NetStream.Publish.Denied', reason: 'nobody publishes here from this address' };
        return await handlers.publish(peer, request);
      },
      play: async (peer, request) => {
        const { app } = request;
        if (shut() && isNamePart(app)) {
          const name = request.name.split('?', 1)[0]!;
          const comer = { app, address: peer.address };
          if (verdictOf(config.current.auth.lists, 'play', comer) === 'deny')
            return { refused: 'NetStream.Play.Failed', reason: 'nobody plays here from this address' };
          if (isNamePart(name) && typeof request.start !== 'number')
            await demand.wanted(streamName(app, name));
        }
        return await handlers.play(peer, request);
      },
    }),
    start() {
      const apply = (): void => {
        demand.set(config.current.pulls);
        pulls.set(config.current.pulls);
      };
      unlisten = config.listen({ changed: apply });
      apply();
    },
    close(reason) {
      unlisten?.();
      demand.close(reason);
      pulls.close(reason);
    },
  };
}

/** Sends a request that was held to the same address again: there is the stream now. */
function answer(exchange: Exchange, live: boolean): void {
  if (!live) {
    answerProblem(
      exchange,
      new HttpProblem('STREAM_NOT_FOUND', { detail: 'The source of the stream does not deliver.' }),
    );
    return;
  }
  const location = exchange.url.replace(/^\/{2,}/, '/');
  const head = [
    'location',
    location,
    'cache-control',
    'no-store',
    'access-control-allow-origin',
    '*',
    'content-length',
    '0',
  ];
  exchange.send(307, head);
}
