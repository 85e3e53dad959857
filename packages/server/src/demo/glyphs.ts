/** How much of each pixel a shape covers, 0 to 255, for luma and, averaged over 2x2 pixels, for chroma. */
export interface Mask {
  /** Even. */
  readonly width: number;
  /** Even. */
  readonly height: number;
  readonly luma: Uint8Array;
  readonly chroma: Uint8Array;
}

/** Builds a mask from the coverage of each pixel. @param cover 0 to 1 at the pixel's middle. */
export function createMask(width: number, height: number, cover: (x: number, y: number) => number): Mask {
  const luma = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const part = cover(x + 0.5, y + 0.5);
      luma[y * width + x] = Math.round(Math.min(Math.max(part, 0), 1) * 255);
    }
  }
  const chroma = new Uint8Array((width / 2) * (height / 2));
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      const at = y * width + x;
      const sum = luma[at]! + luma[at + 1]! + luma[at + width]! + luma[at + width + 1]!;
      chroma[(y / 2) * (width / 2) + x / 2] = (sum + 2) >> 2;
    }
  }
  return { width, height, luma, chroma };
}

/** A straight stroke: x1, y1, x2, y2. */
type Line = readonly [number, number, number, number];
/** An elliptical stroke: centre, radii, first and last angle in degrees, clockwise from the right. */
type Arc = readonly [number, number, number, number, number, number];
type Stroke = Line | Arc;

/** Strokes of each character in a box 4 wide and 6 high, y downwards. Lower-case letters start at y = 2. */
const STROKES: Readonly<Record<string, readonly Stroke[]>> = {
  '0': [
    [2, 2, 2, 2, 180, 360],
    [4, 2, 4, 4],
    [2, 4, 2, 2, 0, 180],
    [0, 4, 0, 2],
  ],
  '1': [
    [0.7, 1.3, 2.4, 0],
    [2.4, 0, 2.4, 6],
  ],
  '2': [
    [2, 2, 2, 2, 185, 400],
    [3.53, 3.29, 0, 6],
    [0, 6, 4, 6],
  ],
  '3': [
    [2, 1.45, 1.75, 1.45, 200, 450],
    [2, 4.45, 2, 1.55, 270, 520],
  ],
  '4': [
    [2.9, 6, 2.9, 0],
    [2.9, 0, 0, 4.4],
    [0, 4.4, 4, 4.4],
  ],
  '5': [
    [3.6, 0, 0.6, 0],
    [0.6, 0, 0.4, 2.75],
    [1.95, 4, 2, 2, 219, 515],
  ],
  '6': [
    [2, 4, 2, 2, 0, 360],
    [0.2, 3.15, 2.7, 0],
  ],
  '7': [
    [0, 0, 4, 0],
    [4, 0, 1.4, 6],
  ],
  '8': [
    [2, 1.45, 1.65, 1.45, 0, 360],
    [2, 4.45, 2, 1.55, 0, 360],
  ],
  '9': [
    [2, 2, 2, 2, 0, 360],
    [3.8, 2.85, 1.3, 6],
  ],
  ':': [
    [2, 1.9, 2, 1.9],
    [2, 4.5, 2, 4.5],
  ],
  '.': [[2, 6, 2, 6]],
  A: [
    [0, 6, 2, 0],
    [2, 0, 4, 6],
    [0.75, 4, 3.25, 4],
  ],
  C: [
    [2, 2, 2, 2, 180, 335],
    [0, 2, 0, 4],
    [2, 4, 2, 2, 25, 180],
  ],
  E: [
    [4, 0, 0, 0],
    [0, 0, 0, 6],
    [0, 6, 4, 6],
    [0, 2.9, 3.3, 2.9],
  ],
  F: [
    [4, 0, 0, 0],
    [0, 0, 0, 6],
    [0, 2.9, 3.3, 2.9],
  ],
  I: [[2, 0, 2, 6]],
  M: [
    [0, 6, 0, 0],
    [0, 0, 2, 3.4],
    [2, 3.4, 4, 0],
    [4, 0, 4, 6],
  ],
  N: [
    [0, 6, 0, 0],
    [0, 0, 4, 6],
    [4, 6, 4, 0],
  ],
  O: [
    [2, 2, 2, 2, 180, 360],
    [4, 2, 4, 4],
    [2, 4, 2, 2, 0, 180],
    [0, 4, 0, 2],
  ],
  R: [
    [0, 6, 0, 0],
    [0, 0, 2.2, 0],
    [2.2, 1.6, 1.7, 1.6, 270, 450],
    [2.2, 3.2, 0, 3.2],
    [2, 3.2, 4, 6],
  ],
  T: [
    [0, 0, 4, 0],
    [2, 0, 2, 6],
  ],
  U: [
    [0, 0, 0, 4],
    [2, 4, 2, 2, 0, 180],
    [4, 4, 4, 0],
  ],
  a: [
    [2, 4, 2, 2, 0, 360],
    [4, 2, 4, 6],
  ],
  i: [
    [2, 2, 2, 6],
    [2, 0.2, 2, 0.2],
  ],
  n: [
    [0, 2, 0, 6],
    [2, 4, 2, 2, 180, 360],
    [4, 4, 4, 6],
  ],
  o: [[2, 4, 2, 2, 0, 360]],
  r: [
    [0.6, 2, 0.6, 6],
    [2.6, 4, 2, 2, 180, 305],
  ],
};

/** Straight pieces that stand for one arc. */
const ARC_PIECES = 24;

function flatten(strokes: readonly Stroke[]): Line[] {
  const lines: Line[] = [];
  for (const stroke of strokes) {
    if (stroke.length === 4) {
      lines.push(stroke);
      continue;
    }
    const [x, y, rx, ry, from, to] = stroke;
    const point = (piece: number): readonly [number, number] => {
      const angle = ((from + ((to - from) * piece) / ARC_PIECES) * Math.PI) / 180;
      return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)];
    };
    for (let piece = 0; piece < ARC_PIECES; piece++) {
      lines.push([...point(piece), ...point(piece + 1)]);
    }
  }
  return lines;
}

/**
 * One character drawn with strokes of round ends into a cell.
 * @param width pixels of the cell; even. @param height pixels of the cell; even.
 * @param weight width of the strokes in pixels.
 * @param margin pixels left free on every side, besides half the weight.
 * @throws RangeError for a character that has no drawing here.
 */
export function glyph(char: string, width: number, height: number, weight: number, margin: number): Mask {
  if (char === ' ') return createMask(width, height, () => 0);
  const strokes = STROKES[char];
  if (strokes === undefined) throw new RangeError(`no drawing of ${JSON.stringify(char)}`);
  const inset = margin + weight / 2;
  const scaleX = (width - 2 * inset) / 4;
  const scaleY = (height - 2 * inset) / 6;
  const lines = flatten(strokes).map(
    ([x1, y1, x2, y2]): Line => [
      inset + x1 * scaleX,
      inset + y1 * scaleY,
      inset + x2 * scaleX,
      inset + y2 * scaleY,
    ],
  );
  return createMask(width, height, (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    for (const line of lines) nearest = Math.min(nearest, squaredDistance(x, y, line));
    return weight / 2 - Math.sqrt(nearest) + 0.5;
  });
}

/** A disc that fills a square. @param size pixels; even. */
export function disc(size: number): Mask {
  const radius = size / 2;
  return createMask(size, size, (x, y) => radius - Math.hypot(x - radius, y - radius));
}

/** A rectangle with half-round ends. */
export function pill(width: number, height: number): Mask {
  const radius = height / 2;
  const spine: Line = [radius, radius, width - radius, radius];
  return createMask(width, height, (x, y) => radius - Math.sqrt(squaredDistance(x, y, spine)));
}

function squaredDistance(x: number, y: number, line: Line): number {
  const dx = line[2] - line[0];
  const dy = line[3] - line[1];
  const length = dx * dx + dy * dy;
  let along = length === 0 ? 0 : ((x - line[0]) * dx + (y - line[1]) * dy) / length;
  if (along < 0) along = 0;
  else if (along > 1) along = 1;
  const besideX = x - line[0] - along * dx;
  const besideY = y - line[1] - along * dy;
  return besideX * besideX + besideY * besideY;
}
