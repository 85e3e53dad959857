import type { KeyInfo, SessionInfo, StreamInfo } from '@onair/contracts';
import type { StreamName } from '@onair/media';
import type { AdminGuard, PublishGuard, StreamKeyStore } from '../auth/index.ts';
import type { Config } from '../config/index.ts';
import type { ClientReader } from '../net/index.ts';
import type { LoopDelay, Metrics } from '../observe/index.ts';

/** The streams, as the API needs them. */
export interface StreamService {
  /** Every stream, with everything that operators may see. */
  list(): readonly StreamInfo[];
  find(name: StreamName): StreamInfo | undefined;
  /** Ends the publication of a stream; false if it has none. */
  kick(name: StreamName, reason: string): boolean;
  /** Calls `listener` when a stream appears, changes its state or goes, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

/** The sessions, as the API needs them. */
export interface SessionService {
  list(): readonly SessionInfo[];
  find(id: string): SessionInfo | undefined;
  /** Ends a session; false if there is none with this id. */
  kick(id: string, reason: string): boolean;
}

/** Ports that are open. */
export interface OpenPorts {
  readonly http: number;
  readonly rtmp?: number;
  readonly tls?: number;
  /** UDP. */
  readonly webrtc?: number;
}

/** What the API stands on. */
export interface ApiDeps {
  /** Settings in force at the moment. */
  config(): Config;
  readonly admin: AdminGuard;
  readonly guard: PublishGuard;
  readonly keys: StreamKeyStore;
  readonly streams: StreamService;
  readonly sessions: SessionService;
  readonly client: ClientReader;
  readonly metrics: Metrics;
  readonly loop: LoopDelay;
  readonly version: string;
  ports(): OpenPorts;
  /** True once the server has begun to close its sessions. */
  stopping(): boolean;
}

/** A stored key as the API shows it: without the hash. */
export function shownKey({ id, app, name, label, created }: KeyInfo): KeyInfo {
  return {
    id,
    app,
    ...(name === undefined ? {} : { name }),
    ...(label === undefined ? {} : { label }),
    created,
  };
}

/** A stream as everybody may see it: without addresses and session ids. */
export function publicStream(stream: StreamInfo): StreamInfo {
  const { publisher } = stream;
  if (publisher === undefined) return stream;
  const { protocol, since, encoder } = publisher;
  return { ...stream, publisher: { protocol, since, ...(encoder === undefined ? {} : { encoder }) } };
}
