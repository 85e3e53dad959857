/** A part that is not the last of its segment fills at least this share of PART-TARGET. RFC 8216bis §4.4.4.9. */
export const MIN_PART_SHARE = 0.85;

/** Share of PART-TARGET below which the last part of a segment is a rest that the plan should avoid. */
const REST_SHARE = 0.65;

/** How far apart the targets are that are tried, as a share of what is wished for. */
const STEP_SHARE = 0.01;

/** Rounding of block times, in µs per part. */
export const ROUNDING_US = 50;

/** In what pieces the media of a track comes, all in µs. */
export interface Grain {
  /** One frame. */
  readonly frame: number;
  /** The longest chunk: frames that come together. */
  readonly chunk: number;
  /** Sound that comes with pictures: intervals of these, of which one is right. */
  readonly beats?: readonly number[];
}

/**
 * How long the growing part should become so that those behind it are about as long, rather than full ones and a rest:
 * that would come while players still load the part before.
 * @param left µs from where the part begins to where the segment, or its group of pictures, is expected to end.
 * @param target PART-TARGET in µs.
 * @returns µs; infinite for the last part, and where more came than was expected.
 */
export function wishedPart(left: number, target: number): number {
  const count = Math.ceil((left - ROUNDING_US) / target);
  return count < 2 ? Number.POSITIVE_INFINITY : Math.max(MIN_PART_SHARE * target, left / count);
}

/**
 * True if a part that has got so far ends here.
 * @param wish {@link wishedPart}. @param length µs of the part. @param chunk µs of its last chunk.
 */
export function isPartDue(wish: number, length: number, target: number, chunk: number): boolean {
  return length >= MIN_PART_SHARE * target && length + chunk / 4 >= wish;
}

/**
 * The PART-TARGET for segments of `segmentMs`: the longest up to `partMs` with which no segment ends with a small rest,
 * or else the one with the largest; or else the nearest to `partMs` that whole frames can fill: at 5 frames per second a
 * part of 334 ms would hold one frame of 200 ms, which is too short for the rule of 85 %.
 * @param grains of each track.
 * @returns µs, whole milliseconds.
 */
export function fitPartTarget(segmentMs: number, partMs: number, grains: readonly Grain[]): number {
  const start = partMs * 1000;
  let best: (Plan & { readonly target: number }) | undefined;
  const step = Math.ceil(partMs * STEP_SHARE) * 1000;
  for (let target = start; target >= MIN_PART_SHARE * start; target -= step) {
    const plan = planFor(segmentMs * 1000, target, grains);
    if (plan === undefined || (best !== undefined && plan.rest <= best.rest)) continue;
    best = { ...plan, target };
    if (plan.rest >= REST_SHARE) break;
  }
  if (best !== undefined) return tightened(segmentMs * 1000, best, grains);
  for (let target = start; target <= start * 4; target += 1000) {
    if (grains.every(({ chunk }) => fills(target, chunk))) return target;
  }
  return Math.ceil(Math.max(start, ...grains.map(({ chunk }) => chunk)) / 1000) * 1000;
}

/** How the parts of a segment come out, in the worst case. */
interface Plan {
  /** µs of the longest. */
  readonly longest: number;
  /** What the last fills of PART-TARGET. */
  readonly rest: number;
}

/** No longer than parts are, since players stay behind by three of it. */
function tightened(
  segment: number,
  { longest, rest, target }: Plan & { target: number },
  grains: readonly Grain[],
) {
  const tight = Math.ceil((longest - ROUNDING_US) / 1000) * 1000;
  const plan = planFor(segment, tight, grains);
  return plan !== undefined && plan.rest >= rest ? tight : target;
}

/** Undefined if a part would be too short. */
function planFor(segment: number, target: number, grains: readonly Grain[]): Plan | undefined {
  let [longest, rest] = [0, 1];
  for (const grain of grains) {
    if (!fills(target, grain.chunk)) return undefined;
    for (const chunks of arrivals(segment, grain)) {
      const parts = plannedParts(segment, target, chunks);
      if (parts === undefined) return undefined;
      longest = Math.max(longest, ...parts);
      rest = Math.min(rest, parts.at(-1)! / target);
    }
  }
  return { longest, rest };
}

/** µs of the chunks of a segment, in all the ways they may come. */
function* arrivals(segment: number, { frame, chunk, beats = [] }: Grain): Generator<number[]> {
  // Sound is cut where its frames are: one more or less than the pictures last.
  const most = Math.ceil(segment / frame - 0.01);
  const least = Math.floor(segment / frame + 0.01);
  for (const count of new Set([least, most])) {
    const pieces = Math.max(1, Math.floor(chunk / frame));
    for (const size of new Set([1, pieces])) yield chunked(count, frame, size, () => false);
    for (const beat of beats) {
      // A chunk of sound ends where a picture comes, too.
      for (const phase of [0, 0.3, 0.7]) {
        const pictures = (frames: number): number => Math.floor((frames * frame) / beat + phase);
        yield chunked(count, frame, pieces, (at) => pictures(at) > pictures(at - 1));
      }
    }
  }
}

function chunked(count: number, frame: number, size: number, ends: (at: number) => boolean): number[] {
  const chunks: number[] = [];
  let from = 0;
  for (let at = 1; at <= count; at++) {
    if (at - from < size && at < count && !ends(at)) continue;
    chunks.push((at - from) * frame);
    from = at;
  }
  return chunks;
}

/** µs of the parts that chunks fill; undefined if one is too short. */
function plannedParts(segment: number, target: number, chunks: readonly number[]): number[] | undefined {
  const lengths: number[] = [];
  let begin = 0;
  let length = 0;
  for (const [i, chunk] of chunks.entries()) {
    length += chunk;
    const next = chunks[i + 1];
    if (next === undefined) break;
    const full = length + next > target + ROUNDING_US;
    if (!full && !isPartDue(wishedPart(segment - begin, target), length, target, chunk)) continue;
    if (length < MIN_PART_SHARE * target) return undefined;
    lengths.push(length);
    begin += length;
    length = 0;
  }
  return [...lengths, length];
}

function fills(target: number, grain: number): boolean {
  // Small grains leave less than 15 % free however unevenly they come.
  if (grain <= (1 - MIN_PART_SHARE) * target) return true;
  return Math.floor(target / grain) * grain >= MIN_PART_SHARE * target;
}
