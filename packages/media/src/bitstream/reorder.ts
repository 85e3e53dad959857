import type { Sample } from '../model/sample.ts';
import { hasH264BSlice } from './h264.ts';

/** How many pictures of a track are looked into for B slices; those after them are not. */
export const LOOKED_INTO = 90;

/** Finds out whether the pictures of an H.264 track are coded in another order than they are shown in. */
export class ReorderLook {
  #seen = 0;

  /** True if this picture shows that they are. Pictures of other codecs, and malformed ones, never do. */
  finds({ dts, pts, data, keyframe, track }: Sample): boolean {
    if (track.parameters.codec !== 'h264' || keyframe || this.#seen >= LOOKED_INTO) return false;
    this.#seen++;
    try {
      return hasH264BSlice(data) || pts < dts;
    } catch {
      return false;
    }
  }
}
