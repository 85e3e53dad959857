/** What an HTTP status says about a stream. */
export type Availability = 'there' | 'waiting' | 'denied' | 'unreachable';

/** Reads a status: 404 and 503 mean that nobody publishes now; 0 that no answer came. */
export function availabilityOf(status: number): Availability {
  if (status >= 200 && status < 400) return 'there';
  if (status === 404 || status === 503) return 'waiting';
  if (status === 401 || status === 403) return 'denied';
  return 'unreachable';
}

/** Most of a playlist that is read, characters. */
const MAX_PLAYLIST = 1024 * 1024;

/** Asks for a text. */
async function ask(
  address: string,
  signal: AbortSignal,
): Promise<{ readonly found: Availability; readonly text: string }> {
  try {
    const response = await fetch(address, { cache: 'no-store', signal });
    const found = availabilityOf(response.status);
    if (found !== 'there') {
      await response.body?.cancel();
      return { found, text: '' };
    }
    return { found, text: (await response.text()).slice(0, MAX_PLAYLIST) };
  } catch {
    return { found: 'unreachable', text: '' };
  }
}

/** Whole segments with which the browsers' own players begin without taking the stream for broken. */
const ENOUGH_SEGMENTS = 3;
/** Most media playlists looked at. */
const MAX_PLAYLISTS = 8;

/** Looks whether the HLS playlist at `address` can be played: `starting` while a rendition has too few whole segments. */
export async function playlistAt(address: string, signal: AbortSignal): Promise<Availability | 'starting'> {
  const { found, text } = await ask(address, signal);
  if (found !== 'there' || segmentsIn(text) >= ENOUGH_SEGMENTS) return found;
  const renditions = renditionsIn(text).slice(0, MAX_PLAYLISTS);
  if (renditions.length === 0) return 'starting';
  const answers = await Promise.all(renditions.map((uri) => ask(new URL(uri, address).href, signal)));
  const missing = answers.find((answer) => answer.found !== 'there');
  if (missing !== undefined) return missing.found;
  return answers.every((answer) => segmentsIn(answer.text) >= ENOUGH_SEGMENTS) ? 'there' : 'starting';
}

function segmentsIn(playlist: string): number {
  return playlist.match(/^#EXTINF:/gm)?.length ?? 0;
}

/** Addresses of the media playlists of a multivariant playlist (RFC 8216 §4.3.4). */
function renditionsIn(playlist: string): string[] {
  if (segmentsIn(playlist) > 0) return [];
  const found: string[] = [];
  for (const line of playlist.split(/\r?\n/)) {
    if (line !== '' && !line.startsWith('#')) found.push(line);
    const uri = line.startsWith('#EXT-X-MEDIA:') ? /URI="([^"]+)"/.exec(line)?.[1] : undefined;
    if (uri !== undefined) found.push(uri);
  }
  return found;
}
