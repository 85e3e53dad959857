import type { Plane } from './transform.ts';

/** Intra16x16PredMode (table 8-4). */
export const INTRA_VERTICAL = 0;
/** Intra16x16PredMode (table 8-4). */
export const INTRA_HORIZONTAL = 1;
/** Intra16x16PredMode (table 8-4). */
export const INTRA_DC = 2;

/** intra_chroma_pred_mode (table 8-5) that goes with each Intra16x16PredMode here. */
export const CHROMA_MODE: readonly number[] = [2, 1, 0];

/** What the choice of a prediction came to. */
export interface IntraChoice {
  /** {@link INTRA_VERTICAL}, {@link INTRA_HORIZONTAL} or {@link INTRA_DC}. */
  mode: number;
  /** Sum of what the prediction leaves besides a constant, which costs a single coefficient. */
  cost: number;
}

/**
 * Chooses the luma prediction mode (clause 8.3.3) for one macroblock and writes the prediction.
 * @param reconstructed decoded samples so far. @param at first sample of the macroblock in both planes.
 * @param prediction 16x16, stride 16. @param choice receives the result.
 */
export function chooseIntra(
  source: Plane,
  reconstructed: Plane,
  at: number,
  left: boolean,
  top: boolean,
  prediction: Plane,
  choice: IntraChoice,
): void {
  choice.mode = INTRA_DC;
  choice.cost = flatCost(source, at);
  if (choice.cost > 0) {
    if (top) tryMode(source, reconstructed, at, INTRA_VERTICAL, choice);
    if (left) tryMode(source, reconstructed, at, INTRA_HORIZONTAL, choice);
  }
  predict(reconstructed, at, choice.mode, left, top, prediction);
}

/** Distance of the source from its own mean. */
function flatCost(source: Plane, at: number): number {
  const s = source.samples;
  let sum = 0;
  for (let y = 0, row = at; y < 16; y++, row += source.stride) {
    for (let i = row; i < row + 16; i++) sum += s[i]!;
  }
  const mean = (sum + 128) >> 8;
  let cost = 0;
  for (let y = 0, row = at; y < 16; y++, row += source.stride) {
    for (let i = row; i < row + 16; i++) {
      const d = s[i]! - mean;
      cost += d < 0 ? -d : d;
    }
  }
  return cost;
}

function tryMode(source: Plane, reconstructed: Plane, at: number, mode: number, choice: IntraChoice): void {
  const s = source.samples;
  const r = reconstructed.samples;
  const { stride } = source;
  let cost = 0;
  for (let y = 0; y < 16 && cost < choice.cost; y++) {
    const row = at + y * stride;
    const side = r[row - 1]!;
    for (let x = 0; x < 16; x++) {
      const d = s[row + x]! - (mode === INTRA_VERTICAL ? r[at - stride + x]! : side);
      cost += d < 0 ? -d : d;
    }
  }
  if (cost < choice.cost) {
    choice.cost = cost;
    choice.mode = mode;
  }
}

/** Intra_16x16 luma prediction (clauses 8.3.3.1 to 8.3.3.3). */
function predict(
  reconstructed: Plane,
  at: number,
  mode: number,
  left: boolean,
  top: boolean,
  prediction: Plane,
): void {
  const r = reconstructed.samples;
  const p = prediction.samples;
  const { stride } = reconstructed;
  if (mode === INTRA_DC) {
    let sum = 0;
    for (let i = 0; i < 16; i++) {
      if (top) sum += r[at - stride + i]!;
      if (left) sum += r[at + i * stride - 1]!;
    }
    const dc = top && left ? (sum + 16) >> 5 : top || left ? (sum + 8) >> 4 : 128;
    p.fill(dc);
    return;
  }
  copyEdge(r, at, stride, 16, mode, p);
}

function copyEdge(
  r: Uint8Array,
  at: number,
  stride: number,
  size: number,
  mode: number,
  p: Uint8Array,
): void {
  for (let y = 0, i = 0; y < size; y++) {
    const side = r[at + y * stride - 1]!;
    for (let x = 0; x < size; x++) p[i++] = mode === INTRA_VERTICAL ? r[at - stride + x]! : side;
  }
}

/**
 * Intra chroma prediction of one 8x8 plane in 4:2:0 (clause 8.3.4) in the mode that goes with the luma mode.
 * @param prediction 8x8, stride 8.
 */
export function predictChroma(
  reconstructed: Plane,
  at: number,
  mode: number,
  left: boolean,
  top: boolean,
  prediction: Plane,
): void {
  const r = reconstructed.samples;
  const p = prediction.samples;
  const { stride } = reconstructed;
  if (mode !== INTRA_DC) {
    copyEdge(r, at, stride, 8, mode, p);
    return;
  }
  for (let block = 0; block < 4; block++) {
    const x0 = (block & 1) * 4;
    const y0 = (block >> 1) * 4;
    let above = 0;
    let beside = 0;
    for (let i = 0; i < 4; i++) {
      if (top) above += r[at - stride + x0 + i]!;
      if (left) beside += r[at + (y0 + i) * stride - 1]!;
    }
    // Off the diagonal only one side is used where it is there: the one that touches the block.
    const useAbove = top && !(left && block === 2);
    const useBeside = left && !(top && block === 1);
    let dc = 128;
    if (useAbove && useBeside) dc = (above + beside + 4) >> 3;
    else if (useAbove) dc = (above + 2) >> 2;
    else if (useBeside) dc = (beside + 2) >> 2;
    for (let y = y0; y < y0 + 4; y++) p.fill(dc, y * 8 + x0, y * 8 + x0 + 4);
  }
}
