import { decodeUploadServerText, type UploadResult } from '@onair/contracts/upload';
import { parseMediaPlaylist } from '@onair/media/hls';
import { WebSocket } from 'ws';

/** An upload over HTTP, one POST at a time. */
export class HttpUpload {
  readonly #url: string;
  readonly session: string;

  /** @param stream `APP/NAME`. */
  constructor(http: string, stream: string, session: string) {
    this.#url = `${http}/${stream}/upload?session=${session}`;
    this.session = session;
  }

  /** Sends bytes that begin at `offset`; resolves with the status and the offset that the server tells. */
  async send(bytes: Uint8Array, offset: number): Promise<{ status: number; offset: number }> {
    const response = await fetch(`${this.#url}&offset=${offset}`, {
      method: 'POST',
      body: bytes as Uint8Array<ArrayBuffer>,
    });
    const body = (await response.json()) as { offset?: number };
    return { status: response.status, offset: body.offset ?? -1 };
  }

  async end(): Promise<UploadResult> {
    const response = await fetch(this.#url, { method: 'DELETE' });
    if (response.status !== 200) throw new Error(await response.text());
    return (await response.json()) as UploadResult;
  }
}

/** An upload over WebSocket that keeps what is not acknowledged. */
export class SocketUpload {
  readonly #ws: WebSocket;
  readonly ready: Promise<number>;
  readonly closed: Promise<number>;
  /** Last offset told by the server. */
  acked = 0;
  result: UploadResult | undefined;
  error: { code: string; detail: string } | undefined;

  constructor(http: string, stream: string, session: string) {
    this.#ws = new WebSocket(`${http.replace('http', 'ws')}/${stream}/upload?session=${session}`, [
      'onair.upload.v1',
    ]);
    this.ready = new Promise((resolve, reject) => {
      this.#ws.on('error', reject);
      this.#ws.on('message', (data) => {
        const message = decodeUploadServerText(String(data));
        if (message.type === 'ready') {
          this.acked = message.offset;
          resolve(message.offset);
        } else if (message.type === 'ack') this.acked = message.offset;
        else if (message.type === 'done') this.result = message;
        else this.error = message;
      });
    });
    this.closed = new Promise((resolve) => this.#ws.on('close', resolve));
  }

  send(bytes: Uint8Array): void {
    this.#ws.send(bytes);
  }

  end(): void {
    this.#ws.send('{"type":"end"}');
  }

  drop(): void {
    this.#ws.terminate();
  }
}

/** A recording as its playlist shows it, all of its media fetched, with pictures in the codec that was recorded. */
export async function fetchRecording(
  http: string,
  playlist: string,
): Promise<{
  readonly seconds: number;
  readonly ended: boolean;
  readonly discontinuities: number;
  /** Header and segments of each run. */
  readonly files: readonly Uint8Array[];
}> {
  const url = `${http}${playlist}`;
  const text = await (await fetch(url)).text();
  const list = parseMediaPlaylist(text);
  const get = async (uri: string): Promise<Uint8Array> => {
    const response = await fetch(new URL(uri.replace('.h264.', '.'), url));
    if (response.status !== 200) throw new Error(`${uri}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const runs: Uint8Array[][] = [];
  let map = '';
  for (const segment of list.segments) {
    if (segment.map!.uri !== map) {
      map = segment.map!.uri;
      runs.push([await get(map)]);
    }
    runs.at(-1)!.push(await get(segment.uri));
  }
  return {
    seconds: list.segments.reduce((sum, { duration }) => sum + duration, 0),
    ended: list.endList,
    discontinuities: list.segments.filter(({ discontinuity }) => discontinuity).length,
    files: runs.map((parts) => new Uint8Array(Buffer.concat(parts))),
  };
}
