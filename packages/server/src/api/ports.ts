import type { Field, KeyInfo, PushInfo, SessionInfo, StreamInfo } from '@onair/contracts';
import type { StreamName, TimedEvent } from '@onair/media';
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

/** Who asks for an event. */
export interface EventAuthor {
  readonly by: string;
  readonly address: string;
}

/** Timed events, as the API needs them. */
export interface TimedEvents {
  /** What somebody asked for, newest first. */
  readonly records: readonly (EventAuthor & {
    readonly stream: StreamName;
    readonly event: TimedEvent;
    readonly at: number;
  })[];
  /** Events to come or going on; undefined if there is no such stream. */
  standing(stream: StreamName): readonly TimedEvent[] | undefined;
  /** @throws DecodeError, HubError. */
  fire(stream: StreamName, request: Field, author: EventAuthor): TimedEvent;
}

/** Ports that are open. */
export interface OpenPorts {
  readonly http: number;
  readonly rtmp?: number;
  readonly rtmps?: number;
  readonly tls?: number;
  /** The further port of the signalling of rooms. */
  readonly rooms?: number;
  /** The WebSocket sample. */
  readonly echo?: number;
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
  readonly events: TimedEvents;
  readonly client: ClientReader;
  readonly metrics: Metrics;
  readonly loop: LoopDelay;
  readonly version: string;
  ports(): OpenPorts;
  /** Streams that are sent on to other servers. */
  pushes(): readonly PushInfo[];
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
