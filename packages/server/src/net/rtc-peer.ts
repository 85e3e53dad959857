import type { AnswererTransport, Offer, OfferedMedia, Taken } from '@onair/media/sdp';

/** What happens on a WebRTC transport. Called on the event loop; nothing thrown may leave. */
export interface RtcPeerHandlers {
  /** Both ends have keys: media can flow. */
  opened(): void;
  /** RTP or RTCP in clear; the buffer is the handler's. @param mid section of the offer. */
  packet(mid: string, bytes: Uint8Array): void;
  /** The other end opened a data channel, the only one of its transport; what it says is dropped. */
  channel?(channel: RtcChannel): void;
  /** The transport is over. Called once, and not after {@link RtcPeer.close}. */
  closed(reason: string): void;
}

/** A data channel by which this end talks. */
export interface RtcChannel {
  readonly label: string;
  /** Octets that wait to be sent. */
  readonly backlog: number;
  /** Sends a text. False if it did not go out. */
  send(text: string): boolean;
  /** Ends the channel alone. Safe to call twice. */
  close(): void;
}

/** One WebRTC transport that carries media. */
export interface RtcPeer {
  /** This end, as the answer tells it. */
  readonly transport: AnswererTransport;
  /** Sends RTP or RTCP; the bytes are free again afterwards. False if it did not go out. */
  send(mid: string, packet: Uint8Array): boolean;
  /** Ends the transport. Safe to call twice. */
  close(): void;
}

/** Where WebRTC transports begin: one UDP port for all of them. */
export interface RtcEndpoint {
  /** UDP port. */
  readonly port: number;
  /**
   * Begins the transport that answers an offer. Only what the offer's transport sends is listened to: no packet is
   * sent to an address that has not shown the password of this session.
   * @param local true if the other end is on this machine.
   * @param data the offer's section for data channels, if they are taken.
   * @throws Error if the library refuses.
   */
  accept(
    offer: Offer,
    taken: readonly Taken[],
    local: boolean,
    handlers: RtcPeerHandlers,
    data?: OfferedMedia,
  ): RtcPeer;
  /** Ends every transport and releases the port. */
  close(): void;
}
