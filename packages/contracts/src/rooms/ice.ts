import type { Field } from '../api/index.ts';

/** A STUN or TURN server as browsers take it (RTCIceServer of WebRTC 1.0). */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

/** `relay`: connections go through TURN only, so that nobody learns another's address. */
export const ICE_POLICIES = ['all', 'relay'] as const;

/** How clients are to connect. */
export interface IceSettings {
  readonly iceServers: readonly IceServer[];
  readonly iceTransportPolicy: (typeof ICE_POLICIES)[number];
}

/** Reads STUN and TURN servers. @throws DecodeError */
export function decodeIceServers(field: Field): IceServer[] {
  return field.list(
    (server) => ({
      urls: server.at('urls').list((url) => url.string(255), 8),
      ...server.optional('username', (name) => name.string(512)),
      ...server.optional('credential', (word) => word.string(512)),
    }),
    16,
  );
}

/** Reads how to connect. @throws DecodeError */
export function decodeIceSettings(field: Field): IceSettings {
  return {
    iceServers: decodeIceServers(field.at('iceServers')),
    iceTransportPolicy: field.at('iceTransportPolicy').oneOf(ICE_POLICIES),
  };
}
