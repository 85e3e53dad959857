import { join } from 'node:path';
import { type RunningServer, startServer } from '../app.ts';
import { TOKEN_FILE } from '../auth/index.ts';
import { ConfigStore } from '../config/index.ts';
import { channels, createLog, type Log } from '../observe/index.ts';
import { configSources, type ServeFlags } from './settings.ts';
import { serverUrls, startScreen } from './start-screen.ts';
import { installedVersion } from './version.ts';
import { keepYoungHeap } from './young-heap.ts';

/** How long sessions have to end after the first signal, milliseconds. */
const STOP_DEADLINE_MS = 3000;
/** Longest time from the first signal to the end of the process, milliseconds. */
const EXIT_DEADLINE_MS = 8000;

/** Runs the server until a signal ends it. @throws ConfigError, or why a port or the data folder cannot be used. */
export async function serve(flags: ServeFlags): Promise<void> {
  const config = new ConfigStore(configSources(flags));
  // The first line of the log tells the ports; whatever the start itself logs comes behind it.
  const log = createLog({ ...config.current.log, hold: true });
  followConfig(config, log);
  let server: RunningServer;
  try {
    server = await startServer({ config, logger: log.logger, version: installedVersion() });
  } catch (error) {
    log.release();
    log.flush();
    config.close();
    throw error;
  }
  keepYoungHeap();
  // First: who has read that it listens may end it.
  const stopped = untilStopped(server, config, log);
  announce(server, config, log);
  if (!config.watch()) log.logger.warn('the configuration file cannot be watched; SIGHUP reloads it');
  await stopped;
}

function announce(server: RunningServer, config: ConfigStore, log: Log): void {
  const { ports, freshToken } = server;
  const version = installedVersion();
  const urls = serverUrls({ config: config.current, ports, freshToken });
  const tokenFile = join(config.current.data, TOKEN_FILE);
  if (log.format === 'pretty') {
    const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
    process.stdout.write(startScreen(version, urls, tokenFile, colour));
    log.release();
    return;
  }
  const { signIn, ...open } = urls;
  // Held lines are behind this one: the sink is the same, and nothing was written to it so far.
  log.first({ ports, urls: open, version, pid: process.pid, tokenFile }, 'listening');
  // A log is kept and passed on; what opens the operator's pages goes to the person who started the server.
  if (signIn !== undefined) process.stderr.write(`Sign in as operator, shown once: ${signIn}\n`);
}

function followConfig(config: ConfigStore, log: Log): void {
  config.listen({
    changed({ applied, waiting, current }) {
      log.setLevel(current.log.level);
      channels.configReloaded.publish({ ok: true });
      log.logger.info({ applied, waiting }, 'configuration reloaded');
    },
    refused(error) {
      channels.configReloaded.publish({ ok: false });
      log.logger.error({ faults: error.faults }, 'configuration refused, the old one stays');
    },
  });
  process.on('SIGHUP', () => config.reload());
}

/** Waits for SIGINT or SIGTERM and ends everything; a second signal ends the process at once. */
function untilStopped(server: RunningServer, config: ConfigStore, log: Log): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const end = (code: number): void => {
      log.flush();
      process.exit(code);
    };
    const stop = (signal: NodeJS.Signals | 'fault', code: number): void => {
      if (stopping) {
        log.logger.warn({ signal }, 'stopped at once');
        end(code === 0 ? 130 : code);
        return;
      }
      stopping = true;
      log.logger.info({ signal }, 'stopping');
      setTimeout(() => {
        log.logger.error('sessions did not end in time');
        end(1);
      }, EXIT_DEADLINE_MS).unref();
      config.close();
      server
        .close(STOP_DEADLINE_MS)
        .then(() => log.logger.info('stopped'))
        .catch((error: unknown) => log.logger.error({ err: error }, 'stopped with a fault'))
        .finally(() => {
          resolve();
          end(code);
        });
    };
    process.on('SIGINT', () => stop('SIGINT', 0));
    process.on('SIGTERM', () => stop('SIGTERM', 0));
    process.on('unhandledRejection', (error) => log.logger.error({ err: error }, 'unhandled rejection'));
    process.on('uncaughtException', (error) => {
      log.logger.fatal({ err: error }, 'uncaught exception');
      stop('fault', 1);
    });
  });
}
