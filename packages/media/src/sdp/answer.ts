import type { SdpAttribute, SdpMedia } from './model.ts';
import type { Offer, OfferedCodec, OfferedMedia } from './offer.ts';
import { writeSdp } from './write.ts';

/** What is taken of one section of an offer. */
export interface Taken {
  readonly media: OfferedMedia;
  readonly codec: OfferedCodec;
  /** How its packets are sent again, if not on their own source. */
  readonly rtx?: OfferedCodec | undefined;
  /** The answerer's direction. */
  readonly direction: 'sendonly' | 'recvonly';
  /** Source that the answerer sends, with its names; absent if it only receives. */
  readonly source?: {
    readonly ssrc: number;
    /** Source of what is sent again. */
    readonly rtxSsrc?: number | undefined;
    readonly cname: string;
    readonly stream: string;
  };
  /** Header extensions that will be used, by URI, with the ids of the offer. */
  readonly extensions?: ReadonlyMap<string, number>;
  /** Layers of the picture that are received (RFC 8853 §5.3). */
  readonly layers?: readonly string[];
  /** Behind the offered format parameters, e.g. a bit rate to begin with. */
  readonly moreParameters?: string;
}

/** The answerer's end of the transport. */
export interface AnswererTransport {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly fingerprint: string;
  readonly setup: 'active' | 'passive';
  /** Values of `candidate` attributes. */
  readonly candidates: readonly string[];
}

/** Feedback that this project answers to or asks with. */
const FEEDBACK: ReadonlySet<string> = new Set(['nack', 'nack pli', 'ccm fir', 'goog-remb']);

const bare = (name: string): SdpAttribute => ({ name, value: undefined });
const valued = (name: string, value: string): SdpAttribute => ({ name, value });

/** Port of SCTP inside DTLS, and the longest message that is taken, in bytes. RFC 8841 §5.1, §6.1. */
const SCTP_PORT = '5000';
const MAX_MESSAGE = '262144';

/**
 * The answer to an offer: what is not taken is rejected. RFC 9429 §5.3.
 * @param data the offer's section for data channels, if they are taken
 */
export function writeAnswer(
  offer: Offer,
  taken: readonly Taken[],
  transport: AnswererTransport,
  data?: OfferedMedia,
): string {
  const mids = [...taken.map(({ media }) => media.mid), ...(data === undefined ? [] : [data.mid])];
  return writeSdp({
    attributes: [
      valued('group', `BUNDLE ${mids.join(' ')}`),
      valued('msid-semantic', ' WMS *'),
      valued('ice-options', 'trickle'),
      ...(offer.mixedExtensions ? [bare('extmap-allow-mixed')] : []),
    ],
    media: offer.media.map((media) => {
      if (media === data) return channels(media, transportLines(transport));
      const one = taken.find((candidate) => candidate.media === media);
      return one === undefined ? rejected(media) : accepted(one, transport, mids[0] === media.mid);
    }),
  });
}

/**
 * A smaller form of the offer: only what is taken, without candidates. For a library that answers all it sees.
 * @param data the offer's section for data channels, if they are taken
 */
export function reducedOffer(offer: Offer, taken: readonly Taken[], data?: OfferedMedia): string {
  const direction = { sendonly: 'recvonly', recvonly: 'sendonly' } as const;
  return writeSdp({
    attributes: [
      valued(
        'group',
        `BUNDLE ${[...taken.map(({ media }) => media), ...(data === undefined ? [] : [data])].map(({ mid }) => mid).join(' ')}`,
      ),
      valued('fingerprint', offer.fingerprint),
      valued('ice-ufrag', offer.iceUfrag),
      valued('ice-pwd', offer.icePwd),
      valued('setup', offer.setup),
    ],
    media: [
      ...taken.map((one) => ({
        ...section(one.media, one.codec),
        attributes: [
          valued('mid', one.media.mid),
          bare(direction[one.direction]),
          bare('rtcp-mux'),
          ...codecLines(one),
          ...sourcesOf(one).map((ssrc) => valued('ssrc', `${ssrc} cname:peer`)),
        ],
      })),
      ...(data === undefined ? [] : [channels(data, [])]),
    ],
  });
}

function sourcesOf({ media, rtx }: Taken): number[] {
  return [...media.ssrcs.slice(0, 8), ...(rtx === undefined ? [] : media.rtxSsrcs.slice(0, 8))];
}

function channels(
  { kind, protocol, formats, mid }: OfferedMedia,
  transport: readonly SdpAttribute[],
): SdpMedia {
  return {
    kind,
    port: 9,
    protocol,
    formats,
    attributes: [
      valued('mid', mid),
      ...transport,
      valued('sctp-port', SCTP_PORT),
      valued('max-message-size', MAX_MESSAGE),
    ],
  };
}

function transportLines({ iceUfrag, icePwd, fingerprint, setup }: AnswererTransport): SdpAttribute[] {
  return [
    valued('ice-ufrag', iceUfrag),
    valued('ice-pwd', icePwd),
    valued('fingerprint', fingerprint),
    valued('setup', setup),
  ];
}

function section(media: OfferedMedia, codec: OfferedCodec): Omit<SdpMedia, 'attributes'> {
  return { kind: media.kind, port: 9, protocol: media.protocol, formats: [String(codec.payloadType)] };
}

function rejected(media: OfferedMedia): SdpMedia {
  return {
    kind: media.kind,
    port: 0,
    protocol: media.protocol,
    formats: media.formats.slice(0, 1),
    attributes: [valued('mid', media.mid), bare('inactive')],
  };
}

function accepted(one: Taken, transport: AnswererTransport, first: boolean): SdpMedia {
  const { media, source, rtx } = one;
  const { formats, ...rest } = section(media, one.codec);
  return {
    ...rest,
    formats: rtx === undefined ? formats : [...formats, String(rtx.payloadType)],
    attributes: [
      valued('mid', media.mid),
      bare(one.direction),
      ...transportLines(transport),
      bare('rtcp-mux'),
      bare('rtcp-rsize'),
      ...[...(one.extensions ?? [])].map(([uri, id]) => valued('extmap', `${id} ${uri}`)),
      ...codecLines(one),
      ...rtxLines(one),
      ...layerLines(one),
      ...(source === undefined
        ? []
        : [
            valued('msid', `${source.stream} ${source.stream}-${media.kind}`),
            valued('ssrc', `${source.ssrc} cname:${source.cname}`),
            ...rtxSourceLines(source),
          ]),
      ...(first
        ? [...transport.candidates.map((value) => valued('candidate', value)), bare('end-of-candidates')]
        : []),
    ],
  };
}

/** RFC 4588 §8.1. */
function rtxLines({ codec, rtx }: Taken): SdpAttribute[] {
  if (rtx === undefined) return [];
  return [
    valued('rtpmap', `${rtx.payloadType} rtx/${rtx.clockRate}`),
    valued('fmtp', `${rtx.payloadType} apt=${codec.payloadType}`),
  ];
}

/** RFC 4588 §8.3, RFC 5576 §4.2. */
function rtxSourceLines({ ssrc, rtxSsrc, cname }: NonNullable<Taken['source']>): SdpAttribute[] {
  if (rtxSsrc === undefined) return [];
  return [valued('ssrc-group', `FID ${ssrc} ${rtxSsrc}`), valued('ssrc', `${rtxSsrc} cname:${cname}`)];
}

function layerLines({ layers = [] }: Taken): SdpAttribute[] {
  if (layers.length === 0) return [];
  return [
    ...layers.map((rid) => valued('rid', `${rid} recv`)),
    valued('simulcast', `recv ${layers.join(';')}`),
  ];
}

function codecLines({ codec, media, moreParameters }: Taken): SdpAttribute[] {
  const type = String(codec.payloadType);
  const name = media.kind === 'video' ? codec.name.toUpperCase() : codec.name;
  const channels = codec.name === 'opus' ? '/2' : '';
  const parameters = [codec.parameters, moreParameters ?? ''].filter((part) => part !== '').join(';');
  return [
    valued('rtpmap', `${type} ${name}/${codec.clockRate}${channels}`),
    ...(parameters === '' ? [] : [valued('fmtp', `${type} ${parameters}`)]),
    ...codec.feedback
      .filter((value) => FEEDBACK.has(value))
      .map((value) => valued('rtcp-fb', `${type} ${value}`)),
  ];
}
