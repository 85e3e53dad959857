import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { RtmpeClient, type RtmpUrl } from '@onair/media/rtmp';
import { handshakeCrypto } from './handshake-crypto.ts';
import type { RtmpSocket } from './rtmp-socket.ts';
import { openTunnel } from './rtmp-tunnel-client.ts';
import { RtmpeSocket } from './rtmpe-socket.ts';

/** How far the certificate of the other end is believed. */
export interface DialOptions {
  /** False takes any certificate; true, the default, those that the system knows. */
  readonly verify?: boolean | undefined;
}

/** A connection that is being opened. What is written before it is open goes out then. */
export interface DialedRtmp {
  readonly socket: RtmpSocket;
  /** True if the session must not do a handshake: RTMPE did its own. */
  readonly shaken: boolean;
}

/** Opens a connection to the server of an address in any of the six ways. */
export function dialRtmp(url: RtmpUrl, options: DialOptions = {}): DialedRtmp {
  const { scheme, host, port } = url;
  const rejectUnauthorized = options.verify !== false;
  switch (scheme) {
    case 'rtmp':
      return { socket: tcp(host, port), shaken: false };
    case 'rtmps': {
      // A server name must be a name (RFC 6066 §3).
      const name = isIP(host) === 0 ? { servername: host } : {};
      const socket = connectTls({ host, port, rejectUnauthorized, ...name });
      socket.setNoDelay(true);
      return { socket, shaken: false };
    }
    case 'rtmpt':
    case 'rtmpts':
      return {
        socket: openTunnel({ host, port, secure: scheme === 'rtmpts', rejectUnauthorized }),
        shaken: false,
      };
    case 'rtmpe':
      return encrypted(tcp(host, port));
    case 'rtmpte':
      return encrypted(openTunnel({ host, port, secure: false, rejectUnauthorized }));
  }
}

function tcp(host: string, port: number): Socket {
  return connectTcp({ host, port, noDelay: true });
}

function encrypted(below: RtmpSocket): DialedRtmp {
  return { socket: RtmpeSocket.open(below, new RtmpeClient(handshakeCrypto)), shaken: true };
}
