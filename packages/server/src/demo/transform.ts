/** Zig-zag scan of a 4x4 block (figure 8-8): raster position of the coefficient at each scan index. */
export const ZIGZAG: Uint8Array = Uint8Array.of(0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15);

/** What a block holds: nothing. */
export const NONE = 0;
/** What a block holds: a mean only. */
export const DC_ONLY = 1;
/** What a block holds: more than a mean. */
export const DC_AND_AC = 2;

/** One plane of samples and where a block begins in it. */
export interface Plane {
  readonly samples: Uint8Array;
  /** Samples from one row to the next. */
  readonly stride: number;
}

/**
 * Forward 4x4 core transform of source minus prediction, the counterpart of clause 8.5.12.2.
 * @param out receives 16 unscaled coefficients in raster order from `at`.
 * @returns {@link NONE}, leaving `out` all zero, where source and prediction are equal; {@link DC_ONLY}
 * where they differ by the same everywhere; else {@link DC_AND_AC}.
 */
export function forward4x4(
  source: Plane,
  sourceAt: number,
  prediction: Plane,
  predictionAt: number,
  out: Int32Array,
  at: number,
): number {
  const s = source.samples;
  const p = prediction.samples;
  const first = s[sourceAt]! - p[predictionAt]!;
  let any = 0;
  let unlike = 0;
  for (let row = 0, i = sourceAt, j = predictionAt, o = at; row < 4; row++) {
    const a = s[i]! - p[j]!;
    const b = s[i + 1]! - p[j + 1]!;
    const c = s[i + 2]! - p[j + 2]!;
    const d = s[i + 3]! - p[j + 3]!;
    any |= a | b | c | d;
    unlike |= (a ^ first) | (b ^ first) | (c ^ first) | (d ^ first);
    const outer = a + d;
    const inner = b + c;
    const outerDifference = a - d;
    const innerDifference = b - c;
    out[o] = outer + inner;
    out[o + 1] = 2 * outerDifference + innerDifference;
    out[o + 2] = outer - inner;
    out[o + 3] = outerDifference - 2 * innerDifference;
    i += source.stride;
    j += prediction.stride;
    o += 4;
  }
  if (any === 0) return NONE;
  if (unlike === 0) {
    out.fill(0, at, at + 16);
    out[at] = 16 * first;
    return DC_ONLY;
  }
  for (let column = at; column < at + 4; column++) {
    const a = out[column]!;
    const b = out[column + 4]!;
    const c = out[column + 8]!;
    const d = out[column + 12]!;
    const outer = a + d;
    const inner = b + c;
    out[column] = outer + inner;
    out[column + 4] = 2 * (a - d) + (b - c);
    out[column + 8] = outer - inner;
    out[column + 12] = a - d - 2 * (b - c);
  }
  return DC_AND_AC;
}

/**
 * Inverse 4x4 transform (clause 8.5.12.2) of scaled coefficients, added to the prediction and clipped
 * (clause 8.5.14) into `target`, which may be the prediction itself.
 */
export function reconstruct4x4(
  coefficients: Int32Array,
  at: number,
  prediction: Plane,
  predictionAt: number,
  target: Plane,
  targetAt: number,
): void {
  const c = coefficients;
  for (let row = at; row < at + 16; row += 4) {
    const even = c[row]! + c[row + 2]!;
    const odd = c[row]! - c[row + 2]!;
    const low = (c[row + 1]! >> 1) - c[row + 3]!;
    const high = c[row + 1]! + (c[row + 3]! >> 1);
    c[row] = even + high;
    c[row + 1] = odd + low;
    c[row + 2] = odd - low;
    c[row + 3] = even - high;
  }
  const p = prediction.samples;
  const t = target.samples;
  const from = prediction.stride;
  const to = target.stride;
  for (let column = 0; column < 4; column++) {
    const i = at + column;
    const even = c[i]! + c[i + 8]! + 32;
    const odd = c[i]! - c[i + 8]! + 32;
    const low = (c[i + 4]! >> 1) - c[i + 12]!;
    const high = c[i + 4]! + (c[i + 12]! >> 1);
    const j = predictionAt + column;
    const o = targetAt + column;
    t[o] = clip(p[j]! + ((even + high) >> 6));
    t[o + to] = clip(p[j + from]! + ((odd + low) >> 6));
    t[o + 2 * to] = clip(p[j + 2 * from]! + ((odd - low) >> 6));
    t[o + 3 * to] = clip(p[j + 3 * from]! + ((even - high) >> 6));
  }
}

/** {@link reconstruct4x4} for a block whose only scaled coefficient is `dc`. */
export function reconstructDc(
  dc: number,
  prediction: Plane,
  predictionAt: number,
  target: Plane,
  targetAt: number,
): void {
  const p = prediction.samples;
  const t = target.samples;
  const add = (dc + 32) >> 6;
  for (let row = 0, j = predictionAt, o = targetAt; row < 4; row++) {
    t[o] = clip(p[j]! + add);
    t[o + 1] = clip(p[j + 1]! + add);
    t[o + 2] = clip(p[j + 2]! + add);
    t[o + 3] = clip(p[j + 3]! + add);
    j += prediction.stride;
    o += target.stride;
  }
}

/** Copies a square of samples. */
export function copyBlock(from: Plane, fromAt: number, to: Plane, toAt: number, size: number): void {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      to.samples[toAt + row * to.stride + column] = from.samples[fromAt + row * from.stride + column]!;
    }
  }
}

/** The 4x4 Hadamard transform of Intra_16x16 DC coefficients (clause 8.5.10), in place, not normalised. */
export function hadamard4x4(block: Int32Array): void {
  for (let pass = 0; pass < 2; pass++) {
    const step = pass === 0 ? 1 : 4;
    const next = pass === 0 ? 4 : 1;
    for (let line = 0; line < 4; line++) {
      const i = line * next;
      const a = block[i]! + block[i + step]!;
      const b = block[i]! - block[i + step]!;
      const c = block[i + 2 * step]! + block[i + 3 * step]!;
      const d = block[i + 2 * step]! - block[i + 3 * step]!;
      block[i] = a + c;
      block[i + step] = a - c;
      block[i + 2 * step] = b - d;
      block[i + 3 * step] = b + d;
    }
  }
}

/** The 2x2 transform of chroma DC coefficients (clause 8.5.11.1), of the first four, in place. */
export function hadamard2x2(block: Int32Array): void {
  const a = block[0]! + block[1]!;
  const b = block[0]! - block[1]!;
  const c = block[2]! + block[3]!;
  const d = block[2]! - block[3]!;
  block[0] = a + c;
  block[1] = b + d;
  block[2] = a - c;
  block[3] = b - d;
}

function clip(value: number): number {
  if (value < 0) return 0;
  return Math.min(value, 255);
}
