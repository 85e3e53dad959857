import { channels } from '../observe/index.ts';
import type { AdminToken } from './admin-token.ts';
import type { AttemptLimiter } from './attempt-limiter.ts';
import { isDemoAccount } from './demo-account.ts';
import type { SignIns } from './sign-ins.ts';

/** Name of the cookie of a sign-in. */
export const SIGN_IN_COOKIE = 'onair_session';

/** What a request shows to prove that it is the operator's. */
export interface Credentials {
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
  /** The `Cookie` header. */
  readonly cookie: string | undefined;
  /** Remote address without port. */
  readonly address: string;
}

/** Whose request it is. */
export type Identity =
  | { readonly kind: 'admin'; readonly by: 'token' | 'cookie' }
  | { readonly kind: 'anonymous' }
  /** Something was shown that is not valid. */
  | { readonly kind: 'wrong' }
  /** Too many failures; nothing was looked at. `retryAfter` in seconds. */
  | { readonly kind: 'limited'; readonly retryAfter: number };

/** What the guard decides by. */
export interface AdminSources {
  readonly token: AdminToken;
  readonly signIns: SignIns;
  readonly limiter: AttemptLimiter;
  /** True while the account for trying out may sign in, from this machine. */
  readonly demoAccount?: () => boolean;
}

/** The secret of a cookie, or why there is none. */
export type SignInAnswer = { readonly secret: string } | Exclude<Identity, { kind: 'admin' }>;

/** Tells the operator from everybody else. */
export class AdminGuard {
  readonly #sources: AdminSources;

  constructor(sources: AdminSources) {
    this.#sources = sources;
  }

  /** Whose request it is. A wrong token counts as a failed attempt, a stale cookie does not. */
  identify({ authorization, cookie, address }: Credentials): Identity {
    const bearer = bearerOf(authorization);
    if (bearer !== undefined) return this.#checkToken(bearer, address);
    const secret = cookieOf(cookie, SIGN_IN_COOKIE);
    if (secret === undefined) return { kind: 'anonymous' };
    return this.#sources.signIns.verify(secret) ? { kind: 'admin', by: 'cookie' } : { kind: 'wrong' };
  }

  /** Exchanges the token for the secret of a cookie. */
  signIn(token: unknown, address: string): SignInAnswer {
    const identity = this.#checkToken(token, address);
    return identity.kind === 'admin' ? { secret: this.#sources.signIns.create() } : identity;
  }

  /** True if the account for trying out is open. @param local the client is on this machine, no proxy between */
  demoAccount(local: boolean): boolean {
    return local && this.#sources.demoAccount?.() === true;
  }

  /** Exchanges name and password of the account for trying out for the secret of a cookie. */
  async signInAs(
    user: string,
    password: string,
    { address, local }: { readonly address: string; readonly local: boolean },
  ): Promise<SignInAnswer> {
    const { limiter, signIns } = this.#sources;
    const retryAfter = limiter.retryAfter(address);
    if (retryAfter > 0) return { kind: 'limited', retryAfter };
    if (!this.demoAccount(local)) return this.#refuse(address);
    // Counted before it is looked at, which takes a while: guesses that come together would all be looked at.
    const takeBack = limiter.failed(address);
    if (!(await isDemoAccount(user, password))) return tellRefused(address);
    takeBack();
    return { secret: signIns.create() };
  }

  /** Ends the sign-in of a cookie. */
  signOut(cookie: string | undefined): void {
    const secret = cookieOf(cookie, SIGN_IN_COOKIE);
    if (secret !== undefined) this.#sources.signIns.remove(secret);
  }

  #checkToken(token: unknown, address: string): Identity {
    const { limiter } = this.#sources;
    const retryAfter = limiter.retryAfter(address);
    if (retryAfter > 0) return { kind: 'limited', retryAfter };
    if (this.#sources.token.verify(token)) return { kind: 'admin', by: 'token' };
    return this.#refuse(address);
  }

  #refuse(address: string): { readonly kind: 'wrong' } {
    this.#sources.limiter.failed(address);
    return tellRefused(address);
  }
}

function tellRefused(address: string): { readonly kind: 'wrong' } {
  channels.accessRefused.publish({ protocol: 'http', address, code: 'AUTH_FAILED' });
  return { kind: 'wrong' };
}

/** The token of an `Authorization: Bearer` header (RFC 6750 §2.1). */
function bearerOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^bearer +([\w.~+/=-]{1,256})$/i.exec(header)?.[1];
}

/** The value of a cookie in a `Cookie` header (RFC 6265 §4.2.1); of several with the name, the first. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  if (header === undefined || header.length > 8192) return undefined;
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}
