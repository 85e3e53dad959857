import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  AuditRecord,
  Cue,
  Health,
  Poll,
  ScheduledEvent,
  ServerInfo,
  SessionInfo,
  StreamInfo,
} from '@onair/contracts/api';
import { problem } from '@onair/contracts/errors';
import { build } from 'vite';
import { WebSocketServer } from 'ws';
import { MockStream } from './mock-stream.ts';

const WEB = fileURLToPath(new URL('../../packages/web', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};
/** The strictest policy under which the pages work; styles in elements are the player's controls. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'";

/** What the stand-in answers; a test changes it at any time and calls {@link MockApi.tell}. */
export interface MockState {
  streams: StreamInfo[];
  sessions: SessionInfo[];
  info: ServerInfo;
  health: Health;
  /** What the operator's console shows. */
  console: {
    cues: readonly Cue[];
    scheduled: readonly ScheduledEvent[];
    polls: readonly Poll[];
    records: readonly AuditRecord[];
  };
  /** Whether callers are taken for the operator. */
  admin: boolean;
  /** The token that signs in. */
  token: string;
  /** Whether `/api/v1/events` exists. */
  events: boolean;
}

/** A stand-in for the server in tests of the pages: the built pages and an API with chosen answers. */
export interface MockApi {
  readonly url: string;
  readonly state: MockState;
  /** Method and path of every call of the API, oldest first. */
  readonly calls: readonly string[];
  /** The media of a stream, made when first asked for; nothing plays before it publishes. */
  media(name: string): MockStream;
  /** Send the list of streams to every page that listens. */
  tell(): void;
  /** Refuse everything until called with false: the server is away. */
  away(gone: boolean): void;
  close(): Promise<void>;
}

/** A stream on air with plausible figures; `more` overrides. */
export function mockStream(name: string, more: Partial<StreamInfo> = {}): StreamInfo {
  const seed = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  const bitrateHistory = Array.from({ length: 60 }, (_, at) =>
    Math.round(4_200_000 + 700_000 * Math.sin((at + seed) / 5) + 250_000 * Math.sin((at * seed) / 3)),
  );
  return {
    name,
    state: 'live',
    since: Date.now() - 754_000,
    publisher: { protocol: 'rtmp', encoder: 'OBS 31.0', since: Date.now() - 754_000 },
    tracks: [
      {
        kind: 'video',
        codec: 'h264',
        codecString: 'avc1.64001f',
        width: 1280,
        height: 720,
        frameRate: 30,
        bitrate: 4_200_000,
      },
      {
        kind: 'audio',
        codec: 'aac',
        codecString: 'mp4a.40.2',
        sampleRate: 48_000,
        channels: 2,
        bitrate: 128_000,
      },
    ],
    viewers: 12,
    viewersByTransport: { 'ws-fmp4': 9, hls: 3 },
    bytesIn: 395_000_000,
    bytesOut: 4_700_000_000,
    bitrateIn: bitrateHistory.at(-1) ?? 0,
    bitrateHistory,
    epoch: 1,
    ...more,
  };
}

/** A viewer's session with plausible figures; `more` overrides. */
export function mockSession(id: string, more: Partial<SessionInfo> = {}): SessionInfo {
  return {
    id,
    kind: 'viewer',
    protocol: 'ws-fmp4',
    stream: 'live/test',
    address: '192.168.1.23',
    since: Date.now() - 125_000,
    bytes: 61_000_000,
    bitrate: 4_300_000,
    dropped: 0,
    skips: 0,
    backlogMs: 0,
    backlogBytes: 0,
    agent: 'Chromium 156',
    ...more,
  };
}

/** What an operator's console shows after a while. */
export function mockConsole(): MockState['console'] {
  const event = { id: 'e', name: 'cm-in', time: 61_000_000, duration: 30_000_000, data: null };
  const stream = 'live/test';
  return {
    cues: [
      { id: 'cm-in', name: 'cm-in', form: 'plain', duration: 30, key: '1' },
      { id: 'goal', label: 'Goal!', name: 'goal', form: 'plain', duration: 0 },
      { id: 'quiz', name: 'quiz', form: 'quiz', duration: 20, key: '5' },
    ],
    scheduled: [{ stream, event, by: 'operator', due: Date.now() + 600_000, of: 'wall' }],
    polls: [
      {
        id: 'q',
        stream,
        kind: 'quiz',
        question: 'Which team scores next?',
        choices: ['Blue', 'Red'],
        counts: [3, 5],
        since: Date.now(),
        closed: false,
        correct: 1,
      },
    ],
    records: [
      { action: 'fire', stream, event, by: 'operator', address: '127.0.0.1', at: Date.now() },
      { action: 'fail', stream, event, by: 'key:ab', address: '::1', at: 5, detail: 'not on air' },
    ],
  };
}

function initialState(): MockState {
  return {
    streams: [],
    sessions: [],
    console: { cues: [], scheduled: [], polls: [], records: [] },
    info: {
      version: '0.1.0',
      nodeTime: Date.now(),
      ports: { http: 8080, rtmp: 1935 },
      admin: false,
      keyNeeded: false,
      demoAccount: false,
    },
    health: {
      status: 'ok',
      uptime: 8130,
      live: 1,
      publishers: 1,
      viewers: 12,
      eventLoopDelayMs: 1.8,
      memoryBytes: 118_000_000,
      cpuSeconds: 40,
    },
    admin: false,
    token: 'let-me-in',
    events: true,
  };
}

async function body(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Build the pages into `folder`, as a server would get them. */
export async function buildPages(folder: string): Promise<void> {
  for (const config of ['vite.config.ts', 'vite.player.config.ts']) {
    await build({ root: WEB, configFile: join(WEB, config), logLevel: 'error', build: { outDir: folder } });
  }
}

async function page(folder: string, path: string, response: ServerResponse): Promise<void> {
  const first = path.split('/')[1] ?? '';
  const file =
    extname(path) !== ''
      ? normalize(path)
      : first === ''
        ? 'index.html'
        : `${first === 'recorder' ? 'studio' : first}.html`;
  const send = async (name: string, status: number): Promise<void> => {
    const bytes = await readFile(join(folder, name));
    response
      .writeHead(status, {
        'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
        'content-security-policy': PAGE_POLICY,
      })
      .end(bytes);
  };
  await send(file, 200).catch(() => send('404.html', 404));
}

/** Start the stand-in on a free port of loopback. @param folder the built pages, see {@link buildPages} */
export async function startMockApi(folder = join(WEB, 'dist')): Promise<MockApi> {
  const state = initialState();
  const listeners = new Set<ServerResponse>();
  const calls: string[] = [];
  let gone = false;

  const list = (): string => JSON.stringify({ streams: state.streams });
  const refuse = (response: ServerResponse): void => json(response, problem('AUTH_REQUIRED'), 401);

  const answer = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    calls.push(`${request.method} ${path}`);
    const route = `${request.method} ${path.replace(/^\/api\/v1/, '')}`;
    const kicked = /^DELETE \/sessions\/(.+)$/.exec(route)?.[1];
    if (route === 'GET /streams') json(response, { streams: state.streams });
    else if (route === 'GET /info')
      json(response, { ...state.info, nodeTime: Date.now(), admin: state.admin });
    else if (route === 'GET /health') json(response, state.health);
    else if (route === 'GET /cues') json(response, { cues: state.console.cues });
    else if (route === 'GET /schedule') json(response, { scheduled: state.console.scheduled });
    else if (route === 'GET /polls') json(response, { polls: state.console.polls });
    else if (route === 'GET /event-log') json(response, { records: state.console.records });
    else if (route === 'GET /session') json(response, { admin: state.admin });
    else if (route === 'GET /sessions') {
      if (state.admin) json(response, { sessions: state.sessions });
      else refuse(response);
    } else if (route === 'POST /session') {
      const { token, password } = (await body(request)) as { token?: unknown; password?: unknown };
      state.admin = token === state.token || password === 'hogehogeunko';
      if (state.admin) json(response, { admin: true });
      else json(response, problem('AUTH_FAILED'), 401);
    } else if (route === 'DELETE /session') {
      state.admin = false;
      response.writeHead(204).end();
    } else if (kicked !== undefined) {
      state.sessions = state.sessions.filter((session) => session.id !== decodeURIComponent(kicked));
      response.writeHead(204).end();
    } else if (route === 'GET /events' && state.events) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(`retry: 500\nevent: streams\ndata: ${list()}\n\n`);
      listeners.add(response);
      response.on('close', () => listeners.delete(response));
    } else json(response, problem('NOT_FOUND'), 404);
  };

  const server = createServer((request, response) => {
    if (gone) {
      request.socket.destroy();
      return;
    }
    const path = new URL(request.url ?? '/', 'http://mock').pathname;
    const done = path.startsWith('/api/') ? answer(request, response, path) : page(folder, path, response);
    done.catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const media = new Map<string, MockStream>();
  const mediaOf = (name: string): MockStream => {
    const stream = media.get(name) ?? new MockStream(name);
    media.set(name, stream);
    return stream;
  };
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://mock');
    const name = /^\/(.+)\.fmp4$/.exec(url.pathname)?.[1];
    if (gone || name === undefined) socket.destroy();
    else sockets.handleUpgrade(request, socket, head, (viewer) => mediaOf(name).accept(viewer, url));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    state,
    calls,
    media: mediaOf,
    tell() {
      for (const listener of listeners) listener.write(`event: streams\ndata: ${list()}\n\n`);
    },
    away(value) {
      gone = value;
      if (gone) server.closeAllConnections();
    },
    async close() {
      for (const stream of media.values()) stream.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
