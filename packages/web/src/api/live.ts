import { decodeStreamList, type ServerInfo, type StreamInfo } from '@onair/contracts/api';
import { type ReadonlySignal, signal } from '@preact/signals';
import { API, ApiClient } from './api-client.ts';

/** How the page hears of changes: not yet, by events, by asking again and again, or not at all. */
export type Link = 'connecting' | 'events' | 'polling' | 'lost';

/** Milliseconds between two questions where events do not come through. */
export const POLL_INTERVAL = 2000;

/** What {@link followStreams} needs from its surroundings. */
export interface LiveSources {
  readonly api: Pick<ApiClient, 'streams'>;
  /** Opens the event stream of an address; left out where only asking will do. */
  readonly open?: (url: string) => EventSource;
  /** Whether somebody sees the page; by default always. */
  readonly visible?: { now(): boolean; onChange(listener: () => void): void };
}

/** The list of streams, kept up to date. */
export interface LiveStreams {
  /** undefined until the first answer. */
  readonly streams: ReadonlySignal<readonly StreamInfo[] | undefined>;
  readonly link: ReadonlySignal<Link>;
  close(): void;
}

/**
 * Keep a list of streams up to date while the page is seen: by server-sent events, or by asking where those are not
 * to be had. A hidden page lets go of its connection, since a browser opens only six to one server (HTTP/1.1).
 */
export function followStreams({ api, open, visible }: LiveSources): LiveStreams {
  const streams = signal<readonly StreamInfo[] | undefined>(undefined);
  const link = signal<Link>('connecting');
  let events: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0; // rises whenever what went on before is no longer wanted

  const poll = async (mine: number): Promise<void> => {
    try {
      const answer = await api.streams();
      if (mine !== turn) return;
      streams.value = answer;
      link.value = 'polling';
    } catch {
      if (mine === turn) link.value = 'lost';
    }
    if (mine === turn) timer = setTimeout(poll, POLL_INTERVAL, mine);
  };
  const listen = (source: EventSource, mine: number): void => {
    source.addEventListener('streams', (event) => {
      try {
        streams.value = decodeStreamList(JSON.parse(event.data)).streams;
        link.value = 'events';
      } catch {
        link.value = 'lost'; // another version of the server; a reload brings its pages
      }
    });
    source.addEventListener('error', () => {
      if (mine !== turn) return;
      if (source.readyState === 2) void poll(mine);
      else link.value = 'lost';
    });
  };
  const stop = (): void => {
    turn++;
    clearTimeout(timer);
    events?.close();
    events = undefined;
  };
  const begin = (): void => {
    stop();
    if (visible?.now() === false) return;
    if (open === undefined) void poll(turn);
    else {
      events = open(`${API}/events`);
      listen(events, turn);
    }
  };
  visible?.onChange(begin);
  begin();
  return { streams, link, close: stop };
}

/** The API of the server that the page came from. */
export const api = new ApiClient();

const pageVisible = {
  now: () => !document.hidden,
  onChange: (listener: () => void) => document.addEventListener('visibilitychange', listener),
};

let shared: LiveStreams | undefined;

/**
 * The list of streams of the server that the page came from; followed from the first call on.
 * @param by `polling` at the first call for a page that needs every connection for media
 */
export function live(by: 'events' | 'polling' = 'events'): LiveStreams {
  shared ??= followStreams({
    api,
    visible: pageVisible,
    ...(by === 'events' ? { open: (url) => new EventSource(url) } : {}),
  });
  return shared;
}

/** What the server is; undefined until {@link loadInfo} has its answer. */
export const info = signal<ServerInfo | undefined>(undefined);
/** The server's clock minus this machine's, milliseconds. */
export const clockOffset = signal(0);

/** Ask the server what it is, again and again until it answers. */
export async function loadInfo(): Promise<void> {
  for (;;) {
    const asked = Date.now();
    try {
      const answer = await api.info();
      clockOffset.value = answer.nodeTime - (asked + Date.now()) / 2;
      info.value = answer;
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
    }
  }
}

/** The server's wall clock, milliseconds since 1970; changes once a second. */
export const serverNow = signal(Date.now());

/** Keep {@link serverNow} going. */
export function runClock(): void {
  setInterval(() => {
    serverNow.value = Date.now() + clockOffset.value;
  }, 1000);
}
