import {
  checkMediaPlaylist,
  comparePlaylists,
  type MediaPlaylist,
  parseMediaPlaylist,
} from '@onair/media/hls';
import { TsInspector, type TsReport, type TsUnit } from '@onair/media/mpegts';
import type { Scope } from './scope.ts';

/** How often it reloads, in ms. */
const RELOAD_MS = 250;

/** One segment as it was fetched. */
export interface FetchedTs {
  readonly msn: number;
  /** Seconds, from EXTINF. */
  readonly duration: number;
  readonly discontinuity: boolean;
  readonly bytes: Uint8Array;
  readonly units: readonly TsUnit[];
}

/** Follows a playlist of MPEG-TS segments, fetches each once and measures them as one stream. */
export class TsFollower {
  /** What breaks a rule of the playlist, with its clause, and what could not be fetched. */
  readonly faults: string[] = [];
  readonly versions: MediaPlaylist[] = [];
  readonly segments: FetchedTs[] = [];
  readonly #url: string;
  readonly #inspector: TsInspector;
  readonly #running: Promise<void>;
  #units: TsUnit[] = [];
  #stopped = false;

  /** @param url of the media playlist. */
  constructor(url: string) {
    this.#url = url;
    this.#inspector = new TsInspector((unit) => this.#units.push(unit));
    this.#running = this.#run();
  }

  /** The newest version. */
  get last(): MediaPlaylist {
    return this.versions.at(-1)!;
  }

  /** Stops and tells what all segments together are. */
  async stop(): Promise<TsReport> {
    this.#stopped = true;
    await this.#running;
    return this.#inspector.end();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#reload();
      } catch (error) {
        this.faults.push(String(error));
        return;
      }
      if (this.versions.at(-1)?.endList === true) return;
      await new Promise((resolve) => setTimeout(resolve, RELOAD_MS));
    }
  }

  async #reload(): Promise<void> {
    const answer = await fetch(this.#url);
    if (answer.status === 503) return;
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${answer.status} ${text}`);
    const playlist = parseMediaPlaylist(text);
    const before = this.versions.at(-1);
    const found = [...checkMediaPlaylist(playlist), ...(before ? comparePlaylists(before, playlist) : [])];
    for (const { clause, message } of found) this.faults.push(`${message} (${clause})`);
    this.versions.push(playlist);
    for (const [i, { uri, duration, discontinuity, gap }] of playlist.segments.entries()) {
      const msn = playlist.mediaSequence + i;
      if (gap === true || msn <= (this.segments.at(-1)?.msn ?? -1)) continue;
      const media = await fetch(new URL(uri, this.#url));
      if (media.status !== 200) throw new Error(`${media.status} ${uri}`);
      const bytes = new Uint8Array(await media.arrayBuffer());
      this.#inspector.push(bytes);
      this.segments.push({ msn, duration, discontinuity, bytes, units: this.#units.splice(0) });
    }
  }
}

/** Follows a playlist of MPEG-TS segments until it is stopped or the scope closes. */
export function followTs(scope: Scope, url: string): TsFollower {
  const follower = new TsFollower(url);
  scope.defer(async () => {
    await follower.stop();
  });
  return follower;
}
