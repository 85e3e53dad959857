import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import type { Scope } from './scope.ts';
import { until } from './until.ts';

const bin = fileURLToPath(new URL('../../packages/server/bin/onair.js', import.meta.url));

/** `onair serve` in a process of its own, which can be killed. */
export interface ServedChild {
  readonly child: Child;
  /** `http://127.0.0.1:PORT`. */
  readonly http: string;
  /** Lines of the log as objects, oldest first. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
}

/** Starts the built command on free ports. The scope ends it. */
export async function serveChild(
  scope: Scope,
  data: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServedChild> {
  const env = {
    ...process.env,
    ONAIR_DATA: data,
    ONAIR_HOST: '127.0.0.1',
    ONAIR_HTTP_PORT: '0',
    ONAIR_RTMP_PORT: '0',
    ONAIR_TLS_PORT: '0',
    ONAIR_LOG: 'json',
    ...environment,
  };
  const child = new Child('onair', process.execPath, [bin, 'serve'], { env });
  scope.defer(() => child.stop('SIGKILL').then(() => undefined));
  const log: Record<string, unknown>[] = [];
  let text = '';
  child.stdout.on('data', (part) => {
    const lines = (text + String(part)).split('\n');
    text = lines.pop()!;
    for (const line of lines) log.push(JSON.parse(line) as Record<string, unknown>);
  });
  const first = await until(() => log.find(({ msg }) => msg === 'listening'), {
    timeoutMs: 30_000,
    message: () => `listening: ${child.errorLines.join('\n')}`,
  });
  const { http } = first.ports as { http: number };
  return { child, http: `http://127.0.0.1:${http}`, log };
}
