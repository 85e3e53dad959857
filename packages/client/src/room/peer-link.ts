import type { IceSettings } from '@onair/contracts/rooms';

/** Makes the browser's connections; tests have their own. */
export type PeerFactory = (ice: IceSettings) => RTCPeerConnection;

/** The browser's own connections. */
export const browserPeers: PeerFactory = (ice) => new RTCPeerConnection(peerSettings(ice));

/** How to connect, as browsers take it. */
export function peerSettings({ iceServers, iceTransportPolicy }: IceSettings): RTCConfiguration {
  return {
    iceServers: iceServers.map((server) => ({ ...server, urls: [...server.urls] })),
    iceTransportPolicy,
  };
}

/** What a connection tells the other side, and its owner. */
export interface PeerLinkEvents {
  candidate(candidate: RTCIceCandidate): void;
  /** Pictures can flow, or no longer will. */
  state(state: RTCPeerConnectionState): void;
}

/** Candidates that wait for the description at one time; a browser gathers some dozens. */
const MAX_WAITING = 256;

/** One connection to another member. Keeps candidates that come before the description. */
export class PeerLink {
  readonly peer: RTCPeerConnection;
  #waiting: RTCIceCandidateInit[] = [];
  #described = false;

  constructor(peer: RTCPeerConnection, events: PeerLinkEvents) {
    this.peer = peer;
    peer.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate !== null && candidate.candidate !== '') events.candidate(candidate);
    });
    peer.addEventListener('connectionstatechange', () => events.state(peer.connectionState));
  }

  /** Sets the other side's description, then adds the candidates that came before it. */
  async describe(description: RTCSessionDescriptionInit): Promise<void> {
    await this.peer.setRemoteDescription(description);
    this.#described = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const candidate of waiting) await this.#add(candidate);
  }

  /** Adds a candidate of the other side, now or once its description is there. */
  async candidate(candidate: RTCIceCandidateInit): Promise<void> {
    if (this.#described) await this.#add(candidate);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(candidate);
  }

  close(): void {
    this.peer.close();
  }

  async #add(candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await this.peer.addIceCandidate(candidate);
    } catch {
      // One that this browser does not understand; the others will do.
    }
  }
}
