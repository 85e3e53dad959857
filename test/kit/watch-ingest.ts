import { streamName } from '@onair/media';
import type { Scope } from './scope.ts';
import type { TestServer } from './server.ts';

/** When the frames of a stream came to the server: what its viewers can see at best. */
export class IngestWatch {
  readonly #atMs: number[] = [];

  /** Notes one video frame; times are those of `performance.now()`. */
  add(): void {
    this.#atMs.push(performance.now());
  }

  /** Longest pause of the publisher since `fromMs`, in milliseconds. */
  maxGapMs(fromMs: number): number {
    let gap = 0;
    for (let at = 1; at < this.#atMs.length; at++) {
      if (this.#atMs[at]! >= fromMs) gap = Math.max(gap, this.#atMs[at]! - this.#atMs[at - 1]!);
    }
    return gap;
  }
}

/** Watches the frames of `live/NAME` come in, until the scope closes. */
export function watchIngest(scope: Scope, server: TestServer, name: string): IngestWatch {
  const watch = new IngestWatch();
  const stream = server.registry.open(streamName('live', name));
  const detach = stream.attach();
  const leave = stream.subscribe({
    cut: () => undefined,
    state: () => undefined,
    sample: ({ track }) => {
      if (track.parameters.kind === 'video') watch.add();
    },
  });
  scope.defer(() => {
    leave();
    detach();
  });
  return watch;
}
