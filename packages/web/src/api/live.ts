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
  /** Opens the event stream of an address. */
  readonly open: (url: string) => EventSource;
}

/** The list of streams, kept up to date. */
export interface LiveStreams {
  /** undefined until the first answer. */
  readonly streams: ReadonlySignal<readonly StreamInfo[] | undefined>;
  readonly link: ReadonlySignal<Link>;
  close(): void;
}

/** Keep a list of streams up to date: by server-sent events, or by asking where those are not to be had. */
export function followStreams({ api, open }: LiveSources): LiveStreams {
  const streams = signal<readonly StreamInfo[] | undefined>(undefined);
  const link = signal<Link>('connecting');
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  const poll = async (): Promise<void> => {
    try {
      streams.value = await api.streams();
      link.value = 'polling';
    } catch {
      link.value = 'lost';
    }
    if (!closed) timer = setTimeout(poll, POLL_INTERVAL);
  };

  const events = open(`${API}/events`);
  events.addEventListener('streams', (event) => {
    try {
      streams.value = decodeStreamList(JSON.parse(event.data)).streams;
      link.value = 'events';
    } catch {
      link.value = 'lost'; // another version of the server; a reload brings its pages
    }
  });
  events.addEventListener('error', () => {
    if (events.readyState === 2) {
      if (timer === undefined) void poll();
    } else {
      link.value = 'lost';
    }
  });

  return {
    streams,
    link,
    close() {
      closed = true;
      events.close();
      clearTimeout(timer);
    },
  };
}

/** The API of the server that the page came from. */
export const api = new ApiClient();

let shared: LiveStreams | undefined;

/** The list of streams of the server that the page came from; followed from the first call on. */
export function live(): LiveStreams {
  shared ??= followStreams({ api, open: (url) => new EventSource(url) });
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
