import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Child } from '../kit/child.ts';

const bin = fileURLToPath(new URL('../../packages/server/bin/onair.js', import.meta.url));
const children: Child[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await child.stop('SIGKILL');
});

interface Line extends Readonly<Record<string, unknown>> {
  readonly msg: string;
}

/** Starts `onair serve` on free ports with a data folder of its own. */
function serve(args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
  const data = environment.ONAIR_DATA ?? mkdtempSync(join(tmpdir(), 'onair-serve-'));
  const env = {
    ...process.env,
    ONAIR_DATA: data,
    ONAIR_HTTP_PORT: '0',
    ONAIR_RTMP_PORT: '0',
    ...environment,
  };
  const child = new Child('onair', process.execPath, [bin, 'serve', ...args], { env });
  children.push(child);
  let text = '';
  child.stdout.on('data', (part) => {
    text += String(part);
  });
  const lines = (): Line[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  const line = (message: string): Promise<Line> =>
    vi.waitFor(
      () => {
        const found = lines().find(({ msg }) => msg === message);
        expect(found, `${message} in ${text}${child.errorLines.join('\n')}`).toBeDefined();
        return found!;
      },
      { timeout: 30_000, interval: 50 },
    );
  const listening = async () => {
    const first = await line('listening');
    return {
      ...(first as Line & { ports: { http: number; rtmp: number }; urls: Record<string, string> }),
      first,
    };
  };
  return { child, data, lines, line, listening, text: () => text };
}

describe('onair serve', () => {
  it('takes the compiled code of an earlier start as it is', async () => {
    const folder = fileURLToPath(new URL('../../packages/server/dist/bundle', import.meta.url));
    /** When the code of each file was written. What is refused is written anew. */
    const written = (): Map<string, number> =>
      new Map(
        readdirSync(folder)
          .filter((name) => name.endsWith('.code'))
          .map((name) => [name, statSync(join(folder, name)).mtimeMs]),
      );
    const before = written();
    expect([...before.keys()].some((name) => name.startsWith('serve-run'))).toBe(true);
    const server = serve();
    await server.listening();
    await server.child.stop();
    const after = written();
    expect([...before].filter(([name, at]) => after.get(name) !== at)).toEqual([]);
  });

  it('tells its ports in the first line, the sign-in address once, and stops cleanly', async () => {
    const first = serve();
    const { ports, urls } = await first.listening();
    expect(first.lines()[0]!.msg).toBe('listening');
    expect((await fetch(`http://127.0.0.1:${ports.http}/healthz`)).status).toBe(200);
    expect(urls.publish).toBe(`rtmp://localhost:${ports.rtmp}/live`);
    const signIn = await vi.waitFor(() => {
      const line = first.child.errorLines.find((one) => one.includes('/signin#token='));
      expect(line).toBeDefined();
      return line!;
    });
    const token = signIn.split('#token=')[1]!;
    expect(readFileSync(join(first.data, 'admin-token'), 'utf8').trim()).toBe(token);
    expect(statSync(join(first.data, 'admin-token')).mode & 0o777).toBe(0o600);
    expect(first.text()).not.toContain(token);
    const signed = await fetch(`http://127.0.0.1:${ports.http}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    expect(signed.status).toBe(200);
    first.child.signal('SIGTERM');
    expect(await first.child.exited).toEqual({ code: 0, signal: null });
    expect(first.lines().map(({ msg }) => msg)).toEqual(expect.arrayContaining(['stopping', 'stopped']));
    const again = serve([], { ONAIR_DATA: first.data });
    await again.listening();
    expect(again.child.errorLines.join('\n')).not.toContain('token');
  });

  it('stops although somebody still holds an answer open', async () => {
    const { child, listening } = serve();
    const { ports } = await listening();
    const events = await fetch(`http://127.0.0.1:${ports.http}/api/v1/events`);
    expect(events.status).toBe(200);
    child.signal('SIGINT');
    expect(await child.exited).toEqual({ code: 0, signal: null });
    await events.text().catch(() => undefined);
  });

  it('reads a changed file, and keeps the old one if the new one is broken', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'onair-file-')), 'my.yaml');
    writeFileSync(file, 'hub: { mergeWindowMs: 0 }\n');
    const { child, listening, line } = serve(['--config', file]);
    await listening();
    writeFileSync(file, 'hub: { mergeWindowMs: 50 }\nhls: { partMs: 500 }\n');
    expect(await line('configuration reloaded')).toMatchObject({
      applied: ['hub.mergeWindowMs'],
      waiting: ['hls.partMs'],
    });
    writeFileSync(file, 'hub: { mergeWindowMs: soon }\n');
    child.signal('SIGHUP');
    expect(await line('configuration refused, the old one stays')).toMatchObject({
      faults: [{ path: 'hub.mergeWindowMs', received: '"soon"', source: `${file}:1` }],
    });
    expect(child.exit).toBeUndefined();
  });

  it('says why it cannot start', async () => {
    const broken = serve(['--set', 'http.port=99999']);
    expect(await broken.child.exited).toMatchObject({ code: 78 });
    expect(broken.child.errorLines.join('\n')).toContain(
      'http.port: expected at most 65535, received 99999 (--set http.port)',
    );
    const blocker = createServer();
    const port = await new Promise<number>((resolve) => {
      blocker.listen(0, '127.0.0.1', () => resolve((blocker.address() as { port: number }).port));
    });
    const taken = serve(['--host', '127.0.0.1'], { ONAIR_HTTP_PORT: String(port) });
    expect(await taken.child.exited).toMatchObject({ code: 1 });
    expect(taken.child.errorLines.join('\n')).toContain(`port ${port} is in use`);
    await new Promise((resolve) => blocker.close(resolve));
  });
});
