import { connect as connectTcp, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { RtmpeClient, type RtmpUrl } from '@onair/media/rtmp';
import { handshakeCrypto } from './handshake-crypto.ts';
import { lookupWithin, type Reach } from './outbound.ts';
import type { RtmpSocket } from './rtmp-socket.ts';
import { openTunnel } from './rtmp-tunnel-client.ts';
import { RtmpeSocket } from './rtmpe-socket.ts';

/** How far the certificate of the other end is believed. */
export interface DialOptions {
  /** False takes any certificate; true, the default, those that the system knows. */
  readonly verify?: boolean | undefined;
  /** Where the connection may lead; anywhere unless given. */
  readonly reach?: Reach | undefined;
}

/** A connection that is being opened. What is written before it is open goes out then. */
export interface DialedRtmp {
  readonly socket: RtmpSocket;
  /** True if the session must not do a handshake: RTMPE did its own. */
  readonly shaken: boolean;
}

/**
 * Opens a connection to the server of an address in any of the six ways.
 * @throws Error for an address out of reach.
 */
export function dialRtmp(url: RtmpUrl, options: DialOptions = {}): DialedRtmp {
  const { scheme, host, port } = url;
  const rejectUnauthorized = options.verify !== false;
  const lookup = lookupWithin(options.reach ?? 'anywhere', host);
  const to = { host, port, ...(lookup === undefined ? {} : { lookup }) };
  switch (scheme) {
    case 'rtmp':
      return { socket: tcp(to), shaken: false };
    case 'rtmps': {
      // A server name must be a name (RFC 6066 §3).
      const name = isIP(host) === 0 ? { servername: host } : {};
      const socket = connectTls({ ...to, rejectUnauthorized, ...name });
      socket.setNoDelay(true);
      return { socket, shaken: false };
    }
    case 'rtmpt':
    case 'rtmpts':
      return {
        socket: openTunnel({ ...to, secure: scheme === 'rtmpts', rejectUnauthorized }),
        shaken: false,
      };
    case 'rtmpe':
      return encrypted(tcp(to));
    case 'rtmpte':
      return encrypted(openTunnel({ ...to, secure: false, rejectUnauthorized }));
  }
}

function tcp(to: TcpNetConnectOpts): Socket {
  return connectTcp({ ...to, noDelay: true });
}

function encrypted(below: RtmpSocket): DialedRtmp {
  return { socket: RtmpeSocket.open(below, new RtmpeClient(handshakeCrypto)), shaken: true };
}
