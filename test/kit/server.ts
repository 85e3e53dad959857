import { type RunningServer, startServer } from '../../packages/server/src/app.ts';
import { ConfigStore } from '../../packages/server/src/config/index.ts';
import { createLog } from '../../packages/server/src/observe/index.ts';
import type { Scope } from './scope.ts';

/** A server in this process, on ports of its own, with its addresses and its log. */
export interface TestServer extends RunningServer {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly http: string;
  /** `ws://127.0.0.1:PORT`, without a slash at the end. */
  readonly ws: string;
  /** `rtmp://127.0.0.1:PORT`, without a slash at the end. */
  readonly rtmp: string;
  /** The data folder. */
  readonly data: string;
  /** Lines of the log as objects, oldest first. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
}

/** Starts a server that the scope closes. @param settings e.g. `{ 'hub.reconnectWindowMs': '5000' }`. @param file of the configuration */
export async function startTestServer(
  scope: Scope,
  settings: Readonly<Record<string, string>> = {},
  file?: string,
): Promise<TestServer> {
  const data = scope.tempDir('onair-data');
  const environment: Record<string, string> = {
    ONAIR_DATA: data,
    ONAIR_HTTP_PORT: '0',
    ONAIR_RTMP_PORT: '0',
    ONAIR_TLS_PORT: '0',
    ONAIR_HOST: '127.0.0.1',
    ONAIR_WEBRTC_PORT: '0',
  };
  for (const [path, value] of Object.entries(settings))
    environment[`ONAIR__${path.replaceAll('.', '__')}`] = value;
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level: 'debug',
    format: 'json',
    write: (line) => void lines.push(JSON.parse(line)),
  });
  const config = new ConfigStore({ environment, flags: [], ...(file === undefined ? {} : { file }) });
  const server = await startServer({ config, logger: log.logger, version: 'test' });
  scope.defer(() => server.close());
  const { http, rtmp = 0 } = server.ports;
  return Object.assign(server, {
    http: `http://127.0.0.1:${http}`,
    ws: `ws://127.0.0.1:${http}`,
    rtmp: `rtmp://127.0.0.1:${rtmp}`,
    data,
    log: lines,
  });
}
