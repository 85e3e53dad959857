import { ParseError } from '../model/errors.ts';
import type { Sdp, SdpAttribute, SdpMedia } from './model.ts';

/** Longest description, in characters. */
export const MAX_SDP_LENGTH = 65_536;
/** Most `m=` sections. */
export const MAX_SDP_MEDIA = 32;
/** Most ICE candidates in all. */
export const MAX_SDP_CANDIDATES = 64;
/** Most attributes in all. */
export const MAX_SDP_ATTRIBUTES = 2_000;
/** Most payload formats of one section. */
const MAX_FORMATS = 256;

const CLAUSE = 'RFC 8866 §5';

interface OpenMedia extends SdpMedia {
  readonly attributes: SdpAttribute[];
}

/**
 * Reads a description in one pass. Lines may end in LF alone.
 * @throws ParseError `SDP_SYNTAX`, `SDP_LIMIT`
 */
export function parseSdp(text: string): Sdp {
  if (text.length > MAX_SDP_LENGTH) throw limit(`a description of ${text.length} characters`);
  const session: { attributes: SdpAttribute[]; media: OpenMedia[] } = { attributes: [], media: [] };
  const count = { attributes: 0, candidates: 0 };
  let first = true;
  for (let at = 0; at < text.length; ) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    const line = text.slice(at, text[end - 1] === '\r' ? end - 1 : end);
    at = end + 1;
    if (line === '') continue;
    if (line[1] !== '=' || !/^[a-z]$/.test(line[0]!))
      throw syntax(`a line that begins with ${JSON.stringify(line.slice(0, 8))}`);
    if (first && line !== 'v=0') throw syntax('the first line is not v=0');
    first = false;
    if (line[0] === 'm') {
      if (session.media.length >= MAX_SDP_MEDIA) throw limit(`more than ${MAX_SDP_MEDIA} media sections`);
      session.media.push(readMedia(line.slice(2)));
    } else if (line[0] === 'a') {
      const attribute = readAttribute(line.slice(2));
      if (++count.attributes > MAX_SDP_ATTRIBUTES) throw limit(`more than ${MAX_SDP_ATTRIBUTES} attributes`);
      if (attribute.name === 'candidate' && ++count.candidates > MAX_SDP_CANDIDATES) {
        throw limit(`more than ${MAX_SDP_CANDIDATES} candidates`);
      }
      (session.media.at(-1) ?? session).attributes.push(attribute);
    }
  }
  if (first) throw syntax('an empty description');
  return session;
}

/** Reads one attribute, without `a=`. */
export function readAttribute(text: string): SdpAttribute {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  if (!/^[!#-'*+\-.0-9A-Z^-~]{1,64}$/.test(name))
    throw syntax(`an attribute named ${JSON.stringify(name.slice(0, 32))}`);
  return { name, value: colon < 0 ? undefined : text.slice(colon + 1) };
}

function readMedia(text: string): OpenMedia {
  const [kind, port, protocol, ...formats] = text.split(' ');
  const ports = /^(\d{1,5})(\/\d{1,5})?$/.exec(port ?? '');
  if (kind === undefined || ports === null || protocol === undefined || formats.length === 0) {
    throw syntax('a media line without kind, port, protocol and formats');
  }
  if (formats.length > MAX_FORMATS) throw limit(`${formats.length} formats in one media section`);
  return { kind, port: Number(ports[1]), protocol, formats, attributes: [] };
}

function syntax(what: string): ParseError {
  return new ParseError('SDP_SYNTAX', CLAUSE, what);
}

function limit(what: string): ParseError {
  return new ParseError('SDP_LIMIT', CLAUSE, what);
}
