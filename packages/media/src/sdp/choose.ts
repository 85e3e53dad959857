import { ParseError } from '../model/errors.ts';
import { isRtpCodec, REPAIRED_STREAM_ID_URI, type RtpCodec } from '../rtp/index.ts';
import { formatParameters, type Offer, type OfferedCodec, type OfferedMedia } from './offer.ts';

/** A section and the codec chosen in it. */
export interface ChosenMedia {
  readonly media: OfferedMedia;
  readonly codec: OfferedCodec;
  readonly name: RtpCodec;
  /** How its packets are sent again, if not on their own source. */
  readonly rtx?: OfferedCodec;
  /** Names of the layers of a picture that are taken, in the offer's order; absent for one picture without layers. */
  readonly layers?: readonly string[];
}

const CLAUSE = 'RFC 9725 §4.4';

/** Of what a publisher offers in one section, best first: H.264 goes to the most outputs. */
const PREFERRED: readonly RtpCodec[] = ['h264', 'vp8', 'vp9', 'av1', 'opus'];

/**
 * What is taken of a publisher's offer: the first video and the first audio section that can be carried.
 * @throws ParseError `SDP_OFFER` if nothing can.
 */
export function choosePublished(offer: Offer): ChosenMedia[] {
  const chosen: ChosenMedia[] = [];
  for (const kind of ['video', 'audio']) {
    for (const media of offer.media) {
      if (media.kind !== kind || (media.direction !== 'sendonly' && media.direction !== 'sendrecv')) continue;
      const one = preferred(media);
      if (one === undefined) continue;
      chosen.push(withLayers(one));
      break;
    }
  }
  if (chosen.length === 0) throw refused('nothing is sent in H.264, VP8, VP9, AV1 or Opus');
  return inOfferOrder(chosen);
}

/** What a viewer is sent: `wanted` tells the codec of each kind and, for H.264, the stream's profile. */
export interface WantedMedia {
  readonly video?: { readonly codec: RtpCodec; readonly profile?: number };
  readonly audio?: { readonly codec: RtpCodec };
}

/**
 * The sections of a viewer's offer that take the stream's codecs; fewer than wanted if the offer has no more.
 * @throws ParseError `SDP_OFFER` if there is none at all.
 */
export function chooseWatched(offer: Offer, wanted: WantedMedia): ChosenMedia[] {
  const chosen: ChosenMedia[] = [];
  for (const kind of ['video', 'audio'] as const) {
    const want = wanted[kind];
    if (want === undefined) continue;
    const profile = kind === 'video' ? wanted.video?.profile : undefined;
    for (const media of offer.media) {
      if (media.kind !== kind || (media.direction !== 'recvonly' && media.direction !== 'sendrecv')) continue;
      const able = media.codecs.filter((codec) => codec.name === want.codec && usable(codec));
      const codec = able.find((one) => profile !== undefined && h264Profile(one) === profile) ?? able[0];
      if (codec === undefined) continue;
      chosen.push(withRtx({ media, codec, name: want.codec }));
      break;
    }
  }
  if (chosen.length === 0) {
    const codecs = [wanted.video?.codec, wanted.audio?.codec].filter((codec) => codec !== undefined);
    throw refused(`nothing is received in ${codecs.join(' or ')}`);
  }
  return inOfferOrder(chosen);
}

function preferred(media: OfferedMedia): ChosenMedia | undefined {
  for (const name of PREFERRED) {
    const codec = media.codecs.find((one) => one.name === name && usable(one));
    if (codec !== undefined && isRtpCodec(name)) return withRtx({ media, codec, name });
  }
  return undefined;
}

/** RFC 4588 §8.1: a format of its own names the format that it repeats. It is no use without requests (RFC 4585 §4.2). */
function withRtx(one: ChosenMedia): ChosenMedia {
  const { media, codec } = one;
  const rtx = media.codecs.find(
    ({ name, clockRate, parameters }) =>
      name === 'rtx' &&
      clockRate === codec.clockRate &&
      formatParameters(parameters).get('apt') === String(codec.payloadType),
  );
  return rtx === undefined || !codec.feedback.includes('nack') ? one : { ...one, rtx };
}

/** RFC 8853 §5.3.2: several layers, or none. */
function withLayers(one: ChosenMedia): ChosenMedia {
  if (one.media.kind !== 'video') return one;
  const layers = one.media.layers
    .filter(({ payloadTypes }) => payloadTypes.length === 0 || payloadTypes.includes(one.codec.payloadType))
    .map(({ rid }) => rid);
  if (layers.length < 2) return one;
  const { rtx, ...rest } = one;
  // Without its name nobody knows of which layer a packet comes again; then it comes on the layer's own source.
  const named = one.media.extensions.has(REPAIRED_STREAM_ID_URI);
  return { ...rest, layers, ...(rtx !== undefined && named && { rtx }) };
}

/** True if it is sent in the one form known here: H.264 in packetization mode 1, VP9 and AV1 with 8 bits. */
function usable(codec: OfferedCodec): boolean {
  const parameters = formatParameters(codec.parameters);
  switch (codec.name) {
    case 'h264':
      return codec.clockRate === 90_000 && parameters.get('packetization-mode') === '1';
    case 'vp9':
      return codec.clockRate === 90_000 && (parameters.get('profile-id') ?? '0') === '0';
    case 'av1':
      return codec.clockRate === 90_000 && (parameters.get('profile') ?? '0') === '0';
    case 'vp8':
      return codec.clockRate === 90_000;
    default:
      return codec.name === 'opus' && codec.clockRate === 48_000;
  }
}

function h264Profile(codec: OfferedCodec): number | undefined {
  const id = formatParameters(codec.parameters).get('profile-level-id');
  return id !== undefined && /^[0-9a-fA-F]{6}$/.test(id) ? Number.parseInt(id.slice(0, 2), 16) : undefined;
}

function inOfferOrder(chosen: readonly ChosenMedia[]): ChosenMedia[] {
  return [...chosen].sort((a, b) => a.media.index - b.media.index);
}

function refused(what: string): ParseError {
  return new ParseError('SDP_OFFER', CLAUSE, `refused offer: ${what}`);
}
