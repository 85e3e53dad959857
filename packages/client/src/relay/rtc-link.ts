import { RELAY_CHANNEL, type RelaySignalling } from '@onair/contracts/relay';
import { HIGH_WATER } from './child-pump.ts';
import type { LinkFactory, LinkOwner, RelayLink } from './ports.ts';

/** Candidates that come before the description they belong to; more than these nobody has. */
const MAX_EARLY = 64;

/** Makes links of the browser's peer connections, or of what a program has in their place. */
export function rtcLinks(Connection: new (ice: RTCConfiguration) => RTCPeerConnection): LinkFactory {
  return (role, ice, owner) => new RtcLink(new Connection(ice), role, owner);
}

/** A data channel over a peer connection of its own. */
class RtcLink implements RelayLink {
  readonly #peer: RTCPeerConnection;
  readonly #owner: LinkOwner;
  #channel: RTCDataChannel | undefined;
  #early: RTCIceCandidateInit[] | undefined = [];
  /** Descriptions are taken one after the other. */
  #chain: Promise<void> = Promise.resolve();
  #over = false;

  constructor(peer: RTCPeerConnection, role: 'child' | 'parent', owner: LinkOwner) {
    this.#peer = peer;
    this.#owner = owner;
    peer.onicecandidate = ({ candidate }) => {
      if (candidate === null || this.#over) return;
      owner.signal({ candidate: { candidate: candidate.candidate, mid: candidate.sdpMid ?? '0' } });
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === 'failed' || peer.connectionState === 'closed') this.#end();
    };
    peer.ondatachannel = ({ channel }) => {
      if (role === 'parent' && this.#channel === undefined && channel.label === RELAY_CHANNEL)
        this.#take(channel);
    };
    if (role === 'child') {
      this.#take(peer.createDataChannel(RELAY_CHANNEL));
      this.#run(async () => this.#describe(await peer.createOffer()));
    }
  }

  get buffered(): number {
    return this.#channel?.bufferedAmount ?? 0;
  }

  send(message: Uint8Array): void {
    if (this.#channel?.readyState !== 'open') return;
    try {
      this.#channel.send(message as Uint8Array<ArrayBuffer>);
    } catch {
      // The channel's queue is full or it closed meanwhile.
      this.#end();
    }
  }

  signal({ description, candidate }: RelaySignalling): void {
    if (description !== undefined) {
      this.#run(async () => {
        await this.#peer.setRemoteDescription(description);
        for (const early of this.#early ?? []) await this.#peer.addIceCandidate(early);
        this.#early = undefined;
        if (description.type === 'offer') await this.#describe(await this.#peer.createAnswer());
      });
    }
    if (candidate === undefined) return;
    const init = { candidate: candidate.candidate, sdpMid: candidate.mid };
    this.#run(async () => {
      if (this.#early === undefined) await this.#peer.addIceCandidate(init);
      else if (this.#early.length < MAX_EARLY) this.#early.push(init);
    });
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#peer.close();
  }

  async #describe(description: RTCSessionDescriptionInit): Promise<void> {
    await this.#peer.setLocalDescription(description);
    if (this.#over) return;
    const { type, sdp } = this.#peer.localDescription ?? description;
    if (type !== 'offer' && type !== 'answer') return;
    this.#owner.signal({ description: { type, sdp: sdp ?? '' } });
  }

  #take(channel: RTCDataChannel): void {
    this.#channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = HIGH_WATER / 2;
    const opened = (): void => {
      if (!this.#over) this.#owner.opened();
    };
    channel.onopen = opened;
    channel.onclose = () => this.#end();
    channel.onbufferedamountlow = () => {
      if (!this.#over) this.#owner.drained();
    };
    channel.onmessage = ({ data }) => {
      if (!this.#over && data instanceof ArrayBuffer) this.#owner.message(new Uint8Array(data));
    };
    if (channel.readyState === 'open') queueMicrotask(opened);
  }

  #run(step: () => Promise<void>): void {
    this.#chain = this.#chain.then(async () => {
      if (this.#over) return;
      try {
        await step();
      } catch {
        this.#end();
      }
    });
  }

  #end(): void {
    if (this.#over) return;
    this.close();
    this.#owner.closed();
  }
}
