import { ParseError } from '../model/errors.ts';
import type { Credentials } from './challenge.ts';

/** Ways RTMP travels: plain, over TLS, in HTTP, in HTTPS, encrypted (RTMPE), encrypted in HTTP. */
export type RtmpScheme = 'rtmp' | 'rtmps' | 'rtmpt' | 'rtmpts' | 'rtmpe' | 'rtmpte';

/** An address of a stream or an application. Nothing is decoded: RTMP sends names as they stand. */
export interface RtmpUrl {
  readonly scheme: RtmpScheme;
  /** Name or address; without brackets for IPv6. */
  readonly host: string;
  readonly port: number;
  /** Application as sent in `connect`: first part of the path, or the first two of three and more. */
  readonly app: string;
  /** Stream name without query; '' for an address of an application. */
  readonly name: string;
  /** What follows `?` behind the name, without it. */
  readonly query: string;
  /** What to send to the server as stream name: name and query. */
  readonly playpath: string;
  /** What to send as tcUrl. */
  readonly tcUrl: string;
  /** Name and password in front of the host, for servers that ask for them. */
  readonly credentials?: Credentials;
}

/** Ports used where an address names none. */
export const RTMP_PORTS: Readonly<Record<RtmpScheme, number>> = {
  rtmp: 1935,
  rtmps: 443,
  rtmpt: 80,
  rtmpts: 443,
  rtmpe: 1935,
  rtmpte: 80,
};

/** Longest address read, in characters. */
export const MAX_RTMP_URL_LENGTH = 4096;

const FORM =
  /^(rtmp[a-z]{0,2}):\/\/(?:([^/:@?#\s]+):([^/@?#\s]*)@)?(?:\[([0-9a-fA-F:.]+)\]|([^/:@?#[\]\s]+))(?::(\d{1,5}))?(?:\/(\S*))?$/;

/**
 * Takes an rtmp URL apart.
 * @throws ParseError `RTMP_URL_INVALID` for another scheme, no host, a bad port or half of a name and password.
 */
export function parseRtmpUrl(url: string): RtmpUrl {
  const match = url.length <= MAX_RTMP_URL_LENGTH ? FORM.exec(url) : null;
  const scheme = match?.[1] as RtmpScheme | undefined;
  const standard =
    scheme === undefined || !Object.hasOwn(RTMP_PORTS, scheme) ? undefined : RTMP_PORTS[scheme];
  if (match === null || scheme === undefined || standard === undefined) invalid(url);
  const port = match[6] === undefined ? standard : Number(match[6]);
  if (port < 1 || port > 65_535) invalid(url);
  const v6 = match[4];
  const host = v6 ?? match[5]!;
  const path = match[7] ?? '';
  const mark = path.indexOf('?');
  // `app?vhost=x/name` has its query in front of the last slash, `app/name?token=a/b` behind the name.
  const inApp = mark >= 0 && !path.slice(0, mark).includes('/') && path.lastIndexOf('/') > mark;
  const cut = mark < 0 || inApp ? path.length : mark;
  const parts = inApp
    ? [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)]
    : path.slice(0, cut).split('/');
  const depth = parts.length > 2 ? 2 : 1;
  const app = parts.slice(0, depth).join('/');
  const name = parts.slice(depth).join('/');
  const query = path.slice(cut + 1);
  const authority = `${v6 === undefined ? host : `[${v6}]`}${port === standard ? '' : `:${port}`}`;
  return {
    scheme,
    host,
    port,
    app,
    name,
    query,
    playpath: query === '' ? name : `${name}?${query}`,
    tcUrl: `${scheme}://${authority}/${app}`,
    ...(match[2] === undefined
      ? {}
      : { credentials: { user: decoded(match[2]), password: decoded(match[3]!) } }),
  };
}

/** The same address with a query behind the application, as the answer to a challenge needs it. */
export function withAppQuery(url: RtmpUrl, query: string): RtmpUrl {
  const mark = url.app.includes('?') ? '&' : '?';
  return { ...url, app: `${url.app}${mark}${query}`, tcUrl: `${url.tcUrl}${mark}${query}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function invalid(url: string): never {
  throw new ParseError(
    'RTMP_URL_INVALID',
    'rtmp URL',
    `rtmp://HOST[:PORT]/APP/NAME wanted, received ${JSON.stringify(url.replace(/\/\/[^/]*@/, '//***@').slice(0, 80))}`,
  );
}
