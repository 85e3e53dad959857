import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type Sample, streamName } from '@onair/media';
import { type Config, loadConfig } from '../../packages/server/src/config/index.ts';
import { registerHlsRoutes } from '../../packages/server/src/egress/hls/index.ts';
import { SessionTable, StreamRegistry } from '../../packages/server/src/hub/index.ts';
import { createHttpServer } from '../../packages/server/src/net/index.ts';
import { createLog } from '../../packages/server/src/observe/index.ts';
import { cmafPackagerKind } from '../../packages/server/src/packager/cmaf/index.ts';
import {
  DEFAULT_HLS_OPTIONS,
  type HlsOptions,
  hlsPackagerKind,
} from '../../packages/server/src/packager/hls/index.ts';
import { FakeClock } from './fake-clock.ts';
import { source } from './hls-source.ts';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

const open: (() => Promise<void>)[] = [];

/** Closes every server of {@link hlsServer}. */
export async function closeHlsServers(): Promise<void> {
  for (const close of open.splice(0)) await close();
}

/** A server that speaks HLS alone, with one stream and a clock that the test moves. */
export async function hlsServer(options: Partial<HlsOptions> = {}, endedMs = 60_000) {
  const clock = new FakeClock();
  const sessions = new SessionTable(
    () => clock.wall(),
    () => String(Math.random()),
  );
  const base = loadConfig({});
  const config: Config = { ...base, http: { ...base.http, host: '127.0.0.1', port: 0 } };
  const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });
  const server = createHttpServer({ config: () => config, logger, pagesFolder: '/nowhere' });
  const kind = hlsPackagerKind(cmafPackagerKind(), clock, () => ({ ...DEFAULT_HLS_OPTIONS, ...options }));
  const registry = new StreamRegistry({ clock, eager: [kind] });
  registry.policy = { ...registry.policy, endedLingerMs: 5_000 };
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = (message: string, fields: Readonly<Record<string, unknown>>): void =>
    void lines.push({ message, ...fields });
  const routes = registerHlsRoutes(server, {
    registry,
    sessions,
    log,
    kindOf: () => kind,
    clock,
    endedMs: () => endedMs,
  });
  const port = await server.listen();
  open.push(async () => {
    routes.close('test over');
    registry.close('test over');
    await server.close(0);
  });
  const stream = registry.open(streamName('live', 'test'));
  const detach = stream.attach();
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            text: body.toString(),
          });
        });
      });
      request.on('error', reject).end();
    });
  const publication = () => {
    const made = registry.publish(stream.name, { protocol: 'test', revoked: () => {} });
    made.promise({ audio: true, video: true });
    return made;
  };
  const samples = source({ seconds: 60, bytes: 500 });
  let running: ReturnType<typeof publication> | undefined;
  let next = 0;
  /** Publishes on until `seconds` of media time. */
  const until = (seconds: number, again = false): void => {
    if (running === undefined || again) {
      running = publication();
      for (const track of new Set(samples.map(({ sample }) => sample.track))) running.setTrack(track);
    }
    for (; next < samples.length && samples[next]!.at < seconds * 1000; next++) {
      clock.advance(Math.max(0, samples[next]!.at + 1000 - clock.now()));
      running.push(samples[next]!.sample as Sample);
    }
  };
  const packager = () => stream.packager(kind);
  return { detach, clock, registry, stream, sessions, routes, server, port, get, until, packager, lines };
}
