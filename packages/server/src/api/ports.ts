import type {
  AuditRecord,
  Cue,
  Field,
  KeyInfo,
  Poll,
  PushInfo,
  ScheduledEvent,
  SessionInfo,
  StreamInfo,
} from '@onair/contracts';
import type { RelayTreeInfo } from '@onair/contracts/relay';
import type { RoomInfo, RoomStage } from '@onair/contracts/rooms';
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
  /** Lets a session go on with another stream; false if there is none, or it cannot. */
  move(id: string, to: StreamName): boolean;
}

/** Who asks for an event. */
export interface EventAuthor {
  readonly by: string;
  readonly address: string;
}

/** Timed events, as the API needs them. */
export interface TimedEvents {
  /** What was done, newest first. */
  readonly records: readonly AuditRecord[];
  /** Events to come or going on; undefined if there is no such stream. */
  standing(stream: StreamName): readonly TimedEvent[] | undefined;
  /** @throws DecodeError, HubError. */
  fire(stream: StreamName, request: Field, author: EventAuthor): TimedEvent;
  /** Events that wait for their time. */
  readonly scheduled: readonly ScheduledEvent[];
  /** False if no event of this id waits. */
  cancel(stream: StreamName, id: string, author: EventAuthor): boolean;
  /** Buttons of the console. */
  readonly cues: readonly Cue[];
  setCues(cues: readonly Cue[]): Promise<void>;
  /** Questions to the viewers, newest first. @param all with right answers that viewers must not know yet */
  polls(all: boolean, stream?: StreamName): readonly Poll[];
  /** @throws Error with a `code` of the registry if the answer is not taken. */
  vote(stream: StreamName, id: string, choice: number, voter: Voter): Poll;
  /** undefined if there is no such question. */
  endPoll(stream: StreamName, id: string, author: EventAuthor): Poll | undefined;
}

/** Who answers a question. */
export interface Voter {
  readonly token: string;
  readonly address: string;
}

/** The relay trees, as the API needs them. */
export interface RelayTrees {
  tree(stream: StreamName): RelayTreeInfo;
}

/** Rooms, as the API needs them. */
export interface RoomService {
  list(): readonly RoomInfo[];
  /** Says what is done with the talk of a room from now on; undefined if nobody talks there. */
  stageRoom(room: string, wish: Partial<RoomStage>): RoomStage | undefined;
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
  readonly relay: RelayTrees;
  readonly rooms: RoomService;
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

/** Every stream as everybody may see it. Talks are seen only where their room shows them to everybody. */
export function publicStreams({ streams, rooms }: Pick<ApiDeps, 'streams' | 'rooms'>): StreamInfo[] {
  const all = streams.list();
  if (!all.some(({ name }) => isTalk(name))) return all.map(publicStream);
  const shown = new Set(rooms.list().map(({ stream }) => stream));
  return all.filter(({ name }) => !isTalk(name) || shown.has(name)).map(publicStream);
}

function isTalk(name: string): boolean {
  return name.startsWith('rooms/');
}
