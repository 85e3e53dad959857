import { RTMP_PORTS, type RtmpScheme } from '@onair/media/rtmp';

/** How a page gets to the server of an address. */
export interface Door {
  /** RTMP over WebSocket, or in HTTP requests: RTMPT. */
  readonly kind: 'socket' | 'tunnel';
  /** Address of the WebSocket, or of the HTTP server without a slash at its end. */
  readonly url: string;
  /** Application, with its query if it has one. */
  readonly app: string;
  /** What the server is told as its address. */
  readonly tcUrl: string;
}

/** Where a page is. */
export type PagePlace = Pick<Location, 'protocol' | 'hostname' | 'host'>;

const FORM =
  /^(rtmp|rtmps|rtmpt|rtmpts|ws|wss):(?:\/\/(\[[0-9a-f:.]+\]|[^/:@?#[\]\s]+)(?::(\d{1,5}))?)?\/(?!\/)([^\s]*)$/i;
/** Longest address, in characters. */
const MAX_LENGTH = 4096;

/**
 * The door for an address: `rtmp://HOST[:PORT]/APP` and `rtmps:` lead to `/rtmp` by WebSocket, `ws:` and `wss:` too, `rtmpt:` and
 * `rtmpts:` through HTTP. The host of the page without a port, or none (`rtmp:/APP`), is the page's own server.
 * Undefined for anything else.
 */
export function doorOf(command: string, page: PagePlace | undefined): Door | undefined {
  const match = command.length > MAX_LENGTH ? null : FORM.exec(command);
  const scheme = match?.[1]?.toLowerCase();
  if (match === null || scheme === undefined) return undefined;
  const [, , host, port, path] = match;
  const app = (path ?? '').replace(/^\/+|\/+$/g, '');
  if (app === '' || Number(port ?? 1) > 65_535) return undefined;
  const tunnel = scheme === 'rtmpt' || scheme === 'rtmpts';
  const own = page !== undefined && port === undefined && (host === undefined || host === page.hostname);
  const secure = own ? page.protocol === 'https:' : scheme.endsWith('s') && scheme !== 'ws';
  if (host === undefined && !own) return undefined;
  const authority = own ? page.host : `${host}${port === undefined ? portOf(scheme) : `:${port}`}`;
  const url = tunnel
    ? `http${secure ? 's' : ''}://${authority}`
    : `ws${secure ? 's' : ''}://${authority}/rtmp`;
  return {
    kind: tunnel ? 'tunnel' : 'socket',
    url,
    app,
    tcUrl: host === undefined ? `rtmp://${authority}/${app}` : command,
  };
}

/** The port of RTMP, which takes WebSockets too; addresses of the web have ports of their own. */
function portOf(scheme: string): string {
  return scheme in RTMP_PORTS ? `:${RTMP_PORTS[scheme as RtmpScheme]}` : '';
}
