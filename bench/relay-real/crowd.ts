import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { decodeRelayTree, type RelayTreeInfo } from '../../packages/contracts/src/relay/index.ts';
import { launchChromium, openPage } from '../../test/kit/chromium.ts';
import { bundlePlayer, PlayerPage } from '../../test/kit/player-page.ts';
import type { Scope } from '../../test/kit/scope.ts';
import { serveChild } from '../../test/kit/serve-child.ts';
import { until } from '../../test/kit/until.ts';
import { buildHost, Host } from './hosts.ts';
import type { ProgramState } from './words.ts';

const STREAM = 'live/bench';

/** How large the audience is. */
export interface CrowdSize {
  /** Peers that are alone in their process, which can be struck; they come first. */
  readonly alone: number;
  /** Peers in processes of several. */
  readonly together: number;
  readonly perHost: number;
  readonly pages: number;
}

/** How things stand at all peers. */
export interface CrowdLook {
  readonly programs: readonly ProgramState[];
  /** Of the viewers that the server feeds, one per process. */
  readonly direct: readonly {
    readonly bytes: number;
    readonly delays: readonly number[];
    readonly stalls: number;
  }[];
  readonly pages: readonly PageLook[];
  readonly busyMs: number;
}

/** A player in Chromium. */
export interface PageLook {
  readonly stalls: number;
  readonly latency: number;
  readonly transport: string;
  readonly position: number;
  readonly reconnects: number;
}

/** The server in a process of its own, its publisher, and an audience of programs and pages. */
export class Crowd {
  readonly hosts: Host[] = [];
  readonly pages: Page[] = [];
  readonly #scope: Scope;
  readonly #source: string;
  #http = '';
  #rtmp = '';
  #token = '';
  #host = '';
  #publisher: { kill(signal: 'SIGKILL'): boolean } | undefined;

  /** @param source file that ffmpeg publishes */
  constructor(scope: Scope, source: string) {
    this.#scope = scope;
    this.#source = source;
  }

  /** Address of the relay for programs. */
  get address(): string {
    return `${this.#http.replace('http', 'ws')}/${STREAM}.relay`;
  }

  /** Starts the server and the publisher. */
  async start(): Promise<void> {
    const data = this.#scope.tempDir('onair-bench-');
    const server = await serveChild(this.#scope, data, {
      ONAIR__relay__enabled: 'true',
      ONAIR__relay__maxChildren: '4',
      // Forty programs share a few cores here: what waits for its turn is not dead. Late blocks come from the server anyway.
      ONAIR__relay__silentMs: '1000',
      ONAIR_WEBRTC_PORT: '0',
    });
    const { ports } = server.log.find(({ msg }) => msg === 'listening') as { ports: { rtmp: number } };
    this.#http = server.http;
    this.#rtmp = `rtmp://127.0.0.1:${ports.rtmp}/${STREAM}`;
    this.#token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
    this.#host = await buildHost();
    this.publish();
    const live = async () => (await this.#ask('')).state === 'live';
    await until(live, { timeoutMs: 20_000, everyMs: 200, message: 'a stream' });
  }

  /** Begins to publish. */
  publish(): void {
    const args = ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', this.#source];
    const child = spawn('ffmpeg', [...args, '-c', 'copy', '-f', 'flv', this.#rtmp], { stdio: 'ignore' });
    this.#publisher = child;
    this.#scope.defer(() => child.kill('SIGKILL'));
  }

  /** The publisher dies. */
  unpublish(): void {
    this.#publisher?.kill('SIGKILL');
  }

  /** Lets everybody in. */
  async gather({ alone, together, perHost, pages }: CrowdSize): Promise<void> {
    for (let n = 0; n < alone; n++) await (await this.newHost()).join(this.address);
    // Their uplinks are known now, so that they get children.
    await this.settled(alone);
    await sleep(2500);
    for (let n = 0; n < together; n++) {
      const host = n % perHost === 0 ? await this.newHost() : this.hosts.at(-1)!;
      await host.join(this.address);
      await sleep(100);
    }
    await this.settled(this.size / 3);
    if (pages === 0) return;
    const bundle = await bundlePlayer();
    this.#scope.defer(bundle.remove);
    const site = new PlayerPage(bundle.dir);
    this.#scope.defer(() => site.close());
    const address = await site.listen();
    const browser = await launchChromium(this.#scope);
    for (let n = 0; n < pages; n++) await this.#openPage(browser, address);
    await this.settled(this.size / 3);
  }

  /** A process for peers. */
  async newHost(): Promise<Host> {
    const host = new Host(this.#scope, this.#host);
    this.hosts.push(host);
    await host.compareWith(`${this.#http.replace('http', 'ws')}/${STREAM}.fmp4`);
    return host;
  }

  /** Peers that should be there. */
  get size(): number {
    return this.hosts.reduce((sum, { uuids }) => sum + uuids.size, this.pages.length);
  }

  async tree(): Promise<RelayTreeInfo> {
    return decodeRelayTree(await this.#ask('/relay'));
  }

  /** Waits until everybody is in the tree and the server feeds at most so many. */
  async settled(most: number): Promise<RelayTreeInfo> {
    let state = '';
    return until(
      async () => {
        const tree = await this.tree();
        const direct = tree.nodes.filter(({ depth }) => depth === 1).length;
        state = `${tree.nodes.length} of ${this.size} in the tree, ${direct} fed by the server`;
        return tree.nodes.length === this.size && direct <= most ? tree : undefined;
      },
      { timeoutMs: 50_000, everyMs: 250, message: () => state },
    );
  }

  /** Gives the pages time to catch up to within `seconds`, as they began while others did. */
  async atEdge(seconds: number, timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    const behind = async () =>
      (await Promise.all(this.pages.map(lookAt))).some(({ latency }) => latency > seconds);
    while (performance.now() < end && (await behind())) await sleep(500);
  }

  /** From here on delays and stalls count. */
  async mark(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.mark()));
  }

  async look(): Promise<CrowdLook> {
    const hosts = await Promise.all(this.hosts.map((host) => host.look()));
    const pages = await Promise.all(this.pages.map(lookAt));
    return {
      programs: hosts.flatMap(({ programs }) => programs),
      direct: hosts.map(({ direct }) => direct),
      pages,
      busyMs: Math.max(...hosts.map(({ busyMs }) => busyMs)),
    };
  }

  /** Waits until everybody has had so many blocks since the mark, and every page has played `seconds` more. */
  async playOn(blocks: number, seconds: number): Promise<CrowdLook> {
    const before = await Promise.all(this.pages.map(lookAt));
    let state = '';
    return until(
      async () => {
        const counts = await Promise.all(this.hosts.map((host) => host.count()));
        const looks = await Promise.all(this.pages.map(lookAt));
        const behind = counts.filter((count) => count < blocks).length;
        const still = looks.filter(({ position }, at) => position < before[at]!.position + seconds).length;
        state = `programs in ${behind} processes and ${still} pages stand still`;
        return behind + still === 0 ? this.look() : undefined;
      },
      { timeoutMs: 30_000, everyMs: 250, message: () => state },
    );
  }

  async #ask(what: string): Promise<{ readonly state?: string }> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const answer = await fetch(`${this.#http}/api/v1/streams/${STREAM}${what}`, { headers });
    return (await answer.json()) as { readonly state?: string };
  }

  async #openPage(browser: Browser, address: string): Promise<void> {
    const { page } = await openPage(browser, { viewport: { width: 320, height: 180 } });
    await page.goto(`${address}?src=${this.#http}/${STREAM}&autoplay&muted&transport=relay`);
    this.pages.push(page);
    let seen = await lookAt(page);
    const playing = async () => {
      seen = await lookAt(page);
      // One that was kept from its processor for too long has gone to another transport.
      if (seen.transport !== 'relay' && seen.position > 0) await page.reload();
      return seen.transport === 'relay' && seen.position > 1;
    };
    const message = () => `page ${this.pages.length} playing by the relay: ${JSON.stringify(seen)}`;
    await until(playing, { timeoutMs: 30_000, everyMs: 200, message });
  }
}

function lookAt(page: Page): Promise<PageLook> {
  return page.evaluate(() => {
    const player = document.querySelector('onair-player');
    const { stalls = 0, latency = 9, transport = '', reconnects = 0 } = player?.figures ?? {};
    return { stalls, latency, transport, reconnects, position: player?.video?.currentTime ?? 0 };
  });
}
