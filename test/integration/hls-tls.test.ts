import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { request } from 'node:https';
import { join } from 'node:path';
import { parseMediaPlaylist, parseMultivariantPlaylist } from '@onair/media/hls';
import { parseChunks } from '@onair/media/isobmff';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Scope, startPublisher, until } from '../kit/index.ts';
import { startTestServer } from '../kit/server.ts';

const scope = new Scope();
afterEach(() => scope.close());

function get(session: ClientHttp2Session, path: string): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    const parts: Buffer[] = [];
    let status = 0;
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
    });
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => resolve({ status, body: Buffer.concat(parts) }));
    stream.on('error', reject);
  });
}

describe('HLS over TLS', () => {
  it('plays with low latency over one HTTP/2 connection, over HTTP/1.1, and WebSockets work', async () => {
    const server = await startTestServer(scope);
    await startPublisher(scope, { url: `${server.rtmp}/live/tls`, gopSeconds: 1 });
    const { tls } = server.ports;
    expect(tls).toBeGreaterThan(0);
    const ca = readFileSync(join(server.data, 'tls.pem'), 'utf8');
    const session = connect(`https://localhost:${tls}`, { ca });
    scope.defer(() => session.destroy());
    const info = JSON.parse((await get(session, '/api/v1/info')).body.toString());
    expect(info.ports.tls).toBe(tls);
    await until(async () => (await get(session, '/live/tls/index.m3u8')).status === 200);
    const multivariant = parseMultivariantPlaylist((await get(session, '/live/tls/index.m3u8')).body);
    const path = `/live/tls/${multivariant.variants[0]!.uri}`;
    let playlist = parseMediaPlaylist((await get(session, path)).body);
    for (let i = 0; i < 12; i++) {
      const msn = playlist.mediaSequence + playlist.segments.length;
      const part = playlist.pending?.parts.length ?? 0;
      const hint = playlist.preloadHints[0]!.uri;
      const [next, hinted] = await Promise.all([
        get(session, `${path}?_HLS_msn=${msn}&_HLS_part=${part}`),
        get(session, `/live/tls/hls/${hint}`),
      ]);
      expect([next.status, hinted.status]).toEqual([200, 200]);
      expect(parseChunks(hinted.body).length).toBeGreaterThan(0);
      playlist = parseMediaPlaylist(next.body);
    }
    const segment = playlist.segments.at(-1)!.uri;
    const overOne = await new Promise<Buffer>((resolve, reject) => {
      const sent = request(
        { host: 'localhost', port: tls, path: `/live/tls/hls/${segment}`, ca },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('end', () => resolve(Buffer.concat(parts)));
        },
      );
      sent.on('error', reject).end();
    });
    expect(overOne).toEqual((await get(session, `/live/tls/hls/${segment}`)).body);
    const socket = new WebSocket(`wss://localhost:${tls}/live/tls.flv`, { ca });
    scope.defer(() => socket.terminate());
    const first = await new Promise<Buffer>((resolve, reject) => {
      socket.on('message', (data: Buffer) => resolve(data)).on('error', reject);
    });
    expect(first.subarray(0, 3).toString()).toBe('FLV');
  });
});
