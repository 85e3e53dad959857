import { mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFileServerText, type FileServerText } from '@onair/contracts/file-socket';
import { decodeFmp4Message, type Fmp4Message } from '@onair/contracts/fmp4-socket';
import { bytesSource, type MediaChunk, openSeekable, type SeekableFile } from '@onair/media/file';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fileOf, film, written } from '../../../../test/kit/film.ts';
import { Scope } from '../../../../test/kit/scope.ts';
import { startTestServer } from '../../../../test/kit/server.ts';
import { until } from '../../../../test/kit/until.ts';
import { FileSender, FileShelf } from './index.ts';

const scope = new Scope();
afterEach(() => scope.close());

const { tracks, samples } = film(30, 2000);
const flv = await written(fileOf(tracks, samples), 'flv');

/** A sender whose sink keeps everything. */
function sending(file: SeekableFile) {
  const chunks: MediaChunk[] = [];
  const seen: unknown[] = [];
  let take = (): Promise<void> => Promise.resolve();
  const sender = new FileSender(file, {
    chunk: (chunk) => {
      chunks.push(chunk);
      return take();
    },
    seeked: (id, start) => seen.push({ id, start }),
    read: () => undefined,
    ended: () => seen.push('end'),
  });
  const done = sender.run();
  scope.defer(async () => {
    sender.close();
    await done;
  });
  return {
    sender,
    chunks,
    seen,
    slow: (wait: () => Promise<void>) => {
      take = wait;
    },
  };
}

/** Lets everything run that can. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('sending a file', () => {
  it('reads and sends only what is wanted', async () => {
    const file = await openSeekable(bytesSource(flv));
    const { sender, chunks, seen } = sending(file);
    await settled();
    const before = file.bytesRead();
    expect(chunks).toEqual([]);
    sender.want(5);
    await settled();
    expect(seen).toEqual([{ id: 0, start: expect.closeTo(0.08, 2) }]);
    const last = Math.max(...chunks.map(({ decoded }) => decoded));
    expect(last).toBeGreaterThan(4);
    expect(last).toBeLessThanOrEqual(5);
    const [sent, read] = [chunks.length, file.bytesRead()];
    expect(read - before).toBeLessThan(flv.length / 2);
    sender.want(5);
    await settled();
    expect([chunks.length, file.bytesRead()]).toEqual([sent, read]);
  });

  it('goes to the end, and back when asked', async () => {
    const { sender, chunks, seen } = sending(await openSeekable(bytesSource(flv)));
    sender.want(1000);
    await until(() => seen.includes('end'));
    chunks.length = 0;
    sender.seek(7, 10.1);
    sender.want(11);
    await until(() => chunks.length > 1);
    expect(seen.at(-1)).toEqual({ id: 7, start: expect.closeTo(10.08, 2) });
    expect(chunks[0]!.independent).toBe(true);
  });

  it('forgets what it was sending when something else is wanted, and stops when closed', async () => {
    const { sender, chunks, seen, slow } = sending(await openSeekable(bytesSource(flv)));
    let release = (): void => undefined;
    slow(
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    );
    sender.want(1000);
    await until(() => chunks.length === 1);
    sender.seek(1, 20);
    sender.seek(2, 25);
    sender.want(30);
    release();
    await until(() => chunks.length === 2);
    expect(chunks[1]!.shown).toBeGreaterThan(24);
    expect(seen.map((one) => (one as { id: number }).id)).toEqual([0, 2]);
    sender.close();
    release();
  });
});

describe('the folder', () => {
  const body = (...parts: Uint8Array[]): AsyncIterable<Uint8Array> =>
    (async function* () {
      yield* parts;
    })();
  const shelfOf = (limits = { maxBytes: 1e9, maxTotalBytes: 1e9 }) => {
    const folder = mkdtempSync(join(tmpdir(), 'onair-files-'));
    return { folder, shelf: new FileShelf(folder, () => limits) };
  };

  it('takes a file in pieces and lists it', async () => {
    const { folder, shelf } = shelfOf();
    const half = flv.length >> 1;
    expect(await shelf.add('a b.flv', 0, body(flv.subarray(0, 10), flv.subarray(10, half)))).toBe(half);
    expect(await shelf.list()).toEqual([]);
    await expect(shelf.add('a b.flv', 3, body(flv))).rejects.toMatchObject({ code: 'FILE_OFFSET' });
    await shelf.add('a b.flv', half, body(flv.subarray(half)));
    await shelf.finish('a b.flv');
    expect(await shelf.list()).toMatchObject([{ name: 'a b.flv', size: flv.length }]);
    expect(Buffer.compare(readFileSync(join(folder, 'a b.flv')), flv)).toBe(0);
    await expect(shelf.add('a b.flv', 0, body(flv))).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await shelf.remove('a b.flv');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses what is no media, too much, and names that lead elsewhere', async () => {
    const { folder, shelf } = shelfOf({ maxBytes: 1000, maxTotalBytes: 1500 });
    await shelf.add('x.mp4', 0, body(new Uint8Array(100)));
    await expect(shelf.finish('x.mp4')).rejects.toMatchObject({ code: 'UPLOAD_MEDIA' });
    await expect(shelf.add('y.mp4', 0, body(flv))).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
    writeFileSync(join(folder, 'full.mp4'), new Uint8Array(2000));
    await expect(shelf.add('z.mp4', 0, body(flv))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    symlinkSync('/etc/passwd', join(folder, 'link.mp4'));
    for (const name of [
      '../a.mp4',
      '.a.mp4',
      'a/b.mp4',
      'a.exe',
      'link.mp4',
      '',
      'a.mp4\0',
      'ü'.repeat(200),
    ]) {
      await expect(shelf.open(name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      if (name !== 'link.mp4')
        await expect(shelf.add(name, 0, body(flv))).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    }
    expect((await shelf.list()).map(({ name }) => name)).toEqual(['full.mp4']);
  });
});

describe('the server', () => {
  it('adds, lists, gives ranges, plays over WebSocket and deletes', async () => {
    const server = await startTestServer(scope, { 'rtmp.enabled': 'false', 'webrtc.enabled': 'off' });
    const at = `${server.http}/files/media/film%201.flv`;
    const put = await fetch(at, { method: 'PUT', body: flv.slice() });
    expect([put.status, await put.json()]).toEqual([201, { name: 'film 1.flv', received: flv.length }]);
    const list = await (await fetch(`${server.http}/files/list`)).json();
    expect(list).toMatchObject({ files: [{ name: 'film 1.flv', size: flv.length }], open: true });
    const range = await fetch(at, { headers: { range: 'bytes=3-12' } });
    expect(range.status).toBe(206);
    expect(new Uint8Array(await range.arrayBuffer())).toEqual(flv.slice(3, 13));
    expect((await fetch(at, { headers: { range: `bytes=${flv.length}-` } })).status).toBe(416);
    expect((await fetch(at, { method: 'HEAD' })).headers.get('content-length')).toBe(String(flv.length));

    const texts: FileServerText[] = [];
    const messages: Fmp4Message[] = [];
    const socket = new WebSocket(at.replace('http', 'ws'), 'onair.file.v1');
    scope.defer(() => socket.terminate());
    socket.on('message', (data: Buffer, binary) => {
      if (binary) messages.push(decodeFmp4Message(data));
      else texts.push(decodeFileServerText(String(data)));
    });
    await until(() => messages.length === 3);
    expect(texts).toMatchObject([{ type: 'hello', container: 'flv', size: flv.length }]);
    expect(messages.map(({ kind }) => kind)).toEqual(['epoch', 'init', 'init']);
    socket.send('{"type":"want","until":2}');
    await until(() => messages.some(({ header }) => header.time >= 1_500_000));
    socket.send('{"type":"seek","id":4,"to":20}');
    socket.send('{"type":"want","until":100}');
    await until(() => texts.some(({ type }) => type === 'end'));
    expect(texts).toContainEqual({ type: 'seeked', id: 4, start: expect.closeTo(20, 0) });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send('{"type":"what"}');
    expect(await closed).toBe(1002);

    expect((await fetch(at, { method: 'PUT', body: 'no' })).status).toBe(409);
    const foreign = await fetch(at, { method: 'DELETE', headers: { origin: 'http://elsewhere.example' } });
    expect(foreign.status).toBe(403);
    expect((await fetch(at, { method: 'DELETE' })).status).toBe(204);
    expect((await fetch(at)).status).toBe(404);
  });
});
