import type { ServerResponse } from 'node:http';
import type { Clock } from '../../hub/index.ts';
import type { OpenSegment } from '../../packager/dash/index.ts';

/** What an answer that grows is made of. */
export interface GrowingSource {
  readonly open: OpenSegment;
  /** True once nothing will be added. */
  finished(): boolean;
  /** Calls `changed` when there may be more; the returned function stops that. */
  follow(changed: () => void): () => void;
}

/** How an answer that grows is watched. */
export interface GrowingCare {
  readonly clock: Clock;
  /** Milliseconds after which a viewer that takes nothing is cut. */
  readonly stallMs: number;
  /** Counts bytes of the body. */
  readonly sent: (bytes: number) => void;
}

/**
 * Sends a segment while it grows: what there is at once, then every chunk as it is made. Chunks are the packager's
 * own buffers; what the connection does not take waits in the segment, not in a queue of the viewer. Resolves when
 * the answer is over.
 */
export function sendGrowing(
  response: ServerResponse,
  source: GrowingSource,
  care: GrowingCare,
): Promise<void> {
  return new Promise((resolve) => {
    const { chunks } = source.open;
    let next = 0;
    let stopTimer: (() => void) | undefined;
    const leave = (): void => {
      stopTimer?.();
      unfollow();
      response.off('drain', drained);
      response.off('close', leave);
      resolve();
    };
    const drained = (): void => {
      stopTimer?.();
      stopTimer = undefined;
      push();
    };
    const push = (): void => {
      if (response.destroyed) return;
      if (next < chunks.length && !response.writableNeedDrain) {
        response.cork();
        while (next < chunks.length && !response.writableNeedDrain) {
          const chunk = chunks[next++]!;
          response.write(chunk);
          care.sent(chunk.length);
        }
        response.uncork();
      }
      if (next < chunks.length) stopTimer ??= care.clock.after(care.stallMs, () => response.destroy());
      else if (source.finished()) {
        response.end();
        leave();
      }
    };
    const unfollow = source.follow(push);
    response.on('drain', drained);
    response.on('close', leave);
    push();
  });
}
