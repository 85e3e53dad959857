import type { Block } from '../../hub/index.ts';
import type { CmafConfig } from '../cmaf/cmaf-log.ts';

/** Media held back at most, in µs; then the leader is taken to be absent. */
const MAX_HELD_US = 1_500_000;

/**
 * Holds the blocks of a track back until the leading track has passed them, so that it is known whether a
 * segment ends before them. Costs nothing if the source interleaves its tracks, as it must.
 */
export class Gate {
  #held: Block<CmafConfig>[] = [];

  push(block: Block<CmafConfig>): void {
    this.#held.push(block);
  }

  /** Takes out what lies before `frontier` µs, or what has waited too long. */
  release(frontier: number): Block<CmafConfig>[] {
    const held = this.#held;
    const last = held.at(-1);
    if (last === undefined) return held;
    const until = Math.max(frontier, last.time - MAX_HELD_US);
    let count = 0;
    // By its middle, which is what decides on the segment a block belongs to.
    while (count < held.length && held[count]!.time + held[count]!.duration / 2 < until) count++;
    return held.splice(0, count);
  }

  /** Takes out everything. */
  drain(): Block<CmafConfig>[] {
    return this.#held.splice(0);
  }
}
