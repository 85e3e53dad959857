import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Scope } from '../../../test/kit/scope.ts';
import { startTestServer } from '../../../test/kit/server.ts';
import { until } from '../../../test/kit/until.ts';

const scope = new Scope();
afterEach(() => scope.close());

it('answers the sample of a WebSocket client at the root of its own port, and there alone', async () => {
  const ports = { 'echo.compatPort': '0', 'rooms.compatPort': '0', 'upload.compatPort': '0' };
  const server = await startTestServer(scope, { compat: 'true', 'webrtc.enabled': 'off', ...ports });
  const ws = new WebSocket(`ws://127.0.0.1:${server.ports.echo}`, { origin: 'http://elsewhere.example' });
  scope.defer(() => ws.terminate());
  const got: unknown[] = [];
  ws.on('message', (data: Buffer, binary) => got.push(binary ? [...data] : String(data)));
  await new Promise((resolve) => ws.once('open', resolve));
  ws.send('hello');
  ws.send(new Blob(['hello']));
  ws.send(new Uint8Array([1, 2, 3]).buffer);
  await until(() => got.length === 3);
  expect(got).toEqual(['hello', [...Buffer.from('hello')], [1, 2, 3]]);
  const refused = new WebSocket(server.ws);
  const error = await new Promise<Error>((resolve) => refused.once('error', resolve));
  expect(error.message).toContain('404');
});
