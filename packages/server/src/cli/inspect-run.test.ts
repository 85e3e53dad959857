import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { fileOf, film, written } from '../../../../test/kit/film.ts';
import { until } from '../../../../test/kit/until.ts';
import { inspectInput } from './inspect-run.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serving(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/film`;
}

/** Inspects; `text` grows while it goes on. */
function inspecting(input: string, watch?: number) {
  const told = { text: '' };
  const stop = new AbortController();
  closers.push(() => stop.abort());
  const write = (more: string): Promise<void> => {
    told.text += more;
    return Promise.resolve();
  };
  const sound = inspectInput({ input, json: true, boxes: false, watch, write, signal: stop.signal });
  const reports = (): Record<string, unknown>[] =>
    told.text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { sound, reports, stop };
}

const { tracks, samples } = film(20, 2000);

describe('inspecting an address', () => {
  it('reads a file by ranges, and of MP4 not the media', async () => {
    const bytes = await written(fileOf(tracks, samples), 'mp4');
    let sent = 0;
    const url = await serving((request, response) => {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      if (from === undefined) {
        response.writeHead(500).end();
        return;
      }
      const part = bytes.subarray(Number(from), Number(to) + 1);
      sent += part.length;
      const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
      response.writeHead(206, { 'content-range': range }).end(part);
    });
    const { sound, reports } = inspecting(url);
    expect(await sound).toBe(true);
    expect(reports()).toMatchObject([{ format: 'mp4', fragmented: false }]);
    expect(reports()[0]!.duration).toBeCloseTo(20, 0);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(bytes.length + 300_000);
  });

  it('reads one forwards where the server gives no ranges', async () => {
    const bytes = await written(fileOf(tracks, samples), 'flv');
    const url = await serving((_request, response) => response.end(bytes));
    const { sound, reports } = inspecting(url);
    expect(await sound).toBe(true);
    expect(reports()).toMatchObject([{ format: 'flv' }]);
  });

  it('reports again and again on one that goes on, and once more at its end', async () => {
    const bytes = await written(fileOf(tracks, samples), 'ts');
    const state = { at: 0, over: false };
    const url = await serving((_request, response) => {
      const timer = setInterval(() => {
        response.write(bytes.subarray(state.at, state.at + 100_000));
        state.at += 100_000;
        if (state.at < bytes.length && !state.over) return;
        clearInterval(timer);
        response.end();
      }, 20);
      closers.push(() => clearInterval(timer));
    });
    const { sound, reports } = inspecting(url, 0.05);
    await until(() => reports().length >= 3);
    await sound;
    const durations = reports().map(({ duration }) => duration as number);
    expect(durations).toEqual([...durations].sort((a, b) => a - b));
    expect(durations.at(-1)).toBeCloseTo(20, 0);
    expect(durations[0]).toBeLessThan(durations.at(-1)!);
  });

  it('says what an address answers that cannot be read', async () => {
    const url = await serving((_request, response) => response.writeHead(404).end());
    await expect(inspecting(url).sound).rejects.toThrow('answers 404');
  });
});
