import { checkMpd, parseMpd } from '../dash/index.ts';
import type { BlockReader } from '../file/index.ts';
import { checkMediaPlaylist, checkMultivariantPlaylist, listedSeconds, parsePlaylist } from '../hls/index.ts';
import type { Inquiry } from './inquiry.ts';

/** Longest playlist or manifest that is read, in bytes. */
export const MAX_TEXT_BYTES = 4 * 1024 * 1024;
/** Longest text of a node. */
const MAX_DETAIL = 400;

/** Checks an HLS playlist by itself. */
export async function inspectHls(reader: BlockReader, inquiry: Inquiry): Promise<void> {
  const { findings } = inquiry;
  const bytes = await reader.read(0, MAX_TEXT_BYTES);
  let at = 0;
  for (const line of new TextDecoder().decode(bytes).split('\n')) {
    const [, name = 'uri', rest = line] = /^#(EXT[\w-]*):?(.*)$/.exec(line) ?? [];
    const size = new TextEncoder().encode(line).length + 1;
    if (line.trim() !== '') {
      inquiry.node({
        depth: 0,
        name,
        offset: at,
        size,
        headerBytes: 0,
        detail: rest.trim().slice(0, MAX_DETAIL),
      });
    }
    at += size;
  }
  const playlist = findings.attempt(undefined, () => parsePlaylist(bytes));
  if (playlist === undefined) return;
  if (playlist.kind === 'multivariant') {
    const { variants } = playlist.multivariant;
    findings.say('note', 'multivariant', { variants: variants.length });
    say(inquiry, checkMultivariantPlaylist(playlist.multivariant));
    return;
  }
  const { segments, endList } = playlist.media;
  const values = { segments: segments.length, seconds: listedSeconds(playlist.media).toFixed(3) };
  findings.say('note', endList ? 'media-playlist/complete' : 'media-playlist/growing', values);
  say(inquiry, checkMediaPlaylist(playlist.media));
}

/** Checks a DASH manifest by itself. */
export async function inspectDash(reader: BlockReader, inquiry: Inquiry): Promise<void> {
  const { findings } = inquiry;
  const bytes = await reader.read(0, MAX_TEXT_BYTES);
  const text = new TextDecoder().decode(bytes);
  listElements(text, inquiry);
  const mpd = findings.attempt(undefined, () => parseMpd(text));
  if (mpd === undefined) return;
  const sets = mpd.periods.flatMap(({ adaptationSets }) => adaptationSets);
  const count = sets.reduce((sum, { representations }) => sum + representations.length, 0);
  const values = { periods: mpd.periods.length, representations: count };
  findings.say('note', mpd.type === 'dynamic' ? 'manifest/live' : 'manifest/complete', values);
  say(inquiry, checkMpd(mpd));
}

/** Lists the tags of a document with their depth; offsets are exact for ASCII. */
function listElements(text: string, inquiry: Inquiry): void {
  let depth = 0;
  for (const match of text.matchAll(/<(\/?)([A-Za-z][\w:.-]*)([^<>]*)>/g)) {
    const [whole, closing, name = '', attributes = ''] = match;
    if (closing === '/') {
      depth = Math.max(0, depth - 1);
      continue;
    }
    const detail = attributes.replace(/\/$/, '').trim().replaceAll(/\s+/g, ' ').slice(0, MAX_DETAIL);
    inquiry.node({ depth, name, offset: match.index, size: whole.length, headerBytes: 0, detail });
    if (!attributes.endsWith('/')) depth++;
  }
}

function say(
  { findings }: Inquiry,
  faults: readonly {
    readonly severity: 'must' | 'should';
    readonly clause: string;
    readonly message: string;
  }[],
): void {
  for (const { severity, clause, message } of faults) {
    const rule = { code: 'rule', message: `${message} (${clause}).` };
    findings.add({ severity: severity === 'must' ? 'error' : 'warning', ...rule });
  }
}
