import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/kit/until.ts';
import { MemorySpool } from './chunk-spool.ts';
import { pickRecordingType } from './recording-type.ts';
import { UploadPublisher, type UploadSocketPort, type UploadStatus } from './upload-publisher.ts';

/** A server's side of an upload: what it has, and what it lets through. */
class FakeServer {
  readonly sockets: FakeSocket[] = [];
  received: number[] = [];
  stored = 0;
  window = 1000;
  /** Ends that are refused still, as by a full disk. */
  refusals = 0;
  answer = (): Response => new Response('{}');

  readonly connect = (): UploadSocketPort => {
    const socket = new FakeSocket(this);
    this.sockets.push(socket);
    queueMicrotask(() =>
      socket.tell({ type: 'ready', session: 's', offset: this.stored, window: this.window }),
    );
    return socket;
  };

  ack(): void {
    this.stored = this.received.length;
    this.sockets.at(-1)!.tell({ type: 'ack', offset: this.stored });
  }
}

class FakeSocket implements UploadSocketPort {
  binaryType = '';
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly #server: FakeServer;

  constructor(server: FakeServer) {
    this.#server = server;
  }

  tell(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  send(data: string | Uint8Array): void {
    if (typeof data !== 'string') this.#server.received.push(...data);
    else if (this.#server.refusals-- > 0) {
      this.tell({ type: 'error', code: 'OVERLOADED', detail: 'the disk is full' });
      this.onclose?.();
    } else
      this.tell({
        type: 'done',
        offset: this.#server.received.length,
        seconds: 1,
        playlist: '/p',
        file: '/f',
      });
  }

  /** The connection breaks: what the server has not stored is gone. */
  break(): void {
    this.#server.received = this.#server.received.slice(0, this.#server.stored);
    this.onclose?.();
  }

  close(): void {}
}

function start(server: FakeServer) {
  const states: UploadStatus[] = [];
  const publisher = new UploadPublisher({
    server: 'http://host',
    stream: 'live/a',
    onStatus: (status) => states.push(status),
    connect: server.connect,
    fetch: async () => server.answer(),
    spool: Promise.resolve(new MemorySpool()),
  });
  return { publisher, states };
}

const bytes = (from: number, count: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: count }, (_, i) => (from + i) % 251);
const EXPECTED = [...bytes(0, 600)];

describe('UploadPublisher', () => {
  it('sends everything in order over broken connections, within the window', async () => {
    const server = new FakeServer();
    server.window = 100;
    const { publisher } = start(server);
    for (let at = 0; at < 600; at += 50) publisher.push(bytes(at, 50));
    await until(() => server.received.length === 100);
    server.ack();
    await until(() => server.received.length === 200);
    server.sockets.at(-1)!.break();
    expect(publisher.status.state).toBe('waiting');
    await until(() => server.sockets.length === 2);
    await until(() => server.received.length === 200);
    // The server has half of a piece.
    server.stored = 130;
    server.sockets.at(-1)!.break();
    publisher.end();
    const pump = setInterval(() => server.ack(), 5);
    await until(() => publisher.status.state === 'done');
    clearInterval(pump);
    expect(server.received).toEqual(EXPECTED);
    expect(publisher.status).toMatchObject({ queued: 0, stored: 600, result: { playlist: '/p' } });
  });

  it('fails with the reason of the server, and when the server has forgotten what it had', async () => {
    const refused = new FakeServer();
    refused.answer = () =>
      new Response(
        JSON.stringify({
          type: 'urn:onair:error:PUBLISH_REFUSED',
          title: 't',
          status: 403,
          code: 'PUBLISH_REFUSED',
          detail: 'a key',
        }),
        { status: 403 },
      );
    const first = start(refused);
    await until(() => first.publisher.status.state === 'failed');
    expect(first.publisher.status.failure?.detail).toContain('a key');
    const forgetful = new FakeServer();
    const { publisher } = start(forgetful);
    publisher.push(bytes(0, 50));
    await until(() => forgetful.received.length === 50);
    forgetful.ack();
    forgetful.stored = 0;
    forgetful.sockets.at(-1)!.break();
    await until(() => publisher.status.state === 'failed');
    expect(publisher.status.failure?.code).toBe('UPLOAD_FORGOTTEN');
  });

  it('ends again after a refusal that passes', async () => {
    const server = new FakeServer();
    server.refusals = 1;
    const { publisher, states } = start(server);
    publisher.push(bytes(0, 50));
    await until(() => server.received.length === 50);
    server.ack();
    publisher.end();
    await until(() => publisher.status.state === 'done');
    expect(server.sockets).toHaveLength(2);
    expect(states.some(({ state }) => state === 'failed')).toBe(false);
  });

  it('takes the result by HTTP when the word of the end was lost', async () => {
    const server = new FakeServer();
    const { publisher } = start(server);
    publisher.push(bytes(0, 10));
    await until(() => server.received.length === 10);
    server.answer = () =>
      new Response('{"offset":10,"seconds":2,"playlist":"/p","file":"/f"}', { status: 410 });
    server.sockets.at(-1)!.send = () => server.sockets.at(-1)!.break();
    publisher.end();
    await until(() => publisher.status.state === 'done');
    expect(publisher.status.result?.seconds).toBe(2);
  });
});

describe('pickRecordingType', () => {
  it('prefers what needs no transcoding anywhere', () => {
    expect(pickRecordingType(true, () => true)).toContain('mp4a');
    expect(pickRecordingType(true, (type) => type.startsWith('video/webm'))).toContain('h264');
    expect(pickRecordingType(true, (type) => /vp8/.test(type))).toBe('video/webm;codecs=vp8,opus');
    expect(pickRecordingType(false, (type) => type.startsWith('audio/webm'))).toContain('opus');
    expect(pickRecordingType(true, () => false)).toBeUndefined();
  });
});
