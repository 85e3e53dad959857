import { type MediaPlaylist, nextOf, parseMediaPlaylist } from '@onair/media/hls';
import { afterEach, expect, it } from 'vitest';
import { askHls, resolveUri, withQuery } from '../../../../../test/kit/hls-ask.ts';
import { wishQuery } from '../../../../../test/kit/hls-rendition-watch.ts';
import { closeHlsServers, hlsServer } from '../../../../../test/kit/hls-server.ts';

afterEach(closeHlsServers);

/** Whoever has no answer after so long gets none, in ms. */
const PATIENCE_MS = 15_000;
const FOLLOWERS = 8;
/** Seconds of media. */
const SECONDS = process.env.ONAIR_LONG === '1' ? 59 : 4;

/**
 * Follows a playlist until it ends, over connections that are used again and again, and asks for each part that is
 * hinted at. Resolves with how many of them were listed then. @throws if one of these has no answer.
 */
async function follow(url: string): Promise<number> {
  const hints = new Map<string, Promise<void>>();
  const came: Promise<void>[] = [];
  const leaving = new AbortController();
  const ask = (address: string) => askHls(address, AbortSignal.timeout(PATIENCE_MS));
  const part = async (uri: string): Promise<void> => {
    const { status, body } = await askHls(resolveUri(uri, url), leaving.signal);
    if (status !== 200 || body.length === 0) throw new Error(`${uri}: ${status}`);
  };
  const take = ({ segments, pending, preloadHints }: MediaPlaylist): void => {
    for (const { uri } of [...segments.flatMap(({ parts }) => parts), ...(pending?.parts ?? [])]) {
      const hint = hints.get(uri);
      if (hint === undefined) continue;
      came.push(hint);
      hints.delete(uri);
    }
    for (const { uri } of preloadHints) {
      if (hints.has(uri)) continue;
      const asked = part(uri);
      // What never came is let go at the end.
      asked.catch(() => {});
      hints.set(uri, asked);
    }
  };
  let playlist = parseMediaPlaylist((await ask(url)).body);
  take(playlist);
  for (;;) {
    const { status, body } = await ask(withQuery(url, wishQuery(nextOf(playlist))));
    if (status !== 200) break;
    playlist = parseMediaPlaylist(body);
    take(playlist);
    if (playlist.endList) break;
  }
  const late = setTimeout(() => leaving.abort(), PATIENCE_MS);
  await Promise.all(came);
  clearTimeout(late);
  leaving.abort();
  return came.length;
}

it('players that follow two playlists get every part that was hinted at', { timeout: 240_000 }, async () => {
  const { port, until, registry } = await hlsServer({ partMs: 200, segmentMs: 1000 });
  until(1.5);
  const following = Array.from({ length: FOLLOWERS }, (_, n) =>
    follow(`http://127.0.0.1:${port}/live/test/hls/${n % 2 === 0 ? 'video' : 'audio'}.m3u8`),
  );
  for (let at = 1.5; at < SECONDS; at += 0.012) {
    until(at);
    // A part comes every few turns of the loop, so that requests meet it at every stage.
    for (let turns = Math.round(at * 1000) % 4; turns >= 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
  }
  registry.close('over');
  const came = await Promise.all(following);
  for (const count of came) expect(count).toBeGreaterThan(SECONDS);
});
