/** Addresses of one stream, one per transport. */
export interface StreamAddresses {
  /** `APP/NAME` as people see it. */
  readonly name: string;
  readonly ws: string;
  readonly relay: string;
  readonly hls: string;
  readonly flv: string;
  readonly whep: string;
}

const SUFFIX = /(?:\.(?:fmp4|relay|flv|m3u8)|\/index\.m3u8|\/whep)$/;
/** `live/test/ts.m3u8` is a playlist of `live/test`, but `live/ts.m3u8` belongs to a stream named `ts`. */
const TS_PLAYLIST = /(\/[^/]+\/[^/]+)\/ts\.m3u8$/;

/**
 * The addresses behind what a page wrote into `src`: `/live/test`, `https://host/live/test`, or the address of one
 * transport such as `/live/test/index.m3u8`. A query (a viewer's token) is passed on to all of them.
 * Undefined if `src` is empty or no address.
 * @param base address of the page
 */
export function streamAddresses(src: string, base: string): StreamAddresses | undefined {
  if (src.trim() === '') return undefined;
  let url: URL;
  try {
    url = new URL(src, base);
  } catch {
    return undefined;
  }
  // Whoever names a WebSocket, and not that of fMP4, gets FLV by it, too.
  const socket = /^wss?:$/.test(url.protocol) && !url.pathname.endsWith('.fmp4');
  if (url.protocol === 'ws:') url.protocol = 'http:';
  if (url.protocol === 'wss:') url.protocol = 'https:';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const path = url.pathname.replace(TS_PLAYLIST, '$1').replace(SUFFIX, '').replace(/\/+$/, '');
  if (path === '') return undefined;
  const query = url.search;
  const http = `${url.origin}${path}`;
  return {
    name: safeDecode(path.slice(1)),
    ws: `${http.replace(/^http/, 'ws')}.fmp4${query}`,
    relay: `${http.replace(/^http/, 'ws')}.relay${query}`,
    hls: `${http}/index.m3u8${query}`,
    flv: `${socket ? http.replace(/^http/, 'ws') : http}.flv${query}`,
    whep: `${http}/whep${query}`,
  };
}

function safeDecode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** `address` with more query parameters. */
export function withQuery(address: string, query: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(address);
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value);
  return url.href;
}
