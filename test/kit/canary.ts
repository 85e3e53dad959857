import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { startPublisher } from './publisher.ts';
import type { Scope } from './scope.ts';
import { startTestServer, type TestServer } from './server.ts';
import { until } from './until.ts';
import { seenFurther, watchAll, witnesses } from './viewers.ts';
import type { Witness } from './witness.ts';

const FPS = 25;
/** Memory that may be held after an attack beyond what was before, in bytes. */
const MEMORY_SLACK = 24 * 1024 * 1024;
/** Until when memory, sockets and sessions are back, in milliseconds. */
const RECOVERY_MS = 10_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that this process holds, after a garbage collection. */
export function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Sockets open in this process. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

interface Health {
  readonly status: string;
  readonly publishers: number;
  readonly viewers: number;
}

/** A server with one stream that somebody watches by every protocol while others attack. */
export class Canary {
  readonly server: TestServer;
  readonly #viewers: readonly Witness[];
  #before: {
    readonly sockets: number;
    readonly bytes: number;
    readonly log: number;
    readonly health: Health;
  };
  /** What {@link unharmed} found to be held just now. */
  #held: number | undefined;

  private constructor(server: TestServer, viewers: readonly Witness[]) {
    this.server = server;
    this.#viewers = viewers;
    this.#before = { sockets: 0, bytes: 0, log: 0, health: { status: 'ok', publishers: 1, viewers: 4 } };
  }

  /** Starts the server and waits until everybody sees a picture. */
  static async start(scope: Scope, settings: Readonly<Record<string, string>> = {}): Promise<Canary> {
    // What has ended is forgotten at once: what stays is then what should not.
    const server = await startTestServer(scope, { 'hls.endedMs': '0', ...settings });
    await startPublisher(scope, {
      url: `${server.rtmp}/live/canary`,
      fps: FPS,
      gopSeconds: 1,
      size: '160x90',
      bitrate: 100_000,
    });
    const viewers = witnesses(watchAll(scope, server, 'live/canary'));
    await seenFurther(viewers, 1_000);
    const canary = new Canary(server, viewers);
    await canary.rest();
    return canary;
  }

  /** Port of the RTMP listener. */
  get rtmpPort(): number {
    return this.server.ports.rtmp!;
  }

  /** Port of the HTTP listener. */
  get httpPort(): number {
    return this.server.ports.http;
  }

  /** Remembers how things are; an attack comes next. */
  async rest(): Promise<void> {
    this.#before = {
      sockets: openSockets(),
      bytes: this.#held ?? heldBytes(),
      log: this.server.log.length,
      health: await this.health(),
    };
    this.#held = undefined;
  }

  /** Log lines since {@link rest}. */
  get lines(): readonly Readonly<Record<string, unknown>>[] {
    return this.server.log.slice(this.#before.log);
  }

  /** Waits until a line since {@link rest} tells this code or reason. */
  async told(code: string): Promise<void> {
    await until(() => this.lines.some((line) => line.code === code || line.reason === code), {
      message: () => `${code} in the log: ${JSON.stringify(this.lines.slice(-5))}`,
    });
  }

  /** State of the server in its own words; viewers by HLS, who stay for a while after they left, do not count. */
  async health(): Promise<Health> {
    const health = JSON.parse(await this.text('/healthz')) as Health;
    const metrics = await this.text('/metrics');
    let hls = 0;
    for (const [, count] of metrics.matchAll(/^onair_stream_viewers\{[^}]*"hls"[^}]*\} (\d+)/gm))
      hls += Number(count);
    return { ...health, viewers: health.viewers - hls };
  }

  /** What the server answers at a path. The connection does not stay open. */
  async text(path: string): Promise<string> {
    const response = await fetch(this.server.http + path, { headers: { connection: 'close' } });
    return await response.text();
  }

  /**
   * The attack is over and all of its sockets are closed: the viewers have lost nothing and see on, sessions,
   * sockets and memory are where they were, and nothing failed inside.
   */
  async unharmed(): Promise<void> {
    await seenFurther(this.#viewers, 500);
    for (const witness of this.#viewers) {
      expect(witness.faults, witness.name).toEqual([]);
      expect(witness.lostFrames(FPS), witness.name).toBe(0);
    }
    const { bytes, health, sockets } = this.#before;
    await until(() => openSockets() <= sockets, {
      timeoutMs: RECOVERY_MS,
      message: () => `${openSockets()} sockets, ${sockets} before`,
    });
    await until(
      async () => {
        const now = await this.health();
        return now.status === 'ok' && now.publishers === health.publishers && now.viewers === health.viewers;
      },
      { timeoutMs: RECOVERY_MS, message: 'publishers and viewers as before' },
    );
    let held = 0;
    await until(
      () => {
        held = heldBytes();
        return held < bytes + MEMORY_SLACK;
      },
      {
        timeoutMs: RECOVERY_MS,
        everyMs: 500,
        message: () => `${Math.round((held - bytes) / 1024)} KiB more than before`,
      },
    );
    const failed = this.lines.filter(({ level, code }) => level === 'error' || code === 'INTERNAL');
    expect(failed).toEqual([]);
    this.#held = held;
  }
}
