import { createHmac } from 'node:crypto';
import type { IceServer, IceSettings } from '@onair/contracts/rooms';
import type { Config } from '../config/index.ts';

/**
 * STUN and TURN servers for one client. Where a secret is shared with TURN servers the user name is `EXPIRY:ID`, expiry in
 * Unix seconds, and the password its HMAC-SHA1 in base64 (draft-uberti-behave-turn-rest-00 §2.2).
 * @param id of whom it is for, for the log of the TURN server. @param wallMs Unix milliseconds.
 */
export function iceSettings(ice: Config['ice'], id: string, wallMs: number): IceSettings {
  const { servers, turnUrls, turnSecret, turnSeconds, relayOnly } = ice;
  const iceServers: IceServer[] = servers.map(({ urls, username, credential }) => ({
    urls,
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  }));
  if (turnSecret !== undefined && turnUrls.length > 0) {
    const username = `${Math.floor(wallMs / 1000) + turnSeconds}:${id.replaceAll(/[^\w.-]/g, '_').slice(0, 64)}`;
    const credential = createHmac('sha1', turnSecret).update(username).digest('base64');
    iceServers.push({ urls: turnUrls, username, credential });
  }
  return { iceServers, iceTransportPolicy: relayOnly ? 'relay' : 'all' };
}

/** The servers as values of a `Link` header (RFC 9725 §4.6). */
export function iceLinks(servers: readonly IceServer[]): string[] {
  return servers.flatMap(({ urls, username, credential }) =>
    urls.map((url) => {
      const link = `<${url}>; rel="ice-server"`;
      if (username === undefined || credential === undefined || !/^turns?:/.test(url)) return link;
      return `${link}; username="${username}"; credential="${credential}"; credential-type="password"`;
    }),
  );
}
