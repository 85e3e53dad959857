import type { Mask } from './glyphs.ts';
import { createPicture, type Picture } from './picture.ts';
import type { Plane } from './transform.ts';

/** A colour as BT.709 Y′CbCr in limited range. */
export interface Colour {
  readonly y: number;
  readonly cb: number;
  readonly cr: number;
}

/** The colour of a `#rrggbb` (ITU-R BT.709 clause 3, quantised to 8 bits). */
export function colour(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16);
  const r = (value >> 16) / 255;
  const g = ((value >> 8) & 255) / 255;
  const b = (value & 255) / 255;
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return {
    y: Math.round(16 + 219 * y),
    cb: Math.round(128 + (224 * (b - y)) / 1.8556),
    cr: Math.round(128 + (224 * (r - y)) / 1.5748),
  };
}

/**
 * A picture to draw on that notes which macroblocks were drawn to. Positions and sizes are in pixels and
 * even; what falls outside of the picture is not drawn.
 */
export class Surface {
  /** What was drawn. */
  readonly picture: Picture;
  /** One byte a macroblock in raster order, 1 where something was drawn since {@link clean}. */
  readonly damage: Uint8Array;

  constructor(width: number, height: number) {
    this.picture = createPicture(width, height);
    this.damage = new Uint8Array(this.picture.columns * this.picture.rows);
  }

  /** Forgets the damage. */
  clean(): void {
    this.damage.fill(0);
  }

  /** Fills a rectangle. */
  fill(x: number, y: number, width: number, height: number, ink: Colour): void {
    const { luma, cb, cr } = this.picture;
    fillPlane(luma, x, y, width, height, ink.y);
    fillPlane(cb, x / 2, y / 2, width / 2, height / 2, ink.cb);
    fillPlane(cr, x / 2, y / 2, width / 2, height / 2, ink.cr);
    this.#hit(x, y, width, height);
  }

  /** Draws `ink` through a mask; where the mask covers nothing, `ground`. */
  stamp(x: number, y: number, mask: Mask, ink: Colour, ground: Colour): void {
    const { luma, cb, cr } = this.picture;
    stampPlane(luma, x, y, mask.luma, mask.width, ink.y, ground.y);
    stampPlane(cb, x / 2, y / 2, mask.chroma, mask.width / 2, ink.cb, ground.cb);
    stampPlane(cr, x / 2, y / 2, mask.chroma, mask.width / 2, ink.cr, ground.cr);
    this.#hit(x, y, mask.width, mask.height);
  }

  #hit(x: number, y: number, width: number, height: number): void {
    const { columns, rows } = this.picture;
    const right = Math.min((x + width - 1) >> 4, columns - 1);
    const bottom = Math.min((y + height - 1) >> 4, rows - 1);
    for (let row = Math.max(y >> 4, 0); row <= bottom; row++) {
      for (let column = Math.max(x >> 4, 0); column <= right; column++)
        this.damage[row * columns + column] = 1;
    }
  }
}

function fillPlane(plane: Plane, x: number, y: number, width: number, height: number, level: number): void {
  const { samples, stride } = plane;
  const rows = samples.length / stride;
  const from = Math.max(x, 0);
  const to = Math.min(x + width, stride);
  for (let row = Math.max(y, 0); row < Math.min(y + height, rows); row++) {
    samples.fill(level, row * stride + from, row * stride + to);
  }
}

function stampPlane(
  plane: Plane,
  x: number,
  y: number,
  mask: Uint8Array,
  width: number,
  ink: number,
  ground: number,
): void {
  const { samples, stride } = plane;
  const rows = samples.length / stride;
  const height = mask.length / width;
  const fromRow = Math.max(0, -y);
  const toRow = Math.min(height, rows - y);
  const fromColumn = Math.max(0, -x);
  const toColumn = Math.min(width, stride - x);
  for (let row = fromRow; row < toRow; row++) {
    let at = (y + row) * stride + x + fromColumn;
    for (let index = row * width + fromColumn; index < row * width + toColumn; index++) {
      samples[at++] = ground + Math.round(((ink - ground) * mask[index]!) / 255);
    }
  }
}
