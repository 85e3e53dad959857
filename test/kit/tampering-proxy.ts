import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Scope } from './scope.ts';

/** One answer on its way back; whoever tampers changes it in place. */
export interface PassingAnswer {
  /** Path and query. */
  readonly path: string;
  status: number;
  /** Names in lower case. */
  readonly headers: Map<string, string>;
  body: Buffer;
}

/** A text of a playlist changed in place. */
export function tamperText(answer: PassingAnswer, change: (text: string) => string): void {
  if (/\.m3u8(\?|$)/.test(answer.path)) answer.body = Buffer.from(change(answer.body.toString('utf8')));
}

/**
 * A server on loopback that passes requests on to `origin` and answers with what `tamper` makes of the answers.
 * @returns its own origin, `http://127.0.0.1:PORT`.
 */
export async function startTamperingProxy(
  scope: Scope,
  origin: string,
  tamper: (answer: PassingAnswer) => void,
): Promise<string> {
  const server: Server = createServer((request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    pass(`${origin}${request.url}`, gone.signal)
      .then((answer) => {
        tamper(answer);
        const gzip = answer.headers.get('content-encoding') === 'gzip';
        const body = gzip ? gzipSync(answer.body, { level: 1 }) : answer.body;
        answer.headers.set('content-length', String(body.length));
        response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(body);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function pass(url: string, signal: AbortSignal): Promise<PassingAnswer> {
  const answer = await fetch(url, { headers: { 'accept-encoding': 'gzip' }, signal });
  const headers = new Map([...answer.headers].map(([name, value]) => [name.toLowerCase(), value]));
  for (const name of ['connection', 'keep-alive', 'transfer-encoding']) headers.delete(name);
  const { pathname, search } = new URL(url);
  return {
    path: pathname + search,
    status: answer.status,
    headers,
    body: Buffer.from(await answer.arrayBuffer()),
  };
}
