import { Field } from './decode.ts';

/** State of the whole server. */
export interface Health {
  /** `ok`, or `stopping` while it closes its sessions. */
  readonly status: 'ok' | 'stopping';
  /** Seconds since the start. */
  readonly uptime: number;
  /** Streams with a publisher. */
  readonly live: number;
  readonly publishers: number;
  readonly viewers: number;
  /** 99th percentile of the event loop's delay over the last seconds, milliseconds. */
  readonly eventLoopDelayMs: number;
  /** Resident memory, bytes. */
  readonly memoryBytes: number;
  /** Processor time used since the start, user and system together, seconds. */
  readonly cpuSeconds: number;
}

/** What the server is and where it listens. */
export interface ServerInfo {
  readonly version: string;
  /** The server's wall clock, milliseconds since 1970. */
  readonly nodeTime: number;
  /** Ports that are open. */
  readonly ports: {
    readonly http: number;
    readonly rtmp?: number;
    /** RTMP over TLS alone. */
    readonly rtmps?: number;
    readonly tls?: number;
  };
  /** Address that an encoder publishes to, without the stream's name; the host as the client named it. */
  readonly publishUrl?: string;
  /** True if the request came with the operator's rights. */
  readonly admin: boolean;
  /** True if an encoder at the address of the request needs a stream key. */
  readonly keyNeeded: boolean;
  /** True if the account for trying out may sign in from the address of the request. */
  readonly demoAccount: boolean;
}

/** A stream that is sent on to another server. */
export interface PushInfo {
  /** `APP/NAME`. */
  readonly stream: string;
  /** Host of the target; the rest of its address may be secret. */
  readonly host: string;
  /** `waiting` for the stream, `connecting`, `live`, or `failed` until the next attempt. */
  readonly state: 'waiting' | 'connecting' | 'live' | 'failed';
  /** Since when, milliseconds since 1970. */
  readonly since: number;
  /** Attempts that failed in a row. */
  readonly failures: number;
  /** Why the last one failed. */
  readonly reason?: string | undefined;
  /** When the next attempt begins, milliseconds since 1970. */
  readonly retryAt?: number | undefined;
}

/** A stream key without its secret. */
export interface KeyInfo {
  readonly id: string;
  /** Application that the key opens. */
  readonly app: string;
  /** Stream that the key opens; absent for every stream of the application. */
  readonly name?: string;
  /** Whose key it is, in the operator's words. */
  readonly label?: string;
  /** Milliseconds since 1970. */
  readonly created: number;
}

/** A stream key just made: the only time its secret is shown. */
export interface NewKey extends KeyInfo {
  readonly key: string;
}

/** Body of `POST /api/v1/keys`. */
export interface KeyRequest {
  readonly app: string;
  readonly name?: string;
  readonly label?: string;
}

/** Body of `GET /api/v1/session`: who asks. */
export interface SignInState {
  readonly admin: boolean;
}

/** Reads a {@link Health}. @throws DecodeError */
export function decodeHealth(value: unknown): Health {
  const field = new Field(value);
  return {
    status: field.at('status').oneOf(['ok', 'stopping']),
    uptime: field.at('uptime').number(0),
    live: field.at('live').count(),
    publishers: field.at('publishers').count(),
    viewers: field.at('viewers').count(),
    eventLoopDelayMs: field.at('eventLoopDelayMs').number(0),
    memoryBytes: field.at('memoryBytes').count(),
    cpuSeconds: field.at('cpuSeconds').number(0),
  };
}

/** Reads a {@link ServerInfo}. @throws DecodeError */
export function decodeServerInfo(value: unknown): ServerInfo {
  const field = new Field(value);
  const ports = field.at('ports');
  return {
    version: field.at('version').string(),
    nodeTime: field.at('nodeTime').number(0),
    ports: {
      http: ports.at('http').count(),
      ...ports.optional('rtmp', (f) => f.count()),
      ...ports.optional('rtmps', (f) => f.count()),
      ...ports.optional('tls', (f) => f.count()),
    },
    ...field.optional('publishUrl', (f) => f.string()),
    admin: field.at('admin').boolean(),
    keyNeeded: field.at('keyNeeded').boolean(),
    demoAccount: field.at('demoAccount').boolean(),
  };
}

/** Reads a {@link KeyInfo} from a parsed JSON value or a field of one. @throws DecodeError */
export function decodeKeyInfo(input: unknown): KeyInfo {
  const field = input instanceof Field ? input : new Field(input);
  return {
    id: field.at('id').string(),
    app: field.at('app').string(64),
    ...field.optional('name', (f) => f.string(64)),
    ...field.optional('label', (f) => f.string()),
    created: field.at('created').number(0),
  };
}

/** Reads a {@link NewKey}. @throws DecodeError */
export function decodeNewKey(value: unknown): NewKey {
  return { ...decodeKeyInfo(value), key: new Field(value).at('key').string() };
}

/** Reads the body of `GET /api/v1/keys`. @throws DecodeError */
export function decodeKeyList(value: unknown): { readonly keys: readonly KeyInfo[] } {
  return { keys: new Field(value).at('keys').list(decodeKeyInfo) };
}

/** Reads a {@link SignInState}. @throws DecodeError */
export function decodeSignInState(value: unknown): SignInState {
  return { admin: new Field(value).at('admin').boolean() };
}
