import {
  decodeHealth,
  decodeServerInfo,
  decodeSessionList,
  decodeSignInState,
  decodeStreamList,
  type Health,
  type ServerInfo,
  type SessionInfo,
  type SignInState,
  type StreamInfo,
} from '@onair/contracts/api';
import type { ErrorCode } from '@onair/contracts/errors';

/** The server answered with an error. */
export class ApiFault extends Error {
  override readonly name = 'ApiFault';
  /** HTTP status. */
  readonly status: number;
  /** The code of the problem document; undefined if the answer was none. */
  readonly code: ErrorCode | undefined;

  constructor(status: number, body: unknown) {
    const { code, detail, title } = fields(body);
    super(String(detail ?? title ?? `the server answered ${status}`));
    this.status = status;
    // Compared with known codes only, so an unknown one needs no check; the registry's texts stay out of the pages.
    this.code = typeof code === 'string' ? (code as ErrorCode) : undefined;
  }
}

/** Where the API lives on every server. */
export const API = '/api/v1';
/** Milliseconds after which an answer is no longer awaited. */
export const ANSWER_DEADLINE = 10_000;
/** Most pages of sessions that are read for one table. */
const MAX_SESSION_PAGES = 10;

/** The server's API, as far as the pages need it. Answers are checked; each call may throw {@link ApiFault}. */
export class ApiClient {
  readonly #fetch: typeof fetch;

  constructor(use: typeof fetch = (input, init) => fetch(input, init)) {
    this.#fetch = use;
  }

  /** Every stream that the caller may see. */
  async streams(): Promise<readonly StreamInfo[]> {
    return decodeStreamList(await this.ask('GET', '/streams')).streams;
  }

  /** What the server is and where to publish. */
  async info(): Promise<ServerInfo> {
    return decodeServerInfo(await this.ask('GET', '/info'));
  }

  /** State of the whole server. */
  async health(): Promise<Health> {
    return decodeHealth(await this.ask('GET', '/health'));
  }

  /** Every session; for the operator only. */
  async sessions(): Promise<readonly SessionInfo[]> {
    const all: SessionInfo[] = [];
    let after: string | undefined;
    for (let page = 0; page < MAX_SESSION_PAGES; page++) {
      const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
      const list = decodeSessionList(await this.ask('GET', `/sessions${query}`));
      all.push(...list.sessions);
      after = list.next;
      if (after === undefined) break;
    }
    return all;
  }

  /** End one session; for the operator only. */
  async kick(id: string): Promise<void> {
    await this.ask('DELETE', `/sessions/${encodeURIComponent(id)}`);
  }

  /** Who the server takes the caller for. */
  async whoAmI(): Promise<SignInState> {
    return decodeSignInState(await this.ask('GET', '/session'));
  }

  /** Any resource by its path below the API's; the caller decodes it. */
  async read(path: string): Promise<unknown> {
    return this.ask('GET', path);
  }

  /** Exchange the operator's token for a session cookie. */
  async signIn(token: string): Promise<void> {
    await this.ask('POST', '/session', { token });
  }

  /** Exchange name and password of the account for trying out for a session cookie. */
  async signInAs(user: string, password: string): Promise<void> {
    await this.ask('POST', '/session', { user, password });
  }

  /** Give the session cookie back. */
  async signOut(): Promise<void> {
    await this.ask('DELETE', '/session');
  }

  /** One call of the API, for the pages that need what is not above. @param path below `/api/v1` */
  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await this.#fetch(`${API}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(ANSWER_DEADLINE),
    });
    const text = await response.text();
    const value = parse(text);
    if (!response.ok) throw new ApiFault(response.status, value);
    return value;
  }
}

function fields(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's page: the status says enough, and a decoder refuses it where it matters
  }
}
