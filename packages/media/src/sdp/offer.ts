import { ParseError } from '../model/errors.ts';
import { STREAM_ID_URI } from '../rtp/index.ts';
import { attribute, attributes, type Sdp, type SdpMedia } from './model.ts';
import { parseSdp } from './parse.ts';

/** One codec that a section of an offer lists. */
export interface OfferedCodec {
  readonly payloadType: number;
  /** As in `rtpmap`, lower case: `h264`, `opus`, `rtx` … */
  readonly name: string;
  readonly clockRate: number;
  /** The `fmtp` line's value, '' if there is none. */
  readonly parameters: string;
  /** Values of `rtcp-fb` that apply to it. */
  readonly feedback: readonly string[];
}

/** One of several encodings of the same picture. RFC 8851 §4. */
export interface OfferedLayer {
  readonly rid: string;
  /** Payload types that it is limited to; empty for all of the section. */
  readonly payloadTypes: readonly number[];
}

/** Most layers of one picture that are read; those behind them are not taken. */
export const MAX_LAYERS = 4;

/** One section of an offer. */
export interface OfferedMedia {
  /** Index of the `m=` line. */
  readonly index: number;
  readonly kind: string;
  readonly protocol: string;
  readonly mid: string;
  readonly direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  readonly codecs: readonly OfferedCodec[];
  /** Sources it names, those of retransmissions left out. */
  readonly ssrcs: readonly number[];
  /** Sources of retransmissions that it names. RFC 4588 §8.3. */
  readonly rtxSsrcs: readonly number[];
  readonly formats: readonly string[];
  /** Ids of header extensions, 1 to 255, by URI (RFC 8285 §5). Only those up to 14 have the one-byte form. */
  readonly extensions: ReadonlyMap<string, number>;
  /** Layers of one picture that it would send at once (RFC 8853 §5.1), in its order; empty unless it says how to tell them apart. */
  readonly layers: readonly OfferedLayer[];
}

/** What a WHIP or WHEP client offers. */
export interface Offer {
  readonly iceUfrag: string;
  readonly icePwd: string;
  /** `sha-256 AA:BB…` */
  readonly fingerprint: string;
  readonly setup: 'active' | 'passive' | 'actpass';
  readonly media: readonly OfferedMedia[];
  /** It mixes header extensions of either form (RFC 8285 §6), which the answer then allows. */
  readonly mixedExtensions: boolean;
}

/** The section for data channels, if the offer has one that is not refused. RFC 8841 §5. */
export function dataSection(offer: Offer): OfferedMedia | undefined {
  return offer.media.find(
    ({ kind, protocol, formats }) =>
      kind === 'application' && protocol === 'UDP/DTLS/SCTP' && formats[0] === 'webrtc-datachannel',
  );
}

const CLAUSE = 'RFC 9429 §5.2';
const ICE_CHARS = /^[A-Za-z0-9+/]+$/;
const FINGERPRINT = /^[a-zA-Z0-9-]{3,16} [0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){15,63}$/;
/** A token as `mid` and `group` use it. */
const TOKEN = /^[A-Za-z0-9_.{}~!#$%&'*+^`|-]{1,64}$/;

/**
 * Reads the offer of a WebRTC client that bundles everything on one transport.
 * @throws ParseError `SDP_SYNTAX`, `SDP_LIMIT`, `SDP_OFFER`
 */
export function readOffer(text: string): Offer {
  const sdp = parseSdp(text);
  if (sdp.media.length === 0) throw refused('no media');
  const media = sdp.media.map(readMedia);
  if (new Set(media.map(({ mid }) => mid)).size !== media.length) throw refused('two sections with one mid');
  const bundled = attributes(sdp, 'group').some((group) => group.startsWith('BUNDLE '));
  if (media.length > 1 && !bundled)
    throw refused('several sections without BUNDLE; RFC 9725 §4.4.1 wants one transport');
  const iceUfrag = transport(sdp, 'ice-ufrag');
  const icePwd = transport(sdp, 'ice-pwd');
  const fingerprint = transport(sdp, 'fingerprint');
  const setup = transport(sdp, 'setup');
  // RFC 8839 §5.4.
  if (!ICE_CHARS.test(iceUfrag) || iceUfrag.length < 4 || iceUfrag.length > 256)
    throw refused('an ICE user name');
  if (!ICE_CHARS.test(icePwd) || icePwd.length < 22 || icePwd.length > 256) throw refused('an ICE password');
  if (!FINGERPRINT.test(fingerprint)) throw refused('a certificate fingerprint');
  if (setup !== 'actpass' && setup !== 'active' && setup !== 'passive')
    throw refused(`the DTLS role ${JSON.stringify(setup)}`);
  const mixedExtensions = attribute(sdp, 'extmap-allow-mixed') !== undefined;
  return { iceUfrag, icePwd, fingerprint, setup, media, mixedExtensions };
}

/** An attribute of the transport: in the session or in the first section that has it. */
function transport(sdp: Sdp, name: string): string {
  for (const part of [...sdp.media.filter(({ port }) => port !== 0), sdp]) {
    const value = attribute(part, name);
    if (value !== undefined) return value;
  }
  throw refused(`no ${name}`);
}

const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;

function readMedia(media: SdpMedia, index: number): OfferedMedia {
  const mid = attribute(media, 'mid') ?? String(index);
  if (!TOKEN.test(mid)) throw refused('a mid that is no token');
  const feedback = attributes(media, 'rtcp-fb').map((line) =>
    line.split(' ', 1).concat(line.slice(line.indexOf(' ') + 1)),
  );
  const parameters = byFormat(attributes(media, 'fmtp'));
  const maps = byFormat(attributes(media, 'rtpmap'));
  const extensions = extensionsOf(media);
  const codecs: OfferedCodec[] = [];
  for (const format of media.formats) {
    const map = /^([A-Za-z0-9-]{1,32})\/(\d{1,7})(\/\d{1,2})?$/.exec(maps.get(format) ?? '');
    const payloadType = Number(format);
    if (map === null || !Number.isInteger(payloadType) || payloadType > 127) continue;
    codecs.push({
      payloadType,
      name: map[1]!.toLowerCase(),
      clockRate: Number(map[2]),
      parameters: parameters.get(format) ?? '',
      feedback: feedback.filter(([of]) => of === format || of === '*').map(([, value]) => value!),
    });
  }
  return {
    index,
    kind: media.kind,
    protocol: media.protocol,
    mid,
    direction: DIRECTIONS.find((direction) => attribute(media, direction) !== undefined) ?? 'sendrecv',
    codecs,
    ...sourcesOf(media),
    formats: media.formats,
    extensions,
    layers: extensions.has(STREAM_ID_URI) ? layersOf(media) : [],
  };
}

/** RFC 8851 §10 allows more, but longer names do not fit the header extension (RFC 8285 §4.3). */
const RID = /^[A-Za-z0-9_-]{1,255}$/;

/** Names without a description, and all but the first of each name, are passed over (RFC 8853 §5.2, RFC 8851 §6.2.1). */
function layersOf(media: SdpMedia): OfferedLayer[] {
  const described = new Map<string, readonly number[]>();
  for (const line of attributes(media, 'rid')) {
    const [rid, direction, restrictions] = line.split(' ');
    if (rid === undefined || direction !== 'send' || !RID.test(rid) || described.has(rid)) continue;
    const types = formatParameters(restrictions ?? '').get('pt') ?? '';
    described.set(rid, types === '' ? [] : types.split(',').slice(0, 128).map(Number));
  }
  const sent = /(?:^| )send (\S+)/.exec(attribute(media, 'simulcast') ?? '')?.[1] ?? '';
  const layers = new Map<string, OfferedLayer>();
  for (const alternatives of sent.split(';')) {
    // Of alternatives the first is the best liked; `~` is a layer that begins paused.
    const rid = alternatives.split(',', 1)[0]!.replace(/^~/, '');
    const payloadTypes = described.get(rid);
    if (payloadTypes !== undefined && layers.size < MAX_LAYERS) layers.set(rid, { rid, payloadTypes });
  }
  return [...layers.values()];
}

/** RFC 8285 §5; ids above 255 are a form of offer that nobody writes. */
function extensionsOf(media: SdpMedia): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of attributes(media, 'extmap')) {
    const [, id, uri] = /^(\d{1,5})(?:\/[a-z]+)? (\S{1,256})/.exec(line) ?? [];
    if (uri !== undefined && Number(id) >= 1 && Number(id) <= 255) found.set(uri, Number(id));
  }
  return found;
}

function byFormat(lines: readonly string[]): Map<string, string> {
  return new Map(
    lines.map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(0, Math.max(0, space)), line.slice(space + 1)];
    }),
  );
}

/** RFC 5576 §4.1; of a pair in FID the second is the retransmission (RFC 4588 §8.3). */
function sourcesOf(media: SdpMedia): Pick<OfferedMedia, 'ssrcs' | 'rtxSsrcs'> {
  const again = new Set(
    attributes(media, 'ssrc-group')
      .filter((group) => group.startsWith('FID '))
      .map((group) => group.split(' ')[2]),
  );
  const [ssrcs, rtxSsrcs] = [new Set<number>(), new Set<number>()];
  for (const line of attributes(media, 'ssrc')) {
    const [id] = line.split(' ', 1);
    if (id === undefined || !/^\d{1,10}$/.test(id)) continue;
    const ssrc = Number(id);
    if (ssrc <= 0xffff_ffff) (again.has(id) ? rtxSsrcs : ssrcs).add(ssrc);
  }
  return { ssrcs: [...ssrcs], rtxSsrcs: [...rtxSsrcs] };
}

/** The `name=value` pairs of an `fmtp` line, names in lower case. */
export function formatParameters(parameters: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const part of parameters.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0) pairs.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  return pairs;
}

function refused(what: string): ParseError {
  return new ParseError('SDP_OFFER', CLAUSE, `refused offer: ${what}`);
}
