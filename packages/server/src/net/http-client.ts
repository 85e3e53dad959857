import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';
import type { Config } from '../config/index.ts';
import { isLoopback, normalizeAddress } from '../observe/index.ts';
import type { RequestOrigin } from './http-exchange.ts';

/** Who is at the other end of a request. */
export interface HttpClient {
  /** Address without port; behind a trusted proxy the one that the proxy saw. */
  readonly address: string;
  /** True for a program on this machine. Never true for a request that a proxy passed on without being trusted. */
  readonly local: boolean;
  /** True if a proxy that is not trusted says it passed the request on. */
  readonly forwarded: boolean;
  /** True if the person's own connection is encrypted. */
  readonly secure: boolean;
}

/** Tells who is at the other end, as far as proxies are to be believed. */
export type ClientReader = (request: RequestOrigin) => HttpClient;

/** Most hops of a forwarding header that are looked at. */
const MAX_HOPS = 20;

/** True for an address that is listed, alone or within a range. */
export type ProxyTrust = (address: string) => boolean;

/** Makes the test for a list of trusted proxies (addresses and CIDR ranges, validated by the configuration). */
export function createProxyTrust(trustedProxies: Config['http']['trustedProxies']): ProxyTrust {
  const trusted = new BlockList();
  for (const range of trustedProxies) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  if (trustedProxies.length === 0) return () => false;
  return (address) => {
    const family = isIP(address);
    return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

interface Peer {
  readonly address: string;
  readonly loopback: boolean;
  /** The headers that {@link client} was read from: a connection that polls sends the same each time. */
  headers: IncomingHttpHeaders | undefined;
  client: HttpClient | undefined;
}

function peerOf(peers: WeakMap<Socket, Peer>, socket: Socket): Peer {
  let peer = peers.get(socket);
  if (peer === undefined) {
    const address = normalizeAddress(socket.remoteAddress);
    peer = { address, loopback: isLoopback(address), headers: undefined, client: undefined };
    // A socket that is closed already has no address any more.
    if (address !== '') peers.set(socket, peer);
  }
  return peer;
}

/** Makes the reader that believes these proxies. */
export function createClientReader(isTrusted: ProxyTrust): ClientReader {
  /** Who is at the end of a connection: found once, not for every request. */
  const peers = new WeakMap<Socket, Peer>();
  return ({ headers, socket }) => {
    const peer = peerOf(peers, socket);
    if (peer.client === undefined || peer.headers !== headers) {
      peer.client = read(peer, headers, socket);
      peer.headers = headers;
    }
    return peer.client;
  };

  function read(peer: Peer, headers: IncomingHttpHeaders, socket: Socket): HttpClient {
    let { address } = peer;
    const encrypted = 'encrypted' in socket && socket.encrypted === true;
    if (!isTrusted(address)) {
      const forwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
      return { address, local: peer.loopback && !forwarded, forwarded, secure: encrypted };
    }
    const hops = String(headers['x-forwarded-for'] ?? '')
      .split(',')
      .slice(-MAX_HOPS);
    while (hops.length > 0 && isTrusted(address)) {
      const hop = normalizeAddress(hops.pop()!.trim());
      if (isIP(hop) === 0) break;
      address = hop;
    }
    const secure = encrypted || headers['x-forwarded-proto'] === 'https';
    return { address, local: isLoopback(address), forwarded: false, secure };
  }
}
