import {
  checkMediaPlaylist,
  comparePlaylists,
  type MediaPlaylist,
  parseMediaPlaylist,
} from '@onair/media/hls';
import type { Scope } from './scope.ts';

/** Follows one rendition as a low-latency client does, and gathers what breaks a rule. */
export class HlsFollower {
  /** What breaks a rule, with its clause. */
  readonly faults: string[] = [];
  /** Every version of the playlist, oldest first. */
  readonly versions: MediaPlaylist[] = [];
  /** Milliseconds from a part's wall-clock end to its playlist being here. */
  readonly delays: number[] = [];
  readonly #url: string;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  /** @param url of a media playlist. */
  constructor(url: string) {
    this.#url = url;
    this.#running = this.#run();
  }

  /** The newest version. */
  get last(): MediaPlaylist {
    return this.versions.at(-1)!;
  }

  /** Stops following. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#reload(signal);
      } catch (error) {
        if (!signal.aborted) this.faults.push(String(error));
        return;
      }
    }
  }

  async #reload(signal: AbortSignal): Promise<void> {
    const answer = await fetch(this.#url + this.#query(), { signal });
    if (answer.status === 503) return;
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${answer.status} ${text}`);
    const playlist = parseMediaPlaylist(text);
    const before = this.versions.at(-1);
    const found = [...checkMediaPlaylist(playlist), ...(before ? comparePlaylists(before, playlist) : [])];
    for (const { rule, severity, clause, message } of found) {
      // An encoder that is killed leaves a hole that no part can tell.
      if (rule === 'part-duration' && severity === 'should') continue;
      this.faults.push(`${message} (${clause})`);
    }
    this.versions.push(playlist);
    const { pending } = playlist;
    if (pending?.programDateTime !== undefined && pending.parts.length > 0) {
      const length = pending.parts.reduce((sum, { duration }) => sum + duration, 0);
      this.delays.push(Date.now() - pending.programDateTime - length * 1000);
    }
    if (playlist.endList) this.#stop.abort();
  }

  #query(): string {
    const playlist = this.versions.at(-1);
    if (playlist === undefined) return '';
    const msn = playlist.mediaSequence + playlist.segments.length + (playlist.skip?.skippedSegments ?? 0);
    return `?_HLS_msn=${msn}&_HLS_part=${playlist.pending?.parts.length ?? 0}`;
  }
}

/** Follows a media playlist until it is stopped or the scope closes. */
export function followHls(scope: Scope, url: string): HlsFollower {
  const follower = new HlsFollower(url);
  scope.defer(() => follower.stop());
  return follower;
}
