import { ParseError } from '../model/errors.ts';
import { MAX_SDP_CANDIDATES, readAttribute } from './parse.ts';

/** What a trickle ICE fragment tells. RFC 8840 §9. */
export interface IceFragment {
  readonly iceUfrag: string | undefined;
  readonly icePwd: string | undefined;
  /** Values of `candidate` attributes. */
  readonly candidates: readonly string[];
  readonly complete: boolean;
}

/** Longest fragment, in characters. */
export const MAX_FRAGMENT_LENGTH = 16_384;

const CLAUSE = 'RFC 8840 §9';

/** Reads an `application/trickle-ice-sdpfrag` body. @throws ParseError `SDP_SYNTAX`, `SDP_LIMIT` */
export function parseIceFragment(text: string): IceFragment {
  if (text.length > MAX_FRAGMENT_LENGTH)
    throw new ParseError('SDP_LIMIT', CLAUSE, `a fragment of ${text.length} characters`);
  const found: { iceUfrag?: string; icePwd?: string } = {};
  const candidates: string[] = [];
  let complete = false;
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '' || line.startsWith('m=')) continue;
    if (!line.startsWith('a=')) throw new ParseError('SDP_SYNTAX', CLAUSE, 'a line that is no attribute');
    const { name, value = '' } = readAttribute(line.slice(2));
    if (name === 'ice-ufrag') found.iceUfrag = value;
    else if (name === 'ice-pwd') found.icePwd = value;
    else if (name === 'end-of-candidates') complete = true;
    else if (name === 'candidate' && candidates.push(value) > MAX_SDP_CANDIDATES) {
      throw new ParseError('SDP_LIMIT', CLAUSE, `more than ${MAX_SDP_CANDIDATES} candidates`);
    }
  }
  return { iceUfrag: found.iceUfrag, icePwd: found.icePwd, candidates, complete };
}
