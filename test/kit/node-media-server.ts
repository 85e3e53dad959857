import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { freePort, isListening } from './free-port.ts';
import { lastLines } from './report.ts';
import type { Scope } from './scope.ts';
import { until } from './until.ts';

/** The version that the benchmarks compare with, too. */
const VERSION = '4.4.3';

/** A running node-media-server of our own. */
export interface NodeMediaServer {
  /** `rtmp://127.0.0.1:PORT/live/NAME`, to publish to. */
  rtmp(name: string): string;
  /** `http://127.0.0.1:PORT/live/NAME.flv`, to fetch. */
  flv(name: string): string;
}

/** Starts node-media-server, which npm installs beside the workspace if it is not there yet; ended with the scope. */
export async function startNodeMediaServer(scope: Scope): Promise<NodeMediaServer> {
  const prepare = new URL('../../bench/prepare.mjs', import.meta.url).href;
  const { installNodeMediaServer } = (await import(prepare)) as {
    installNodeMediaServer(version: string): Promise<string>;
  };
  const folder = await installNodeMediaServer(VERSION);
  const [rtmp, http] = [await freePort(), await freePort()];
  const config = {
    ...{ rtmp: { port: rtmp }, http: { port: http }, bind: '127.0.0.1' },
    ...{ auth: {}, static: {}, record: {} },
  };
  const script = join(folder, `serve-${http}.cjs`);
  writeFileSync(
    script,
    `const Server = require('node-media-server');\nnew Server(${JSON.stringify(config)}).run();\n`,
  );
  const child = scope.own(
    new Child('node-media-server', process.execPath, [script], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  );
  await until(
    async () => child.exit !== undefined || ((await isListening(rtmp)) && (await isListening(http))),
    {
      timeoutMs: 20_000,
      message: () => `node-media-server listens: ${lastLines(child)}`,
    },
  );
  if (child.exit !== undefined) throw new Error(`node-media-server ended: ${lastLines(child)}`);
  return {
    rtmp: (name) => `rtmp://127.0.0.1:${rtmp}/live/${name}`,
    flv: (name) => `http://127.0.0.1:${http}/live/${name}.flv`,
  };
}
