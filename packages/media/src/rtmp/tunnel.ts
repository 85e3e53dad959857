/** Media type of every request and answer of RTMPT; Flash, FFmpeg and librtmp send it, nobody looks at it. */
export const TUNNEL_CONTENT_TYPE = 'application/x-fcs';
/** First byte of every answer but the one to `open`: how soon to ask again. The server holds `idle` instead. */
export const TUNNEL_INTERVAL = 1;
/** Body of requests that carry nothing. */
export const TUNNEL_EMPTY_BODY: Uint8Array = Uint8Array.of(0);
/** Longest id of a tunnel that is read, in characters. */
export const MAX_TUNNEL_ID_LENGTH = 64;

/** A request of RTMPT, told by its path. There is no public standard; this is what clients send. */
export type TunnelRequest =
  /** Flash asks for the address it should use; 404 lets it go on with this one. */
  | { readonly kind: 'ident' }
  /** Begins a tunnel; its id is the answer. */
  | { readonly kind: 'open' }
  | {
      /** Bytes up; nothing but a wish for bytes; the end. Each is answered with bytes down. */
      readonly kind: 'send' | 'idle' | 'close';
      readonly id: string;
      /** Counts the requests of a tunnel, so that they may come by several connections. */
      readonly sequence: number;
    };

const STEP = /^\/(send|idle|close)\/([A-Za-z0-9_-]{1,64})\/(\d{1,9})$/;

/** The request that a path stands for; undefined if it is none of RTMPT. */
export function parseTunnelPath(path: string): TunnelRequest | undefined {
  if (path === '/fcs/ident2' || path === '/fcs/ident') return { kind: 'ident' };
  if (/^\/open(?:\/\d{1,9})?$/.test(path)) return { kind: 'open' };
  const match = STEP.exec(path);
  if (match === null) return undefined;
  return { kind: match[1] as 'send' | 'idle' | 'close', id: match[2]!, sequence: Number(match[3]) };
}

/** The path of a request. */
export function tunnelPath(request: TunnelRequest): string {
  switch (request.kind) {
    case 'ident':
      return '/fcs/ident2';
    case 'open':
      return '/open/1';
    default:
      return `/${request.kind}/${request.id}/${request.sequence}`;
  }
}

/** The id in an answer to `open`; undefined if it is none that a path can hold. */
export function tunnelId(answer: string): string | undefined {
  const id = answer.trim();
  return /^[A-Za-z0-9_-]{1,64}$/.test(id) ? id : undefined;
}
