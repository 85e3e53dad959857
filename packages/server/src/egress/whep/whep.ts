import { randomBytes } from 'node:crypto';
import { chooseWatched, dataSection, readOffer, writeAnswer } from '@onair/media/sdp';
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
  const packager = packagerOf(stream, deps);
  const offer = readingBody(() => readOffer(call.sdp), 'OFFER_REFUSED');
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

function packagerOf(stream: Stream, { kind }: WhepDeps): RtpPackager {
  const packager = stream.packager(kind);
  if (packager.refusal !== undefined) {
    const unturned = stream.publication?.warnings.find(({ code }) => code === 'PICTURES_NOT_BRIDGED');
    const more = unturned === undefined ? '' : ` ${unturned.text}`;
    throw new HttpProblem('CODEC_NOT_CARRIED', { detail: `${WHY[packager.refusal]}${more}` });
  }
  const { video, audio } = packager.wanted;
  if (video === undefined && audio === undefined) throw refusedForNow('NOT_READY', 1, 'no track yet');
  return packager;
}
