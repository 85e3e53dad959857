import { join } from 'node:path';
import { Child } from './child.ts';
import { freePort, isListening } from './free-port.ts';
import { lastLines } from './report.ts';
import type { Scope } from './scope.ts';
import { until } from './until.ts';

/** Another program may take the chosen port first; so often it is tried again. */
const ATTEMPTS = 3;

/** Starts coturn on loopback, for whoever has a password made with `secret`; it relays to loopback too. Its address. */
export async function startCoturn(scope: Scope, secret: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const folder = scope.tempDir('onair-coturn-');
    const child = new Child('turnserver', 'turnserver', [
      ...['-n', '--no-cli', '--no-tls', '--no-dtls', '--no-multicast-peers', '--allow-loopback-peers'],
      ...['--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`],
      ...['--use-auth-secret', `--static-auth-secret=${secret}`, '--realm=onair.example'],
      ...['--log-file=stdout', `--pidfile=${join(folder, 'pid')}`, `--userdb=${join(folder, 'db')}`],
    ]);
    child.stdout.resume();
    try {
      await until(() => child.exit !== undefined || isListening(port), { message: 'coturn listens' });
      if (child.exit !== undefined) throw new Error(`coturn ended: ${lastLines(child)}`);
    } catch (error) {
      await child.stop('SIGKILL');
      if (attempt === ATTEMPTS) throw error;
      continue;
    }
    scope.defer(() => child.stop('SIGTERM'));
    return `turn:127.0.0.1:${port}?transport=udp`;
  }
}
