import { timingSafeEqual } from 'node:crypto';
import type { ErrorCode } from '@onair/contracts';
import { isNamePart } from '@onair/media';
import type { Config } from '../config/index.ts';
import { channels, isLoopback } from '../observe/index.ts';
import { isAdmitted, verdictOf } from './access-lists.ts';
import type { AttemptLimiter } from './attempt-limiter.ts';
import type { KeyScope, StreamKeyStore } from './key-store.ts';
import { hashSecret, MAX_SECRET_LENGTH } from './secrets.ts';

/** Applications whose addresses `/APP/NAME…` belong to pages, their files and the API. */
export const RESERVED_APPS: ReadonlySet<string> = new Set([
  'api',
  'assets',
  'compare',
  'embed',
  'relay',
  'room',
  'talk',
  'watch',
]);

/** Somebody who wants to publish. */
export interface PublishRequest {
  readonly app: string;
  readonly name: string;
  /** What followed the name or the address behind `?`, without it; `key=…` in it is the stream key. */
  readonly query: string;
  /** Remote address without port. */
  readonly address: string;
  /** e.g. `rtmp`. */
  readonly protocol: string;
  /** True if the peer came through a proxy, so that a loopback address says nothing. */
  readonly forwarded?: boolean;
}

/** The answer to a {@link PublishRequest}. */
export type PublishAnswer =
  | {
      readonly ok: true;
      /** Equal for publishers that showed the same credentials. */
      readonly identity: string;
    }
  | {
      readonly ok: false;
      readonly code: Extract<ErrorCode, 'STREAM_NAME_INVALID' | 'PUBLISH_REFUSED' | 'TOO_MANY_ATTEMPTS'>;
      /** For log and peer; the same for a wrong key and an unknown stream. */
      readonly reason: string;
      /** The lists keep this address out, with whatever key. */
      readonly barred?: boolean;
    };

/** Decides who may publish. Asked before any success is told to the peer. */
export interface PublishGuard {
  authorize(request: PublishRequest): Promise<PublishAnswer>;
  /** True if a publisher at this address needs a key. */
  keyNeeded(address: string): boolean;
}

/** What the guard decides by. */
export interface GuardSources {
  /** Settings in force at the moment. */
  config(): Config['auth'];
  readonly keys: StreamKeyStore;
  readonly limiter: AttemptLimiter;
}

/** The guard: the lists refuse and let in, loopback is open by setting, everybody else shows a stream key. */
export function createPublishGuard(sources: GuardSources): PublishGuard {
  const open = (address: string): boolean => sources.config().publishFromLoopback && isLoopback(address);
  const decide = (request: PublishRequest): PublishAnswer => {
    const { app, name, address } = request;
    if (!isNamePart(app) || !isNamePart(name)) {
      return refusal('STREAM_NAME_INVALID', 'a stream is named APP/NAME, 1 to 64 of A-Z a-z 0-9 _ - each');
    }
    if (RESERVED_APPS.has(app)) {
      return refusal(
        'STREAM_NAME_INVALID',
        `/${app}/ is the address of a page: publish to another application`,
      );
    }
    const { lists } = sources.config();
    if (verdictOf(lists, 'publish', request) === 'deny') {
      return { ...refusal('PUBLISH_REFUSED', `nobody publishes to ${app} from this address`), barred: true };
    }
    const key = keyOf(request.query);
    const own = open(address) && request.forwarded !== true;
    const local = own || isAdmitted(lists, request);
    const identity = own ? 'loopback' : 'listed';
    if (local && key === undefined) return { ok: true, identity };
    const wait = sources.limiter.retryAfter(address);
    if (wait > 0 && !local) {
      return refusal(
        'TOO_MANY_ATTEMPTS',
        `too many failed attempts from this address, try again in ${wait} s`,
      );
    }
    const found = key === undefined ? undefined : findKey(sources, app, name, key);
    if (found !== undefined) return { ok: true, identity: found };
    if (local) return { ok: true, identity };
    sources.limiter.failed(address);
    return refusal('PUBLISH_REFUSED', 'publishing here needs the right stream key, as in NAME?key=KEY');
  };
  return {
    keyNeeded: (address) => !open(address),
    async authorize(request) {
      const answer = decide(request);
      if (!answer.ok) {
        channels.accessRefused.publish({
          protocol: request.protocol,
          address: request.address,
          code: answer.code,
        });
      }
      return answer;
    },
  };
}

function refusal(
  code: Extract<PublishAnswer, { ok: false }>['code'],
  reason: string,
): Extract<PublishAnswer, { ok: false }> {
  return { ok: false, code, reason };
}

/** The one key in a query; undefined if there is none, several, or one that is too long. */
function keyOf(query: string): string | undefined {
  if (query.length > 4096) return undefined;
  const values = new URLSearchParams(query).getAll('key');
  const [key] = values;
  return values.length === 1 && key !== '' && key!.length <= MAX_SECRET_LENGTH ? key : undefined;
}

/** Looks at every key whatever is found, so that the time tells nothing. */
function findKey(sources: GuardSources, app: string, name: string, key: string): string | undefined {
  const digest = hashSecret(key);
  let identity: string | undefined;
  const look = (scope: KeyScope, hash: Uint8Array, id: string): void => {
    const same = timingSafeEqual(digest, hash);
    if (same && scope.app === app && (scope.name === undefined || scope.name === name)) identity = id;
  };
  for (const stored of sources.keys.list()) look(stored, stored.hash, `key:${stored.id}`);
  for (const { key: secret, name: only, app: scope } of sources.config().publishKeys) {
    const hash = hashSecret(secret);
    const id = `config:${hash.toString('hex', 0, 8)}`;
    look({ app: scope, ...(only === undefined ? {} : { name: only }) }, hash, id);
  }
  return identity;
}
