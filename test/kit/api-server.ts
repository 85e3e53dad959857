import { mkdtempSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Poll, SessionInfo, StreamInfo } from '@onair/contracts';
import { RELAY_ROOT } from '../../packages/contracts/src/relay/index.ts';
import { type ApiDeps, registerApi } from '../../packages/server/src/api/index.ts';
import {
  AdminGuard,
  AdminToken,
  AttemptLimiter,
  createPublishGuard,
  FileKeyStore,
  SignIns,
} from '../../packages/server/src/auth/index.ts';
import { type Config, loadConfig } from '../../packages/server/src/config/index.ts';
import { createHttpServer } from '../../packages/server/src/net/index.ts';
import { createLog, createMetrics, LoopDelay } from '../../packages/server/src/observe/index.ts';

/** The one stream that the fake hub has at first. */
export const apiStream: StreamInfo = {
  name: 'live/test',
  state: 'live',
  since: 5,
  publisher: { session: 'sess1', protocol: 'rtmp', address: '192.0.2.7', encoder: 'OBS', since: 5 },
  tracks: [{ kind: 'video', codec: 'h264', codecString: 'avc1.64001f', width: 1280, height: 720 }],
  viewers: 1,
  viewersByTransport: { rtmp: 1 },
  bytesIn: 10,
  bytesOut: 20,
  bitrateIn: 8,
  bitrateHistory: [8],
  epoch: 1,
};
const apiPoll: Poll = {
  id: 'a',
  stream: 'live/test',
  kind: 'quiz',
  question: 'Which?',
  choices: ['one', 'other'],
  counts: [1, 0],
  since: 5,
  closed: false,
};
const session = (id: string, since: number, kind: SessionInfo['kind'] = 'viewer'): SessionInfo => ({
  id,
  kind,
  protocol: 'rtmp',
  stream: 'live/test',
  address: '192.0.2.7',
  since,
  bytes: 1,
  dropped: 0,
  skips: 0,
});

/** A listening API over a fake hub; loopback counts as a proxy, so that tests can come from anywhere. */
export async function openApi(
  settings: { admin?: Partial<Config['admin']>; http?: Partial<Config['http']> } = {},
) {
  const data = mkdtempSync(join(tmpdir(), 'onair-api-'));
  const base = loadConfig({});
  const config: Config = {
    ...base,
    http: { ...base.http, host: '127.0.0.1', port: 0, trustedProxies: ['127.0.0.1'], ...settings.http },
    admin: { ...base.admin, remote: false, ...settings.admin },
  };
  const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });
  const server = createHttpServer({ config: () => config, logger, pagesFolder: join(data, 'pages') });
  const token = AdminToken.open(data);
  const limiter = new AttemptLimiter(
    () => 10,
    () => performance.now(),
  );
  const keys = new FileKeyStore(data);
  const streams = [apiStream];
  const sessions = [session('a', 1), session('b', 2, 'publisher'), session('c', 2)];
  const kicked: string[] = [];
  const listeners = new Set<() => void>();
  const loop = new LoopDelay();
  const metrics = createMetrics({ streams: () => [] }, loop, '9.9.9');
  const state = { stopping: false };
  const deps: ApiDeps = {
    relay: {
      tree: (stream) => ({
        stream,
        enabled: false,
        root_uuid: RELAY_ROOT,
        sent: { blocks: 0, index: 0 },
        relayed: 0,
        nodes: [],
      }),
    },
    events: {
      records: [],
      standing: () => [],
      fire: () => ({ id: 'e', name: 'cm', time: 0, duration: 0, data: null }),
      scheduled: [],
      cancel: () => true,
      cues: [],
      setCues: async () => undefined,
      polls: () => [apiPoll],
      vote: () => apiPoll,
      endPoll: () => apiPoll,
    },
    config: () => config,
    admin: new AdminGuard({ token, signIns: new SignIns(data, 60_000), limiter }),
    guard: createPublishGuard({ config: () => config.auth, keys, limiter }),
    keys,
    streams: {
      list: () => streams,
      find: (name) => streams.find((one) => one.name === name),
      kick: (name) => name === 'live/test' && kicked.push(name) > 0,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    sessions: {
      list: () => sessions,
      find: (id) => sessions.find((one) => one.id === id),
      kick: (id) => sessions.some((one) => one.id === id) && kicked.push(id) > 0,
      move: () => false,
    },
    client: server.client,
    metrics,
    loop,
    version: '9.9.9',
    ports: () => ({ http: 1, rtmp: 1936 }),
    pushes: () => [],
    rooms: {
      list: () => [],
      stageRoom: (room, wish) => (room === 'lesson' ? { stream: true, record: false, ...wish } : undefined),
    },
    stopping: () => state.stopping,
  };
  registerApi(server.fastify, deps);
  const port = await server.listen();
  const bearer = { authorization: `Bearer ${token.fresh}` };
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET', body?: unknown) =>
    askServer(port, path, headers, method, body);
  const close = async (): Promise<void> => {
    await server.close(100);
    loop.close();
    metrics.close();
  };
  return { close, port, ask, bearer, token: token.fresh!, kicked, listeners, streams, state, server, config };
}

/** An answer of the API. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

function askServer(
  port: number,
  path: string,
  headers: Record<string, string>,
  method: string,
  body: unknown,
) {
  return new Promise<ApiAnswer>((resolve, reject) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const request = httpRequest({ port, path, method, headers: { ...json, ...headers } }, (response) => {
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => {
        const parsed =
          text !== '' && /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : {};
        resolve({ status: response.statusCode!, headers: response.headers, body: parsed, text });
      });
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
