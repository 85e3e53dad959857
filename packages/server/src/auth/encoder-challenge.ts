import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  adobeProof,
  askForName,
  askForProof,
  type ChallengeMode,
  type ConnectRequest,
  challengeFields,
  llnwProof,
  type Md5,
  proofFailed,
} from '@onair/media/rtmp';
import type { Config } from '../config/index.ts';
import type { AttemptLimiter } from './attempt-limiter.ts';
import type { PublishAnswer, PublishGuard, PublishRequest } from './publish-guard.ts';

/** For the answers to challenges, which know nothing better. */
const md5: Md5 = (text) => createHash('md5').update(text, 'utf8').digest();

/** How long a challenge may be answered, in milliseconds. */
const TOKEN_MS = 60_000;
/** Proofs that were taken and must not be taken twice, while their tokens are young. */
const MAX_TAKEN = 10_000;
/** Parts of a token, in characters: seconds, random, signature. Clients of the librtmp family have little room for one. */
const TIME_LENGTH = 7;
const RANDOM_LENGTH = 4;
const MAC_LENGTH = 10;
const USER = /^[A-Za-z0-9._@-]{1,64}$/;

/** What challenges are made with. */
export interface EncoderChallengeDeps {
  config(): Config['auth'];
  readonly limiter: AttemptLimiter;
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

type User = Config['auth']['users'][number];

/**
 * Asks encoders for name and password where users are set up for their application (authmod `adobe` or `llnw`). Encoders say
 * that they are some; whoever does not say so is asked for nothing here, and for a stream key when it publishes.
 */
export class EncoderChallenge {
  readonly #deps: EncoderChallengeDeps;
  readonly #secret = randomBytes(32);
  readonly #taken = new Map<string, number>();
  readonly #proven = new WeakMap<ConnectRequest, readonly User[]>();

  constructor(deps: EncoderChallengeDeps) {
    this.#deps = deps;
  }

  /** Why a connection is refused, in words that encoders understand; undefined lets it in. */
  connect(request: ConnectRequest, address: string): string | undefined {
    const { users, challenge } = this.#deps.config();
    const ofApp = users.filter(({ app }) => app === request.app);
    if (ofApp.length === 0) return undefined;
    const fields = challengeFields(request.query);
    const told = fields.get('authmod');
    const mode: ChallengeMode = told === 'adobe' || told === 'llnw' ? told : challenge;
    const name = fields.get('user');
    if (told === undefined || name === undefined) return isEncoder(request) ? askForName(mode) : undefined;
    if (!USER.test(name)) return proofFailed(mode);
    const proof = fields.get('response');
    if (proof === undefined) return askForProof(mode, name, this.#salt(name), this.#token(name));
    if (this.#deps.limiter.retryAfter(address) > 0) return proofFailed(mode);
    const named = ofApp.filter(({ user }) => user === name);
    const path = request.instance === '' ? request.app : `${request.app}/${request.instance}`;
    const right = named.filter((user) => this.#proves(mode, user, path, fields, proof));
    if (right.length === 0 || !this.#fresh(mode, name, fields)) {
      this.#deps.limiter.failed(address);
      return proofFailed(mode);
    }
    this.#proven.set(request, right);
    return undefined;
  }

  /** A guard that lets in what this connection has proven, and asks `guard` about everything else. */
  guard(connect: ConnectRequest, guard: Pick<PublishGuard, 'authorize'>): Pick<PublishGuard, 'authorize'> {
    return {
      authorize: async (request: PublishRequest): Promise<PublishAnswer> => {
        const proven = this.#proven.get(connect);
        const user = proven?.find(
          ({ app, name }) => app === request.app && (name === undefined || name === request.name),
        );
        if (user !== undefined) return { ok: true, identity: `user:${user.user}` };
        if (proven === undefined) return guard.authorize(request);
        return { ok: false, code: 'PUBLISH_REFUSED', reason: 'this user may not publish under this name' };
      },
    };
  }

  #proves(
    mode: ChallengeMode,
    { user, password }: User,
    app: string,
    fields: ReadonlyMap<string, string>,
    proof: string,
  ): boolean {
    const field = (name: string): string => fields.get(name) ?? '';
    const expected =
      mode === 'adobe'
        ? adobeProof(md5, { user, password }, this.#salt(user), field('opaque'), field('challenge'))
        : llnwProof(md5, { user, password }, app, field('nonce'), field('nc'), field('cnonce'));
    const [a, b] = [Buffer.from(expected), Buffer.from(proof)];
    return a.length === b.length && timingSafeEqual(a, b);
  }

  /** True the first time that a token of ours comes back while it is young. */
  #fresh(mode: ChallengeMode, user: string, fields: ReadonlyMap<string, string>): boolean {
    const token = fields.get(mode === 'adobe' ? 'opaque' : 'nonce') ?? '';
    const now = this.#deps.now();
    const start = token.slice(0, TIME_LENGTH + RANDOM_LENGTH);
    const made = Number.parseInt(start.slice(0, TIME_LENGTH), 36) * 1000;
    const young = made <= now && now - made <= TOKEN_MS;
    if (!young || token !== this.#signed(user, start) || this.#taken.has(token)) return false;
    for (const [old, until] of this.#taken) {
      if (until > now && this.#taken.size < MAX_TAKEN) break;
      this.#taken.delete(old);
    }
    this.#taken.set(token, made + TOKEN_MS);
    return true;
  }

  #token(user: string): string {
    const time = Math.floor(this.#deps.now() / 1000).toString(36);
    const random = randomBytes(3).toString('base64url');
    return this.#signed(user, time.padStart(TIME_LENGTH, '0') + random);
  }

  #signed(user: string, start: string): string {
    return start + this.#mac(`token ${user} ${start}`).slice(0, MAC_LENGTH);
  }

  /** The same for a name each time, also for names that there are not. */
  #salt(user: string): string {
    return this.#mac(`salt ${user}`).slice(0, 8);
  }

  #mac(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('base64url').slice(0, 22);
  }
}

/** FMLE, and everybody who calls itself that to publish: FFmpeg, librtmp, OBS. */
function isEncoder({ flashVer, properties }: ConnectRequest): boolean {
  return flashVer.startsWith('FMLE') || properties.type === 'nonprivate';
}
