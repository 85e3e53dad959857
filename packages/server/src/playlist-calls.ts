import type { StreamName } from '@onair/media';
import type { Clock, PackagerKind, Stream, StreamRegistry } from './hub/index.ts';
import type { HlsPackager, WaitResult } from './packager/hls/index.ts';

/** What telling of playlists stands on. */
export interface PlaylistCallsDeps {
  readonly registry: StreamRegistry;
  readonly clock: Clock;
  readonly kind: PackagerKind<HlsPackager>;
  readonly callbacks: {
    /** True if somebody wants to hear of this stream. */
    wantsPlaylists(stream: StreamName): boolean;
    /** Called with each whole segment that the playlist of the leading rendition lists anew. */
    playlist(stream: StreamName): void;
  };
}

/** Wait before the next look where the playlist stands still, ms. */
const REST_MS = 1000;

/** Tells of playlists of HLS from now on. @returns ends it. */
export function tellOfPlaylists(deps: PlaylistCallsDeps): () => void {
  const watched = new Map<StreamName, () => void>();
  const leave = deps.registry.onChange((stream) => {
    if (stream.state !== 'live' || watched.has(stream.name) || !deps.callbacks.wantsPlaylists(stream.name))
      return;
    watched.set(stream.name, () => undefined);
    follow(stream, deps, (stop) => {
      if (stop === undefined) watched.delete(stream.name);
      else watched.set(stream.name, stop);
    });
  });
  return () => {
    leave();
    for (const stop of watched.values()) stop();
    watched.clear();
  };
}

/** @param waits told how to end what is waited for; undefined once nothing more will come */
function follow(
  stream: Stream,
  { clock, kind, callbacks }: PlaylistCallsDeps,
  waits: (stop: (() => void) | undefined) => void,
): void {
  const packager = stream.packager(kind);
  const newest = (): number | undefined => packager.current[0]?.window.listed.at(-1)?.boundary.msn;
  let told = newest() ?? -1;
  let turn = 0;
  // What is there already settles at once, and has begun the next wait by then.
  const wait = (begin: () => () => void): void => {
    const own = ++turn;
    const stop = begin();
    if (own === turn) waits(stop);
  };
  const settle = (result: WaitResult): void => {
    if (stream.state === 'ended') {
      turn++;
      waits(undefined);
    } else if (result === 'ready') look();
    else wait(() => clock.after(REST_MS, look));
  };
  const look = (): void => {
    const [leader] = packager.current;
    const msn = newest();
    if (msn !== undefined && msn > told) {
      told = msn;
      callbacks.playlist(stream.name);
    }
    if (leader === undefined) wait(() => packager.whenReady(settle));
    else if (leader.ended) {
      turn++;
      waits(undefined);
    } else {
      const next = msn === undefined ? (leader.progress?.msn ?? 0) : msn + 1;
      wait(() => packager.whenReloaded(leader.name, { msn: next }, settle));
    }
  };
  look();
}
