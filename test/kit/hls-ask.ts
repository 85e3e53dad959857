import type { HlsAnswer } from '@onair/media/hls';

/** Requests as the check of HLS rules makes them: gzip is welcome, times are those of `performance.now()`. */
export async function askHls(url: string, signal?: AbortSignal): Promise<HlsAnswer> {
  const askedMs = performance.now();
  const answer = await fetch(url, {
    headers: { 'accept-encoding': 'gzip' },
    ...(signal === undefined ? {} : { signal }),
  });
  const body = new Uint8Array(await answer.arrayBuffer());
  const headers = new Map([...answer.headers].map(([name, value]) => [name.toLowerCase(), value]));
  return { url, status: answer.status, headers, body, askedMs, answeredMs: performance.now() };
}

/** `url` with a query parameter more. */
export function withQuery(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

/** An address in a playlist made absolute. */
export function resolveUri(uri: string, base: string): string {
  return new URL(uri, base).href;
}
