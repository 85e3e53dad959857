import { isNamePart } from '@onair/media/model';

/** A stream as an address names it. */
export interface StreamAddress {
  readonly app: string;
  readonly name: string;
  /** `APP/NAME`. */
  readonly full: string;
}

/** The stream that a path like `/watch/APP/NAME` or `/watch/NAME` names; undefined if it names none. */
export function streamOfPath(pathname: string): StreamAddress | undefined {
  const [, , first, second, ...rest] = pathname.replace(/\/+$/, '').split('/');
  const [app, name] = second === undefined ? ['live', first] : [first, second];
  if (!isNamePart(app) || !isNamePart(name) || rest.length > 0) return undefined;
  return { app, name, full: `${app}/${name}` };
}

/** Every address under which a stream can be opened in another program. */
export function outsideAddresses(
  stream: StreamAddress,
  origin: string,
  rtmp: string,
): readonly { readonly kind: string; readonly url: string }[] {
  const base = `${origin}/${stream.full}`;
  const socket = base.replace(/^http/, 'ws');
  return [
    { kind: 'RTMP', url: rtmp },
    { kind: 'HTTP-FLV', url: `${base}.flv` },
    { kind: 'WebSocket-FLV', url: `${socket}.flv` },
    { kind: 'WebSocket fMP4', url: `${socket}.fmp4` },
    { kind: 'WebRTC (WHEP)', url: `${base}/whep` },
    { kind: 'LL-HLS', url: `${base}/index.m3u8` },
    { kind: 'HLS (MPEG-TS)', url: `${base}/ts.m3u8` },
    { kind: 'LL-DASH', url: `${base}/manifest.mpd` },
  ];
}

/** The element that shows the stream inside a page of others. */
export function embedCode(stream: StreamAddress, origin: string): string {
  return `<iframe src="${origin}/embed/${stream.full}" width="640" height="360" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen></iframe>`;
}

/** The player as an element of a page of others. */
export function elementCode(stream: StreamAddress, origin: string): string {
  return `<script type="module" src="${origin}/onair-player.js"></script>\n<onair-player src="${origin}/${stream.full}" autoplay muted controls></onair-player>`;
}
