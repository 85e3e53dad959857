import { isNamePart, type StreamName, splitStreamName, streamName } from '@onair/media';
import type { PlayRequest, PublishRequest } from '@onair/media/rtmp';
import { notAdmitted } from '../net/rtmp-end.ts';
import type { RtmpConnectRefusal, RtmpHandlers, RtmpPeer } from '../net/rtmp-handlers.ts';
import { CallbackClient, type CallbackName, type CallbackRule, formOf } from './callbacks.ts';
import { relayAddress } from './relay-address.ts';

/** What callbacks of RTMP clients stand on. */
export interface RtmpCallbacksDeps {
  /** The first rule that fits an application counts. */
  rules(): readonly CallbackRule[];
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Joins streams with those of other servers, until the returned functions are called. */
  readonly relays: Readonly<Record<'push' | 'pull', (stream: StreamName, url: string) => () => void>>;
}

/** Lets everybody publish whom a callback has admitted. */
export const ADMITTED = { authorize: async () => ({ ok: true as const, identity: 'callback' }) };

/** Publishers that are kept for what is told of their recordings. */
const MAX_PUBLISHERS = 1024;
/** Fields of a publisher that came otherwise than by RTMP, or before this server began. */
const NOBODY = { call: '', app: '', flashver: '', swfurl: '', tcurl: '', pageurl: '', addr: '', clientid: 0 };

type Verdict =
  | {
      readonly ok: true;
      readonly name: string;
      readonly asked: boolean;
      /** Address that the stream is to be joined with. */
      readonly relay?: string;
    }
  | { readonly ok: false; readonly reason: string };

/** Asks and tells addresses of the configuration what RTMP clients do, with the forms and the answers of nginx-rtmp. */
export class RtmpCallbacks {
  readonly #deps: RtmpCallbacksDeps;
  readonly #client = new CallbackClient();
  readonly #ids = new WeakMap<RtmpPeer, number>();
  readonly #admitted = new WeakSet<PublishRequest>();
  /** Clients that said what they want. */
  readonly #known = new WeakSet<RtmpPeer>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Who published last, by stream, of those whose recordings are told of. */
  readonly #publishers = new Map<string, { readonly peer: RtmpPeer; readonly query: string }>();
  #last = 0;

  constructor(deps: RtmpCallbacksDeps) {
    this.#deps = deps;
  }

  /** True if `onPublish` let this publisher in and `admits` says that it needs no stream key then. */
  admitted(request: PublishRequest): boolean {
    return this.#admitted.has(request);
  }

  /** These handlers with the callbacks around them. */
  around(handlers: RtmpHandlers): RtmpHandlers {
    return {
      ...handlers,
      admit: (peer) => {
        const rule = this.#rule(peer);
        return rule === undefined ? handlers.admit?.(peer) : this.#admit(rule, peer, handlers);
      },
      left: (peer) => {
        handlers.left?.(peer);
        // Whoever never said what they want was not told of either.
        if (!this.#known.delete(peer)) return;
        void this.#call('onDisconnect', peer, { call: 'disconnect' });
      },
      publish: async (peer, request) => {
        if (this.#rule(peer) === undefined) return await handlers.publish(peer, request);
        const fields = { call: 'publish', name: request.name, type: request.mode };
        const verdict = await this.#ask('onPublish', peer, request, fields);
        if (!verdict.ok) return { refused: 'NetStream.Publish.Denied', reason: verdict.reason };
        const renamed = { ...request, name: verdict.name };
        if (verdict.asked && this.#rule(peer)?.admits === true) this.#admitted.add(renamed);
        const inlet = await handlers.publish(peer, renamed);
        if ('refused' in inlet) return inlet;
        const done = this.#begin(peer, renamed, 'publish');
        const unjoin = this.#join('push', peer, verdict);
        return {
          media: (message) => inlet.media(message),
          data: (event) => inlet.data(event),
          closed: (reason) => {
            inlet.closed(reason);
            unjoin();
            done();
          },
        };
      },
      play: async (peer, request) => {
        if (this.#rule(peer) === undefined) return await handlers.play(peer, request);
        const start =
          typeof request.start === 'number' ? request.start : request.start === 'live' ? -1000 : -2000;
        const fields = {
          call: 'play',
          name: request.name,
          start,
          duration: request.durationMs ?? 0,
          reset: request.reset ? 1 : 0,
        };
        const verdict = await this.#ask('onPlay', peer, request, fields);
        if (!verdict.ok) return { refused: 'NetStream.Play.Failed', reason: verdict.reason };
        const renamed = { ...request, name: verdict.name };
        const unjoin = this.#join('pull', peer, verdict);
        const outlet = await handlers.play(peer, renamed);
        if ('refused' in outlet) {
          unjoin();
          return outlet;
        }
        const done = this.#begin(peer, renamed, 'play');
        return {
          started: () => outlet.started(),
          paused: (paused) => outlet.paused(paused),
          receive: (media, on) => outlet.receive(media, on),
          bufferLength: (ms) => outlet.bufferLength?.(ms),
          seek: (timeMs) => outlet.seek?.(timeMs) === true,
          drained: () => outlet.drained(),
          closed: (reason) => {
            outlet.closed(reason);
            unjoin();
            done();
          },
        };
      },
    };
  }

  /** Tells of a recording that has begun. @param file path of its first file */
  recording(stream: StreamName, file: string): void {
    this.#tellOfFile('onRecordStarted', stream, file);
  }

  /** Tells of a recording that is finished, once for each of its files. @param files their paths */
  recorded(stream: StreamName, files: readonly string[]): void {
    for (const path of files) this.#tellOfFile('onRecordDone', stream, path);
    if (!this.wantsPlaylists(stream)) this.#publishers.delete(stream);
  }

  /** True if somebody is to be told of the playlists of a stream. */
  wantsPlaylists(stream: StreamName): boolean {
    return this.#ruleOf(splitStreamName(stream).app)?.onPlaylist !== undefined;
  }

  /** Tells that the HLS playlist of a stream lists another segment. */
  playlist(stream: StreamName): void {
    this.#tell('onPlaylist', stream, {
      call: 'playlist',
      module: 'hls',
      name: splitStreamName(stream).name,
      path: `/${stream}/index.m3u8`,
    });
  }

  /** Ends what waits. */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
    this.#client.close();
  }

  #tellOfFile(callback: 'onRecordStarted' | 'onRecordDone', stream: StreamName, path: string): void {
    const call = callback === 'onRecordStarted' ? 'record_started' : 'record_done';
    this.#tell(callback, stream, { call, recorder: '', name: splitStreamName(stream).name, path });
  }

  /** Tells something of a stream, with what is known of its publisher. */
  #tell(callback: CallbackName, stream: StreamName, fields: Readonly<Record<string, string>>): void {
    const { app } = splitStreamName(stream);
    const rule = this.#ruleOf(app);
    const { peer, query = '' } = this.#publishers.get(stream) ?? {};
    const url = rule?.[callback];
    if (peer !== undefined) void this.#call(callback, peer, fields, query);
    else if (rule !== undefined && url !== undefined)
      void this.#client.call(url, rule, formOf({ ...NOBODY, app, ...fields }));
  }

  async #admit(
    rule: CallbackRule,
    peer: RtmpPeer,
    handlers: RtmpHandlers,
  ): Promise<RtmpConnectRefusal | undefined> {
    this.#known.add(peer);
    if (rule.onConnect !== undefined) {
      const answer = await this.#call('onConnect', peer, { call: 'connect' });
      if (answer?.kind === 'redirect') {
        const { location } = answer;
        const sent = rule.redirects && /^rtmp:\/\/[^\s/]+\/\S+$/i.test(location);
        return sent ? notAdmitted('go elsewhere', location) : notAdmitted('a connection cannot be renamed');
      }
      if (answer !== undefined && answer.kind !== 'allow') return notAdmitted(answer.reason);
    }
    return await handlers.admit?.(peer);
  }

  async #ask(
    callback: 'onPublish' | 'onPlay',
    peer: RtmpPeer,
    { name, query }: PublishRequest | PlayRequest,
    fields: Readonly<Record<string, string | number>>,
  ): Promise<Verdict> {
    const answer = await this.#call(callback, peer, fields, query);
    if (answer === undefined) return { ok: true, name, asked: false };
    switch (answer.kind) {
      case 'allow':
        return { ok: true, name, asked: true };
      case 'redirect':
        if (/^rtmp:\/\//i.test(answer.location) && this.#rule(peer)?.relays === true) {
          const relay = relayAddress(answer.location);
          if (relay !== undefined) return { ok: true, name, asked: true, relay };
        }
        // What is no name of a stream, an address above all, leads nowhere: the answer reaches no other server.
        return isNamePart(answer.location)
          ? { ok: true, name: answer.location, asked: true }
          : { ok: false, reason: 'the callback names no stream' };
      default:
        return { ok: false, reason: answer.reason };
    }
  }

  #join(way: 'push' | 'pull', peer: RtmpPeer, { name, relay }: Verdict & { readonly ok: true }): () => void {
    const { app } = peer.connect;
    if (relay === undefined || !isNamePart(app) || !isNamePart(name)) return () => undefined;
    const url = relay.replace('{app}', app).replace('{name}', name);
    return this.#deps.relays[way](streamName(app, name), url);
  }

  /** Tells of a session again and again; the returned function tells of its end. */
  #begin(
    peer: RtmpPeer,
    { name, query }: PublishRequest | PlayRequest,
    what: 'publish' | 'play',
  ): () => void {
    const rule = this.#rule(peer);
    const told = rule?.onRecordStarted ?? rule?.onRecordDone ?? rule?.onPlaylist;
    if (what === 'publish' && told !== undefined) this.#note(peer, name, query);
    const since = Date.now();
    let timer: NodeJS.Timeout | undefined;
    if (rule?.onUpdate !== undefined) {
      timer = setInterval(() => {
        const time = Math.round((Date.now() - since) / 1000);
        void this.#call(
          'onUpdate',
          peer,
          { call: `update_${what}`, name, time, timestamp: time * 1000 },
          query,
        ).then((answer) => {
          const over = answer?.kind === 'silent' ? rule.updateStrict : answer?.kind !== 'allow';
          if (answer !== undefined && over && timer !== undefined) peer.close('ended by a callback');
        });
      }, rule.updateMs).unref();
      this.#timers.add(timer);
    }
    return () => {
      clearInterval(timer);
      if (timer !== undefined) this.#timers.delete(timer);
      timer = undefined;
      const done = what === 'publish' ? 'onPublishDone' : 'onPlayDone';
      void this.#call(done, peer, { call: `${what}_done`, name }, query);
      void this.#call('onDone', peer, { call: 'done', name }, query);
    };
  }

  #note(peer: RtmpPeer, name: string, query: string): void {
    const key = `${peer.connect.app}/${name}`;
    this.#publishers.delete(key);
    this.#publishers.set(key, { peer, query });
    const [oldest] = this.#publishers.keys();
    if (this.#publishers.size > MAX_PUBLISHERS && oldest !== undefined) this.#publishers.delete(oldest);
  }

  #rule(peer: RtmpPeer): CallbackRule | undefined {
    return this.#ruleOf(peer.connect.app);
  }

  #ruleOf(app: string): CallbackRule | undefined {
    return this.#deps.rules().find((rule) => rule.app === undefined || rule.app === app);
  }

  async #call(
    callback: CallbackName,
    peer: RtmpPeer,
    fields: Readonly<Record<string, string | number>>,
    query = '',
  ) {
    const rule = this.#rule(peer);
    const url = rule?.[callback];
    if (rule === undefined || url === undefined) return undefined;
    const { app, flashVer, swfUrl, tcUrl, pageUrl, query: own } = peer.connect;
    const { call = '', ...rest } = fields;
    const client = {
      call,
      app,
      flashver: flashVer,
      swfurl: swfUrl,
      tcurl: tcUrl,
      pageurl: pageUrl,
      addr: peer.address,
      clientid: this.#idOf(peer),
      ...rest,
    };
    const answer = await this.#client.call(url, rule, formOf(client, query === '' ? own : query));
    if (answer.kind !== 'allow') {
      const said = answer.kind === 'redirect' ? answer.location : answer.reason;
      this.#deps.log('a callback did not allow', {
        callback,
        app,
        connection: peer.id,
        answer: answer.kind,
        said,
      });
    }
    return answer;
  }

  #idOf(peer: RtmpPeer): number {
    const id = this.#ids.get(peer) ?? ++this.#last;
    this.#ids.set(peer, id);
    return id;
  }
}
