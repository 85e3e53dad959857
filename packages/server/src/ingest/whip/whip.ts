import { splitStreamName } from '@onair/media';
import { MID_URI, REPAIRED_STREAM_ID_URI, STREAM_ID_URI } from '@onair/media/rtp';
import {
  type ChosenMedia,
  choosePublished,
  type OfferedMedia,
  readOffer,
  type Taken,
  writeAnswer,
} from '@onair/media/sdp';
import { HubError } from '../../hub/index.ts';
import {
  HttpProblem,
  keyRequired,
  type RtcEndpoint,
  type RtcOfferCall,
  type RtcProtocol,
  type RtcSession,
  readingBody,
  refusedForNow,
} from '../../net/index.ts';
import { WhipPublisher, type WhipPublisherDeps, type WhipSettings } from './whip-publisher.ts';

/** Decides who may publish; asked before anything is answered. */
export interface WhipGate {
  authorize(request: {
    readonly app: string;
    readonly name: string;
    readonly query: string;
    readonly address: string;
    readonly protocol: string;
    readonly forwarded?: boolean;
  }): Promise<
    | { readonly ok: true; readonly identity: string }
    | {
        readonly ok: false;
        readonly code: 'STREAM_NAME_INVALID' | 'PUBLISH_REFUSED' | 'TOO_MANY_ATTEMPTS';
        readonly reason: string;
        /** No key helps. */
        readonly barred?: boolean;
      }
  >;
}

/** What WHIP is made of. */
export interface WhipDeps extends WhipPublisherDeps {
  readonly endpoint: RtcEndpoint;
  readonly gate: WhipGate;
}

/** What a sender begins with at most, kbit/s: enough for 720p. */
const START_KBPS = 2_500;
/** With layers, which a sender begins only if all smaller ones have what they need: for 720p, 360p and 180p. */
const START_LAYERS_KBPS = 4_000;
/** Below this a sender would make the picture smaller again and again, kbit/s. */
const MIN_KBPS = 300;

/** Publishing over WebRTC: RFC 9725. */
export function whipProtocol(deps: WhipDeps): RtcProtocol {
  return {
    name: 'whip',
    answers: 'api',
    maxSessions: () => deps.settings().maxSessions,
    accept: async (call) => publish(call, deps),
  };
}

async function publish(call: RtcOfferCall, deps: WhipDeps): Promise<RtcSession> {
  const identity = await identify(call, deps);
  const offer = readingBody(() => readOffer(call.sdp), 'OFFER_REFUSED');
  const chosen = readingBody(() => choosePublished(offer), 'OFFER_REFUSED');
  const taken = chosen.map(
    ({ media, codec, rtx, layers }): Taken => ({
      media,
      codec,
      rtx,
      direction: 'recvonly',
      moreParameters: media.kind === 'video' ? bitrates(deps.settings(), layers !== undefined) : 'usedtx=0',
      ...(layers === undefined ? {} : { layers, extensions: namesOf(media) }),
    }),
  );
  const publisher = begin(call, chosen, identity, deps);
  try {
    const peer = deps.endpoint.accept(offer, taken, call.local, {
      opened: () => publisher.opened(),
      packet: (mid, bytes) => publisher.packet(mid, bytes),
      closed: (reason) => publisher.close(reason),
    });
    publisher.use(peer);
    return {
      answer: writeAnswer(offer, taken, peer.transport),
      remoteUfrag: offer.iceUfrag,
      close: (reason) => publisher.close(reason),
      onEnd: (listener) => publisher.onEnd(listener),
    };
  } catch (error) {
    publisher.close('the library refused');
    throw error;
  }
}

async function identify(call: RtcOfferCall, { gate }: WhipDeps): Promise<string> {
  const { app, name } = splitStreamName(call.stream);
  const { query, address, forwarded } = call;
  const answer = await gate.authorize({ app, name, query, address, forwarded, protocol: 'whip' });
  if (answer.ok) return answer.identity;
  const keyless = !new URLSearchParams(query).has('key');
  if (answer.code === 'PUBLISH_REFUSED' && answer.barred !== true && keyless) throw keyRequired();
  throw new HttpProblem(answer.code, { detail: answer.reason });
}

function begin(
  call: RtcOfferCall,
  chosen: readonly ChosenMedia[],
  identity: string,
  deps: WhipDeps,
): WhipPublisher {
  try {
    return new WhipPublisher(call.stream, chosen, { address: call.address, identity }, deps);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    if (error.code === 'PUBLISH_CONFLICT')
      throw new HttpProblem('STREAM_NAME_IN_USE', { detail: error.message });
    throw refusedForNow('OVERLOADED', 5, error.message);
  }
}

/** Header extensions by which packets say what they are of. */
function namesOf({ extensions }: OfferedMedia): ReadonlyMap<string, number> {
  const names = [MID_URI, STREAM_ID_URI, REPAIRED_STREAM_ID_URI];
  return new Map([...extensions].filter(([uri]) => names.includes(uri)));
}

/** Chromium's bit rate begins at 300 kbit/s and falls from there unless it is told these; others do not know them. */
function bitrates({ maxBitrate }: WhipSettings, layered: boolean): string {
  const max = Math.round(maxBitrate / 1000);
  const start = Math.min(layered ? START_LAYERS_KBPS : START_KBPS, max);
  const min = Math.min(MIN_KBPS, max);
  return `x-google-start-bitrate=${start};x-google-min-bitrate=${min};x-google-max-bitrate=${max}`;
}
