import { randomBytes } from 'node:crypto';
import { chooseWatched, dataSection, type Offer, readOffer, writeAnswer } from '@onair/media/sdp';
import type { Clock, PackagerKind, Stream } from '../../hub/index.ts';
import {
  HttpProblem,
  type RtcChannel,
  type RtcEndpoint,
  type RtcOfferCall,
  type RtcProtocol,
  type RtcSession,
  readingBody,
  refusedForNow,
} from '../../net/index.ts';
import type { RtpPackager } from '../../packager/rtp/index.ts';
import type { LiveDeps } from '../live/index.ts';
import { WhepViewer } from './whep-viewer.ts';

/** What WHEP is made of. */
export interface WhepDeps extends LiveDeps {
  readonly endpoint: RtcEndpoint;
  readonly kind: PackagerKind<RtpPackager>;
  /** The same with VP8 in place of H.264, for viewers who have no H.264. */
  readonly vp8Kind: PackagerKind<RtpPackager>;
  readonly clock: Clock;
  settings(): {
    readonly maxSessions: number;
    readonly silenceMs: number;
    readonly connectTimeoutMs: number;
  };
}

const WHY = {
  'b-frames':
    'The stream has B-frames, which browsers do not show over WebRTC. Watch by another output, or encode without them (x264: -bf 0, or -tune zerolatency).',
  codec: 'The stream has no track that WebRTC carries: H.264, VP8, VP9, AV1 and Opus.',
} as const;

/** Playback over WebRTC: draft-ietf-wish-whep. */
export function whepProtocol(deps: WhepDeps): RtcProtocol {
  return {
    name: 'whep',
    answers: 'media',
    maxSessions: () => deps.settings().maxSessions,
    accept: async (call) => watch(call, deps),
  };
}

function watch(call: RtcOfferCall, deps: WhepDeps): RtcSession {
  const stream = deps.registry.find(call.stream);
  if (stream?.epoch === undefined || stream.state === 'ended' || stream.state === 'idle') {
    throw new HttpProblem('STREAM_NOT_FOUND', { detail: `Nobody publishes ${call.stream} at present.` });
  }
  const offer = readingBody(() => readOffer(call.sdp), 'OFFER_REFUSED');
  const packager = packagerOf(stream, offer, deps);
  const chosen = readingBody(() => chooseWatched(offer, packager.wanted), 'OFFER_REFUSED');
  if (packager.wanted.video !== undefined && !chosen.some(({ media }) => media.kind === 'video')) {
    throw new HttpProblem('OFFER_REFUSED', {
      detail: `The offer receives no ${packager.wanted.video.codec}, which the stream's pictures are in.`,
    });
  }
  const { clock } = deps;
  const viewer = new WhepViewer({
    stream,
    packager,
    chosen,
    address: call.address,
    clock,
    deps,
    random: () => randomBytes(4).readUInt32BE(0),
    silenceMs: () => deps.settings().silenceMs,
    connectTimeoutMs: () => deps.settings().connectTimeoutMs,
  });
  try {
    const data = dataSection(offer);
    const handlers = {
      opened: () => viewer.opened(),
      packet: (_mid: string, bytes: Uint8Array) => viewer.packet(bytes),
      channel: (channel: RtcChannel) => viewer.channel(channel),
      closed: (reason: string) => viewer.close(reason),
    };
    const peer = deps.endpoint.accept(offer, viewer.taken, call.local, handlers, data);
    viewer.use(peer);
    return {
      answer: writeAnswer(offer, viewer.taken, peer.transport, data),
      remoteUfrag: offer.iceUfrag,
      close: (reason) => viewer.close(reason),
      onEnd: (listener) => viewer.onEnd(listener),
    };
  } catch (error) {
    viewer.close('the library refused');
    throw error;
  }
}

/** True if the viewer takes pictures in a codec. */
function takes({ media }: Offer, codec: string): boolean {
  return media.some(({ kind, codecs }) => kind === 'video' && codecs.some(({ name }) => name === codec));
}

function packagerOf(stream: Stream, offer: Offer, { kind, vp8Kind }: WhepDeps): RtpPackager {
  const packager = stream.packager(!takes(offer, 'h264') && takes(offer, 'vp8') ? vp8Kind : kind);
  if (packager.refusal !== undefined) {
    const unturned = stream.publication?.warnings.find(({ code }) => code === 'PICTURES_NOT_BRIDGED');
    const more = unturned === undefined ? '' : ` ${unturned.text}`;
    throw new HttpProblem('CODEC_NOT_CARRIED', { detail: `${WHY[packager.refusal]}${more}` });
  }
  const { video, audio } = packager.wanted;
  if (video === undefined && audio === undefined) throw refusedForNow('NOT_READY', 1, 'no track yet');
  return packager;
}
