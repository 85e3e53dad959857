import { createRequire } from 'node:module';
import type * as Library from 'node-datachannel';
import { isRtcp } from '../../packages/media/src/rtp/index.ts';
import type { Scope } from './scope.ts';

// It is a dependency of the server, not of the root.
const library = createRequire(new URL('../../packages/server/package.json', import.meta.url))(
  'node-datachannel',
) as typeof Library;

/** Sources of a peer's sections. */
export interface PeerSources {
  readonly video: number;
  readonly audio: number;
}

/** A program that offers one H.264 and one Opus section to WHIP or WHEP. */
export interface OfferingPeer {
  /** Everything that came, oldest first. */
  readonly packets: { readonly video: Buffer[]; readonly audio: Buffer[] };
  /** What the answer names; zeros before it. */
  readonly sources: PeerSources;
  /** Resolves when media can flow. */
  readonly opened: Promise<void>;
  /** Offers; takes the answer if it is 201. */
  offerTo(url: string): Promise<{
    readonly status: number;
    readonly problem?: { readonly code?: string; readonly detail?: string };
  }>;
  /** Passes on to `other` whatever comes from now on, beginning with the next packet. */
  forwardTo(other: OfferingPeer): void;
  send(kind: 'video' | 'audio', packet: Buffer): void;
  /** Ends the session on the server and the transport. */
  end(): Promise<void>;
}

/** A peer that is closed with the scope. @param sources what it will send, for `SendOnly`. */
export async function offeringPeer(
  scope: Scope,
  direction: 'RecvOnly' | 'SendOnly',
  sources?: PeerSources,
): Promise<OfferingPeer> {
  const connection = new library.PeerConnection('test', {
    iceServers: [],
    bindAddress: '127.0.0.1',
    disableAutoNegotiation: true,
  });
  scope.defer(() => connection.close());
  const video = new library.Video('0', direction);
  video.addH264Codec(102);
  const audio = new library.Audio('1', direction);
  audio.addOpusCodec(111);
  if (sources !== undefined) {
    video.addSSRC(sources.video, 'test', 'test', 'v');
    audio.addSSRC(sources.audio, 'test', 'test', 'a');
  }
  const tracks = { video: connection.addTrack(video), audio: connection.addTrack(audio) };
  const packets = { video: [] as Buffer[], audio: [] as Buffer[] };
  const state: { target: OfferingPeer | undefined; resource: string | undefined } = {
    target: undefined,
    resource: undefined,
  };
  const found = { video: 0, audio: 0 };
  for (const kind of ['video', 'audio'] as const) {
    tracks[kind].onMessage((packet) => {
      packets[kind].push(packet);
      state.target?.send(kind, packet);
    });
  }
  const opened = new Promise<void>((resolve) => tracks.video.onOpen(() => resolve()));
  const offer = await new Promise<string>((resolve) => {
    connection.onGatheringStateChange((now) => {
      if (now === 'complete') resolve(connection.localDescription()!.sdp);
    });
    connection.setLocalDescription('offer');
  });
  return {
    packets,
    sources: found,
    opened,
    async offerTo(url) {
      const headers = { 'content-type': 'application/sdp' };
      const answer = await fetch(url, { method: 'POST', headers, body: offer });
      const text = await answer.text();
      if (answer.status !== 201) return { status: answer.status, problem: JSON.parse(text) };
      state.resource = new URL(answer.headers.get('location')!, url).href;
      const [first = '0', second = '0'] = [...text.matchAll(/a=ssrc:(\d+) /g)].map(([, id]) => id!);
      found.video = Number(first);
      found.audio = Number(second);
      connection.setRemoteDescription(text, 'answer');
      return { status: 201 };
    },
    forwardTo(other) {
      state.target = other;
    },
    send(kind, packet) {
      if (isRtcp(packet) || tracks[kind].isOpen()) tracks[kind].sendMessageBinary(packet);
    },
    async end() {
      state.target = undefined;
      if (state.resource !== undefined) await fetch(state.resource, { method: 'DELETE' });
      connection.close();
    },
  };
}
