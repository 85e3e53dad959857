import type { Sample, StreamName, Track } from '@onair/media';
import type { Publication, SessionTable, StreamRegistry } from '../../hub/index.ts';

/** Something inside the process that makes samples. */
export interface SampleSource {
  readonly tracks: readonly Track[];
  /** Begins to call back with samples in decoding order. */
  start(onSample: (sample: Sample) => void): { stop(): void };
}

/** What local publishing needs. */
export interface LocalDeps {
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
}

/**
 * Publishes a source of this process. The returned function stops it.
 * @throws HubError if the name is taken.
 */
export function publishLocal(name: StreamName, source: SampleSource, deps: LocalDeps): () => void {
  let bytes = 0;
  let handle: { stop(): void } | undefined;
  let publication: Publication | undefined;
  const session = { remove: (): void => undefined };
  const stop = (): void => {
    handle?.stop();
    handle = undefined;
    publication?.close('source stopped');
    session.remove();
  };
  const current = deps.registry.publish(name, { protocol: 'local', revoked: stop });
  publication = current;
  session.remove = deps.sessions.add({
    kind: 'publisher',
    protocol: 'local',
    stream: name,
    address: 'local',
    figures: () => ({ bytes, skips: 0, dropped: current.dropped, backlog: 0 }),
    close: (reason) => current.revoke(reason),
  }).remove;
  for (const track of source.tracks) current.setTrack(track);
  handle = source.start((sample) => {
    bytes += sample.data.length;
    current.push(sample);
  });
  return stop;
}
