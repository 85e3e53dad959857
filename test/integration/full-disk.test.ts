import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../kit/scope.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { fetchRecording, HttpUpload, SocketUpload } from '../kit/upload-client.ts';
import { recording } from '../kit/webm-files.ts';

/** `ends`: takes media, but nothing of what makes a recording whole. */
const disk = { full: false, ends: false, refused: 0 };
const realOpen = fs.open;

function refuse(): never {
  disk.refused++;
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

/** Files as they are, but for writes: a full disk takes the first octet of a write and then nothing. */
const open: typeof realOpen = async (...args) => {
  const handle = await realOpen(...args);
  const { writev, writeFile } = handle;
  let begun = false;
  handle.writev = async (parts, position) => {
    const torn = disk.full && !begun;
    if (disk.full && begun) refuse();
    begun = disk.full;
    if (!torn) return writev.call(handle, parts, position) as never;
    const { buffer, byteOffset } = parts[0]!;
    return writev.call(handle, [new Uint8Array(buffer, byteOffset, 1)], position) as never;
  };
  const ofRecording = String(args[0]).includes('/recordings/');
  handle.writeFile = async (...what) =>
    disk.full || (disk.ends && ofRecording) ? refuse() : writeFile.apply(handle, what);
  return handle;
};

/** For every module at once, those that were loaded for another file included. */
function openBy(one: typeof realOpen): void {
  fs.open = one;
  syncBuiltinESMExports();
}
beforeAll(() => openBy(open));
afterAll(() => openBy(realOpen));

let scope = new Scope();
afterEach(async () => {
  Object.assign(disk, { full: false, ends: false });
  const closing = scope;
  scope = new Scope();
  await closing.close();
});

const media = recording();
const half = media.length >> 1;
const SESSION = 'session-on-a-full-disk';

async function movie(http: string, file: string): Promise<Buffer> {
  const response = await fetch(`${http}${file}`);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

/** Status, words and time to come again of an answer. */
async function refusal(url: string, init: RequestInit): Promise<readonly unknown[]> {
  const response = await fetch(url, init);
  const { code, detail } = (await response.json()) as { code?: string; detail?: string };
  return [response.status, code, /disk/.test(detail ?? ''), response.headers.get('retry-after')];
}

const FULL = [503, 'OVERLOADED', true, '5'];

describe('a full disk', () => {
  it('refuses an upload with the reason, keeps what was acknowledged, and goes on when there is room', async () => {
    const { http } = await startTestServer(scope, { 'transcode.enabled': 'false' });
    const undisturbed = new HttpUpload(http, 'live/whole', SESSION);
    await undisturbed.send(media, 0);
    const expected = await undisturbed.end();
    const upload = new HttpUpload(http, 'live/full', SESSION);
    expect(await upload.send(media.subarray(0, half), 0)).toEqual({ status: 200, offset: half });
    disk.full = true;
    const url = `${http}/live/full/upload?session=${SESSION}`;
    const rest = { method: 'POST', body: media.slice(half) };
    expect(await refusal(`${url}&offset=${half}`, rest)).toEqual(FULL);
    expect(await refusal(url, { method: 'DELETE' })).toEqual(FULL);
    expect(await refusal(`${url}-2&offset=0`, rest)).toEqual([409, 'STREAM_NAME_IN_USE', false, null]);
    expect(await refusal(`${http}/live/other/upload?session=${SESSION}&offset=0`, rest)).toEqual(FULL);
    expect(await (await fetch(url)).json()).toMatchObject({ offset: half });
    expect(disk.refused).toBeGreaterThan(2);
    disk.full = false;
    expect(await upload.send(media.subarray(half), half)).toEqual({ status: 200, offset: media.length });
    const result = await upload.end();
    expect(result.seconds).toBe(expected.seconds);
    const files = [expected, result].map(async ({ file }) => movie(http, file));
    const [whole, full] = await Promise.all(files);
    expect(Buffer.compare(whole!, full!)).toBe(0);
    const { ended, discontinuities } = await fetchRecording(http, result.playlist);
    expect([ended, discontinuities]).toEqual([true, 0]);
  });

  it('that refuses no more than the end of a recording refuses the end of the upload, until there is room', async () => {
    const { http, log } = await startTestServer(scope, { 'transcode.enabled': 'false' });
    const upload = new HttpUpload(http, 'live/end', SESSION);
    const chunks = new FormData();
    chunks.append('webm', new Blob([media as Uint8Array<ArrayBuffer>]), '1.webm');
    await fetch(`${http}/api/initialize/numbered`);
    await fetch(`${http}/api/chunks/numbered`, { method: 'POST', body: chunks });
    await upload.send(media, 0);
    disk.ends = true;
    const url = `${http}/live/end/upload?session=${SESSION}`;
    for (let again = 0; again < 2; again++) {
      expect(await refusal(url, { method: 'DELETE' })).toEqual(FULL);
      expect(await refusal(`${http}/api/finalize/numbered`, {})).toEqual(FULL);
    }
    expect(log.filter(({ msg }) => msg === 'recording cannot be finished').length).toBe(4);
    disk.ends = false;
    const result = await upload.end();
    const numbered = await fetch(`${http}/api/finalize/numbered`);
    expect(await numbered.json()).toMatchObject({ seconds: result.seconds });
    const { ended, seconds } = await fetchRecording(http, result.playlist);
    expect([ended, Math.abs(seconds - result.seconds) < 0.001]).toEqual([true, true]);
    expect((await movie(http, result.file)).length).toBeGreaterThan(1000);
  });

  it('keeps a socket waiting, and acknowledges when there is room', async () => {
    const { http } = await startTestServer(scope, { 'upload.silenceMs': '1000' });
    const upload = new SocketUpload(http, 'live/socket', SESSION);
    expect(await upload.ready).toBe(0);
    upload.send(media.subarray(0, half));
    await until(() => upload.acked === half);
    disk.full = true;
    const before = disk.refused;
    upload.send(media.subarray(half));
    await until(() => disk.refused > before + 8);
    expect(upload.acked).toBe(half);
    disk.full = false;
    await until(() => upload.acked === media.length);
    upload.end();
    expect(await upload.closed).toBe(1000);
    expect(upload.result).toMatchObject({ offset: media.length });
    expect((await movie(http, upload.result!.file)).length).toBeGreaterThan(1000);
  });

  it('refuses numbered chunks likewise, and takes each once', async () => {
    const { http } = await startTestServer(scope, { 'transcode.enabled': 'false' });
    const form = (number: number): RequestInit => {
      const body = new FormData();
      body.append('webm', new Blob([media as Uint8Array<ArrayBuffer>]), `${number}.webm`);
      return { method: 'POST', body };
    };
    const chunks = `${http}/api/chunks/chunks`;
    const seconds: number[] = [];
    for (const fault of [false, true]) {
      await fetch(`${http}/api/initialize/chunks`);
      expect((await fetch(chunks, form(1))).status).toBe(200);
      disk.full = fault;
      if (fault) expect(await refusal(chunks, form(2))).toEqual(FULL);
      disk.full = false;
      expect((await fetch(chunks, form(2))).status).toBe(200);
      const response = await fetch(`${http}/api/finalize/chunks`);
      expect(response.status).toBe(200);
      seconds.push(((await response.json()) as { seconds: number }).seconds);
    }
    expect(seconds[0]).toBeGreaterThan(0);
    expect(seconds[1]).toBe(seconds[0]);
  });
});
