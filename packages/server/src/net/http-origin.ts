import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Config } from '../config/index.ts';
import { HttpProblem } from './http-problem.ts';

/** The host name in a `Host` header or the like, without port, in lower case; undefined if it is malformed. */
export function hostNameOf(host: string | undefined): string | undefined {
  if (host === undefined || host.length > 255) return undefined;
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/**
 * Refuses a `Host` that may be a stranger's name pointed at this server (DNS rebinding): names must be listed,
 * plain addresses and names of this machine are fine.
 * @throws HttpProblem `HOST_REFUSED`.
 */
export function checkHost(request: IncomingMessage, settings: Config['http']): void {
  const name = hostNameOf(request.headers.host);
  if (name !== undefined && (isIP(name) !== 0 || ownNames(settings).has(name) || name.endsWith('.localhost')))
    return;
  throw new HttpProblem('HOST_REFUSED', {
    detail: `add the name to http.allowedHosts if it is yours: ${name ?? 'no valid Host header'}`,
  });
}

function ownNames(settings: Config['http']): ReadonlySet<string> {
  const machine = hostname().toLowerCase();
  const names = [
    'localhost',
    machine,
    `${machine}.local`,
    ...settings.allowedHosts.map((name) => name.toLowerCase()),
  ];
  if (settings.publicUrl !== undefined) names.push(new URL(settings.publicUrl).hostname.toLowerCase());
  return new Set(names);
}

/**
 * Refuses requests that a page of a foreign origin makes a browser send. Programs send no `Origin` and pass.
 * @throws HttpProblem `ORIGIN_REFUSED`.
 */
export function checkOrigin(request: IncomingMessage, settings: Config['http']): void {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin === undefined) {
    if (site === undefined || site === 'same-origin' || site === 'none') return;
    throw new HttpProblem('ORIGIN_REFUSED', { detail: 'the request comes from another site' });
  }
  if (isOwnOrigin(origin, host, settings)) return;
  throw new HttpProblem('ORIGIN_REFUSED', {
    detail: `add the origin to http.allowedOrigins if it may: ${origin.slice(0, 255)}`,
  });
}

/** True if pages of `origin` may act on this server: the server's own origin, or one that is listed. */
export function isOwnOrigin(origin: string, host: string | undefined, settings: Config['http']): boolean {
  if (settings.allowedOrigins.includes(origin) || origin === settings.publicUrl) return true;
  if (host === undefined || !/^https?:\/\//.test(origin)) return false;
  // Which scheme a browser used is not known behind a proxy; the host decides.
  return origin.slice(origin.indexOf('://') + 3).toLowerCase() === host.toLowerCase();
}
