import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import {
  type AnswererTransport,
  attribute,
  type Offer,
  type OfferedMedia,
  parseSdp,
  reducedOffer,
  type Taken,
} from '@onair/media/sdp';
import type * as Library from 'node-datachannel';
import type { RtcChannel, RtcEndpoint, RtcPeer, RtcPeerHandlers } from './rtc-peer.ts';

/** What the endpoint is opened with. */
export interface RtcEndpointOptions {
  /** 0 picks one. */
  readonly port: number;
  /** Address to listen on; undefined for all. */
  readonly host: string | undefined;
  /** Addresses told to clients instead of the machine's own; empty for those. */
  addresses(): readonly string[];
}

/** Of an address that the operator named; like a host candidate of RFC 8445 §5.1.2. */
const HOST_PREFERENCE = 126;

/**
 * Opens the UDP port.
 * Rejects if the port is taken or the library does not run on this machine.
 */
export async function openRtcEndpoint(options: RtcEndpointOptions): Promise<RtcEndpoint> {
  const library = await import('node-datachannel');
  const port = await pickPort(options.port, options.host);
  // Keeps the port while there is no session.
  const holder = new library.IceUdpMuxListener(port, options.host);
  holder.onUnhandledStunRequest(() => undefined);
  const open = new Set<LibraryPeer>();
  return {
    port,
    accept(offer, taken, local, handlers, data) {
      const candidates = candidatesOf(options, port, local);
      const answered = { offer, taken, data };
      const peer = new LibraryPeer(library, { port, host: options.host, candidates }, answered, {
        ...(handlers.channel === undefined
          ? {}
          : { channel: (channel: RtcChannel) => handlers.channel?.(channel) }),
        opened: () => handlers.opened(),
        packet: (mid, bytes) => handlers.packet(mid, bytes),
        closed: (reason) => {
          open.delete(peer);
          handlers.closed(reason);
        },
      });
      open.add(peer);
      return peer;
    },
    close() {
      for (const peer of open) peer.close();
      open.clear();
      holder.stop();
    },
  };
}

/** Finds out that the port is free, or which one is. */
function pickPort(port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host !== undefined && !isIPv6(host) ? 'udp4' : 'udp6');
    socket.once('error', reject);
    socket.bind({ port, ...(host === undefined ? {} : { address: host }), exclusive: true }, () => {
      const picked = socket.address().port;
      socket.close(() => resolve(picked));
    });
  });
}

function candidatesOf({ addresses, host }: RtcEndpointOptions, port: number, local: boolean): string[] {
  const named = addresses();
  const own = host !== undefined ? [host] : named.length > 0 ? named : machineAddresses();
  const all = local && host === undefined ? ['127.0.0.1', ...own] : own;
  return all.slice(0, 24).map((address, i) => {
    const priority = HOST_PREFERENCE * 2 ** 24 + (65_535 - i) * 2 ** 8 + 255;
    return `${i + 1} 1 udp ${priority} ${address} ${port} typ host`;
  });
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.toLowerCase().startsWith('fe80:'))
    .map(({ address }) => address);
}

interface Place {
  readonly port: number;
  readonly host: string | undefined;
  readonly candidates: readonly string[];
}

/** An offer and what is taken of it. */
interface Answered {
  readonly offer: Offer;
  readonly taken: readonly Taken[];
  readonly data: OfferedMedia | undefined;
}

/**
 * True if packets will come from sources that the offer does not name, as those of layers do: the library hands them over
 * only where it knows of a single section.
 */
function unnamed(taken: readonly Taken[]): boolean {
  return taken.some(
    ({ direction, media, layers, rtx }) =>
      direction === 'recvonly' &&
      (layers !== undefined ||
        media.ssrcs.length === 0 ||
        (rtx !== undefined && media.rtxSsrcs.length === 0)),
  );
}

/** Messages that the other end may send on a channel where nobody listens. */
const MAX_CHATTER = 100;

/** A transport of node-datachannel. */
class LibraryPeer implements RtcPeer {
  readonly transport: AnswererTransport;
  readonly #connection: Library.PeerConnection;
  readonly #tracks = new Map<string, Library.Track>();
  readonly #handlers: RtcPeerHandlers;
  /** All sections share the first one's track; packets are told apart by their payload type. */
  readonly #shared: readonly Taken[] | undefined;
  #channel: Library.DataChannel | undefined;
  #over = false;

  constructor(
    library: typeof Library,
    place: Place,
    { offer, taken, data }: Answered,
    handlers: RtcPeerHandlers,
  ) {
    this.#handlers = handlers;
    this.#shared = unnamed(taken) ? taken : undefined;
    const known = this.#shared === undefined ? taken : taken.slice(0, 1);
    const connection = new library.PeerConnection('onair', {
      iceServers: [],
      enableIceUdpMux: true,
      portRangeBegin: place.port,
      portRangeEnd: place.port,
      disableAutoNegotiation: true,
      ...(place.host === undefined ? {} : { bindAddress: place.host }),
    });
    this.#connection = connection;
    try {
      for (const one of known) this.#addTrack(library, one);
      connection.onStateChange((state) => this.#changed(state));
      connection.onDataChannel((channel) => this.#opened(channel));
      connection.setRemoteDescription(reducedOffer(offer, known, data), 'offer');
      connection.setLocalDescription('answer');
      const own = parseSdp(connection.localDescription()?.sdp ?? '');
      const parts = [...own.media, own];
      const find = (name: string): string => {
        for (const part of parts) {
          const value = attribute(part, name);
          if (value !== undefined) return value;
        }
        throw new Error(`the library's answer has no ${name}`);
      };
      this.transport = {
        iceUfrag: find('ice-ufrag'),
        icePwd: find('ice-pwd'),
        fingerprint: find('fingerprint'),
        setup: find('setup') === 'passive' ? 'passive' : 'active',
        candidates: place.candidates,
      };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  send(mid: string, packet: Uint8Array): boolean {
    const track = this.#tracks.get(this.#shared?.[0]?.media.mid ?? mid);
    if (this.#over || track === undefined || !track.isOpen()) return false;
    try {
      return track.sendMessageBinary(
        Buffer.isBuffer(packet) ? packet : Buffer.from(packet.buffer, packet.byteOffset, packet.length),
      );
    } catch {
      return false;
    }
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    for (const track of this.#tracks.values()) track.close();
    this.#connection.close();
  }

  #opened(channel: Library.DataChannel): void {
    if (this.#over || this.#channel !== undefined || this.#handlers.channel === undefined) {
      channel.close();
      return;
    }
    this.#channel = channel;
    let heard = 0;
    channel.onMessage(() => {
      if (++heard === MAX_CHATTER) channel.close();
    });
    this.#handlers.channel({
      label: channel.getLabel(),
      get backlog() {
        return channel.bufferedAmount();
      },
      send: (text) => {
        try {
          return !this.#over && channel.isOpen() && channel.sendMessage(text);
        } catch {
          return false;
        }
      },
      close: () => channel.close(),
    });
  }

  #addTrack(library: typeof Library, { media, codec, direction, source }: Taken): void {
    const way = direction === 'sendonly' ? 'SendOnly' : 'RecvOnly';
    const type = codec.payloadType;
    const section =
      media.kind === 'video' ? new library.Video(media.mid, way) : new library.Audio(media.mid, way);
    // The library refuses `undefined` in place of what is left out.
    const parameters = codec.parameters === '' ? [] : ([codec.parameters] as const);
    if (section instanceof library.Video)
      section.addVideoCodec(type, codec.name.toUpperCase(), ...parameters);
    else section.addOpusCodec(type, ...parameters);
    if (source !== undefined)
      section.addSSRC(source.ssrc, source.cname, source.stream, `${source.stream}-${media.kind}`);
    const track = this.#connection.addTrack(section);
    this.#tracks.set(media.mid, track);
    track.onMessage((bytes) => {
      if (!this.#over) this.#handlers.packet(this.#midOf(bytes) ?? media.mid, bytes);
    });
  }

  /** Section of a packet on the shared track. RTCP is of any. */
  #midOf(bytes: Uint8Array): string | undefined {
    const type = (bytes[1] ?? 0) & 0x7f;
    return this.#shared?.find(({ codec, rtx }) => codec.payloadType === type || rtx?.payloadType === type)
      ?.media.mid;
  }

  #changed(state: string): void {
    if (this.#over) return;
    if (state === 'connected') this.#handlers.opened();
    else if (state === 'failed' || state === 'closed' || state === 'disconnected') {
      this.close();
      this.#handlers.closed(`transport ${state}`);
    }
  }
}
