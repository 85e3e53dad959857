import { request as httpRequest } from 'node:http';
import { decodeStreamList } from '@onair/contracts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { apiStream, openApi } from '../../../../test/kit/api-server.ts';
import { SCHEMAS } from './schemas.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
async function open(settings?: Parameters<typeof openApi>[0]) {
  const server = await openApi(settings);
  closers.push(server.close);
  return server;
}

describe('events', () => {
  function follow(port: number) {
    const lists: unknown[] = [];
    let head = 0;
    const request = httpRequest({ port, path: '/api/v1/events' }, (response) => {
      head = response.statusCode!;
      let text = '';
      response.on('error', () => {});
      response.on('data', (part) => {
        text += part;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const data = /^event: streams\ndata: (.*)$/.exec(text.slice(0, end))?.[1];
          if (data !== undefined) lists.push(JSON.parse(data));
          text = text.slice(end + 2);
        }
      });
    });
    request.on('error', () => {});
    request.end();
    return { lists, status: () => head, stop: () => request.destroy() };
  }

  it('bring the list at once and on each change', async () => {
    const { port, streams, listeners } = await open();
    const reader = follow(port);
    await vi.waitFor(() => expect(reader.lists).toHaveLength(1));
    expect(decodeStreamList(reader.lists[0]).streams[0]!.publisher).not.toHaveProperty('address');
    expect(listeners.size).toBe(1);
    streams.push({ ...apiStream, name: 'live/more' });
    for (const listener of listeners) listener();
    await vi.waitFor(() => expect(reader.lists).toHaveLength(2));
    expect(decodeStreamList(reader.lists[1]).streams).toHaveLength(2);
    reader.stop();
    await vi.waitFor(() => expect(listeners.size).toBe(0));
  });

  it('are capped, and end with the server', async () => {
    const { port, server } = await open({ http: { maxEventStreams: 1 } });
    const first = follow(port);
    await vi.waitFor(() => expect(first.lists).toHaveLength(1));
    const second = follow(port);
    await vi.waitFor(() => expect(second.status()).toBe(503));
    const began = performance.now();
    await server.close(10_000);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('have a head', async () => {
    const { ask } = await open();
    const head = await ask('/api/v1/events', {}, 'HEAD');
    expect([head.status, head.headers['content-type']]).toEqual([200, 'text/event-stream']);
  });
});

it('answers are what the OpenAPI document says', async () => {
  const { ask, bearer, token } = await open();
  const document = (await ask('/api/v1/openapi.json')).body as {
    paths: Record<
      string,
      Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
    >;
  };
  const check = (schema: object, value: unknown) => {
    const flat = JSON.parse(
      JSON.stringify({ ...schema, $defs: SCHEMAS }).replaceAll('#/components/schemas/', '#/$defs/'),
    );
    expect(z.fromJSONSchema(flat).safeParse(value)).toMatchObject({ success: true });
  };
  const bodies: Record<string, unknown> = {
    createKey: { app: 'live' },
    signIn: { token },
    fireEvent: { name: 'cm' },
    setCues: { cues: [] },
    vote: { choice: 0, voter: 'aaaaaaaaaaaaaaaa' },
    stageRoom: { record: true },
  };
  let checked = 0;
  for (const [template, operations] of Object.entries(document.paths)) {
    const path = template
      .replace('{app}', 'live')
      .replace('{name}', 'test')
      .replace('{id}', 'a')
      .replace('{room}', 'lesson')
      .replace('{code}', 'GONE');
    for (const [method, operation] of Object.entries(operations)) {
      const success = operation.responses['200'] ?? operation.responses['201'];
      const schema = success?.content?.['application/json']?.schema;
      if (schema === undefined) continue;
      const id = (operation as unknown as { operationId: string }).operationId;
      const answer = await ask(path, bearer, method.toUpperCase(), bodies[id]);
      expect([id, answer.status]).toEqual([id, '201' in operation.responses ? 201 : 200]);
      check(schema, answer.body);
      checked++;
    }
  }
  expect(checked).toBeGreaterThan(10);
  const faulty = await ask('/api/v1/keys', bearer, 'POST', {});
  check({ $ref: '#/components/schemas/Problem' }, faulty.body);
});
