import type { StreamName } from '@onair/media';
import type { Tag } from '@onair/media/flv';
import type { Clock, Publication, SessionTable, StreamRegistry } from '../../hub/index.ts';
import type { Reach } from '../../net/index.ts';
import { TagIntake } from '../tag-intake.ts';
import { TsPublisher } from '../ts/ts-publisher.ts';
import { openHttpSource } from './http-source.ts';
import { openRtmpSource } from './rtmp-source.ts';
import type { OpenSource, PullAttempt, PullSink } from './source.ts';

/** Wait before the second attempt, in milliseconds; it doubles with each failure. */
export const FIRST_RETRY_MS = 1_000;
/** Longest wait between attempts, in milliseconds. */
export const MAX_RETRY_MS = 30_000;
/** A source that delivered for so long counts as good again, in milliseconds. */
export const GOOD_AFTER_MS = 10_000;
/** Redirects followed in one attempt. */
export const MAX_REDIRECTS = 3;

/** What a pull needs. */
export interface PullDeps {
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
  readonly clock: Clock;
  /** One line about begin and end of a session, and about the first of several failures. */
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** 0 to 1, for waits that do not fall together. */
  readonly random?: () => number;
  /** How to connect; by the scheme of the address unless given. */
  readonly open?: OpenSource;
}

/** What to pull from where. */
export interface PullOrder {
  /** rtmp:// in any of its ways, http:// or https://. */
  readonly url: string;
  readonly stream: StreamName;
  /** Takes any certificate of an RTMP server. */
  readonly insecure?: boolean | undefined;
  /** What may be connected to; anywhere if left out, for the operator may name any host. */
  readonly reach?: Reach;
}

/**
 * Fetches a stream from elsewhere and publishes it, and tries again whenever the source fails. While it is
 * away the stream waits for it as for any publisher.
 */
export class StreamPull {
  readonly #order: PullOrder;
  readonly #deps: PullDeps;
  #attempt: PullAttempt | undefined;
  #onAir: TagsOnAir | TsOnAir | undefined;
  #cancelRetry: (() => void) | undefined;
  #failures = 0;
  #failure: string | undefined;
  #redirects = 0;
  #closed = false;

  constructor(order: PullOrder, deps: PullDeps) {
    this.#order = order;
    this.#deps = deps;
  }

  /** True while the source delivers. */
  get live(): boolean {
    return this.#onAir !== undefined;
  }

  /** Why the last attempt failed; undefined while the source delivers, and before the first attempt is over. */
  get failure(): string | undefined {
    return this.live ? undefined : this.#failure;
  }

  /** Begins with the first attempt. */
  start(): void {
    if (!this.#closed && this.#attempt === undefined) this.#connect(this.#order.url);
  }

  /** Lets source, publication and timers go. Safe to call twice. */
  close(reason: string): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#attempt?.close();
    this.#attempt = undefined;
    this.#release(reason);
  }

  #connect(url: string): void {
    this.#cancelRetry = undefined;
    const sink: PullSink = {
      tag: (tag) => this.#publish(TagsOnAir).tag(tag),
      data: (message, timestampMs) => this.#publish(TagsOnAir).intake.pushData(message, timestampMs),
      ts: (bytes) => this.#publish(TsOnAir).push(bytes),
      ended: (reason) => this.#failed(reason),
      redirected: (target) => this.#follow(target),
    };
    try {
      const open = this.#deps.open ?? openByScheme;
      this.#attempt = open(url, sink, this.#reachOf(url), { verify: this.#order.insecure !== true });
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error));
    }
  }

  /** Goes on air with the first thing the source delivers. @throws HubError if the name is taken. */
  #publish<T extends TagsOnAir | TsOnAir>(
    kind: new (order: PullOrder, deps: PullDeps, revoked: (reason: string) => void) => T,
  ): T {
    if (this.#onAir instanceof kind) return this.#onAir;
    const onAir = new kind(this.#order, this.#deps, (reason) => {
      this.#attempt?.close();
      this.#failed(reason);
    });
    this.#onAir = onAir;
    return onAir;
  }

  /** What a source redirects to must be its own host or a public one. */
  #reachOf(url: string): Reach {
    const { reach = 'anywhere', url: own } = this.#order;
    return addressOf(url) === addressOf(own) ? reach : 'public';
  }

  #follow(target: string): void {
    if (++this.#redirects > MAX_REDIRECTS) this.#failed('too many redirects');
    else if (familyOf(target) !== familyOf(this.#order.url)) this.#failed('redirected to another protocol');
    else this.#connect(target);
  }

  #failed(reason: string): void {
    this.#attempt = undefined;
    this.#redirects = 0;
    this.#failure = reason;
    if (this.#closed) return;
    const onAirMs = this.#onAir?.ageMs ?? 0;
    this.#release(reason);
    if (onAirMs >= GOOD_AFTER_MS) this.#failures = 0;
    const random = this.#deps.random ?? Math.random;
    const wait = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures) * (0.75 + random() / 4);
    if (this.#failures++ === 0) {
      const { stream, url } = this.#order;
      this.#deps.log('source failed', { stream, url, reason });
    }
    this.#cancelRetry = this.#deps.clock.after(wait, () => this.#connect(this.#order.url));
  }

  #release(reason: string): void {
    const onAir = this.#onAir;
    this.#onAir = undefined;
    onAir?.close(reason);
  }
}

/** A pull while its source delivers a transport stream. */
class TsOnAir {
  readonly #publisher: TsPublisher;
  readonly #clock: Clock;
  readonly #since: number;

  constructor(order: PullOrder, deps: PullDeps, revoked: (reason: string) => void) {
    this.#clock = deps.clock;
    this.#since = deps.clock.now();
    const peer = { protocol: 'http-ts-pull', address: addressOf(order.url), identity: undefined, revoked };
    this.#publisher = new TsPublisher(order.stream, peer, deps);
  }

  /** Milliseconds on air. */
  get ageMs(): number {
    return this.#clock.now() - this.#since;
  }

  push(bytes: Uint8Array): boolean {
    this.#publisher.push(bytes);
    return this.#publisher.begun;
  }

  close(reason: string): void {
    this.#publisher.end(reason);
  }
}

/** A pull while its source delivers tags. */
class TagsOnAir {
  readonly intake: TagIntake;
  readonly #publication: Publication;
  readonly #clock: Clock;
  readonly #since: number;
  readonly #release: (reason: string) => void;
  #bytes = 0;

  constructor(order: PullOrder, deps: PullDeps, revoked: (reason: string) => void) {
    const { stream } = order;
    const protocol = familyOf(order.url) === 'rtmp' ? 'rtmp-pull' : 'http-flv-pull';
    this.#clock = deps.clock;
    this.#since = deps.clock.now();
    this.#publication = deps.registry.publish(stream, { protocol, revoked });
    this.intake = new TagIntake(this.#publication);
    const figures = () => ({ bytes: this.#bytes, skips: 0, dropped: this.intake.dropped, backlog: 0 });
    const session = deps.sessions.add({
      kind: 'publisher',
      protocol,
      stream,
      address: addressOf(order.url),
      figures,
      close: (reason) => this.#publication.revoke(reason),
    });
    const told = { session: session.id, stream, protocol };
    deps.log('publisher came', told);
    this.#release = (reason) => {
      session.remove();
      const { bytes, dropped } = figures();
      deps.log('publisher left', { ...told, reason, seconds: Math.round(this.ageMs / 1000), bytes, dropped });
    };
  }

  /** Milliseconds on air. */
  get ageMs(): number {
    return this.#clock.now() - this.#since;
  }

  tag(tag: Tag): void {
    this.#bytes += tag.body.length;
    this.intake.push(tag);
  }

  close(reason: string): void {
    this.#publication.close(reason);
    this.#release(reason);
  }
}

const openByScheme: OpenSource = (url, sink, reach, options) =>
  familyOf(url) === 'rtmp' ? openRtmpSource(url, sink, reach, options) : openHttpSource(url, sink, reach);

function familyOf(url: string): 'rtmp' | 'http' | undefined {
  if (/^rtmp(?:s|t|ts|e|te)?:\/\//.test(url)) return 'rtmp';
  return /^https?:\/\//.test(url) ? 'http' : undefined;
}

/** Host of an address, without user information. */
function addressOf(url: string): string {
  return /^[a-z]+:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?#]*)/.exec(url)?.[1] ?? '';
}
